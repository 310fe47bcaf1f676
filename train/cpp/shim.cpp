// What tch leaves out of libtorch, as a C interface. The Rust face is `src/shim.rs`.
//
// Every function returns null on success, else a message allocated with malloc that the caller
// frees. No C++ exception crosses the border. Tensors are tch's own `at::Tensor *`.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

using Tensors = std::vector<at::Tensor>;

template <class Body>
char *guard(Body body) {
  try {
    body();
    return nullptr;
  } catch (const std::exception &error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("unknown C++ exception");
  }
}

Tensors collect(at::Tensor *const *tensors, size_t count) {
  Tensors out;
  out.reserve(count);
  for (size_t i = 0; i < count; ++i) out.push_back(*tensors[i]);
  return out;
}

// The gradients of the parameters that have one, with those parameters.
std::pair<Tensors, Tensors> with_gradients(at::Tensor *const *tensors, size_t count) {
  Tensors parameters, gradients;
  for (size_t i = 0; i < count; ++i) {
    if (!tensors[i]->grad().defined()) continue;
    parameters.push_back(*tensors[i]);
    gradients.push_back(tensors[i]->grad());
  }
  return {parameters, gradients};
}

}  // namespace

extern "C" {

// Tells glibc to keep freed memory. Left alone it gives large tensors back to the system after
// every operation and gets them again, page by page, which was a tenth of a step of training.
// What the environment says about malloc comes first.
void tessera_keep_memory() {
#ifdef __GLIBC__
  for (const char *name : {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"})
    if (std::getenv(name)) return;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that glibc takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

// How libtorch was built; holds `TORCH_VERSION=2.11.0`. Freed by the caller.
char *tessera_show_config() {
  try {
    return strdup(at::show_config().c_str());
  } catch (...) {
    return strdup("");
  }
}

// One fused AdamW step (Loshchilov and Hutter 2019) over tensors that all have a gradient.
// `steps` are float scalars, one per tensor, already incremented for this step.
char *tessera_fused_adamw(at::Tensor *const *parameters, at::Tensor *const *exp_avgs,
                          at::Tensor *const *exp_avg_sqs, at::Tensor *const *steps, size_t count,
                          double learning_rate, double beta1, double beta2, double weight_decay,
                          double epsilon) {
  return guard([&] {
    at::NoGradGuard no_grad;
    Tensors gradients;
    gradients.reserve(count);
    for (size_t i = 0; i < count; ++i) gradients.push_back(parameters[i]->grad());
    auto values = collect(parameters, count);
    auto first = collect(exp_avgs, count);
    auto second = collect(exp_avg_sqs, count);
    auto counters = collect(steps, count);
    at::_fused_adamw_(values, gradients, first, second, {}, counters, learning_rate, beta1, beta2,
                      weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
  });
}

// One fused step of torch.optim.SGD without dampening over tensors that all have a gradient. The
// buffers start at zero, which gives what PyTorch gives that copies the first gradient.
char *tessera_fused_sgd(at::Tensor *const *parameters, at::Tensor *const *momentum_buffers,
                        size_t count, double learning_rate, double momentum, double weight_decay,
                        bool nesterov) {
  return guard([&] {
    at::NoGradGuard no_grad;
    Tensors gradients;
    gradients.reserve(count);
    for (size_t i = 0; i < count; ++i) gradients.push_back(parameters[i]->grad());
    auto values = collect(parameters, count);
    auto buffers = momentum == 0 ? Tensors{} : collect(momentum_buffers, count);
    at::_fused_sgd_(values, gradients, buffers, weight_decay, momentum, learning_rate,
                    /*dampening=*/0.0, nesterov, /*maximize=*/false, /*is_first_step=*/false);
  });
}

// Moves every target by `weight` of the way to its end.
char *tessera_lerp(at::Tensor *const *targets, at::Tensor *const *ends, size_t count,
                   double weight) {
  return guard([&] {
    at::NoGradGuard no_grad;
    auto moved = collect(targets, count);
    at::_foreach_lerp_(moved, collect(ends, count), at::Scalar(weight));
  });
}

// The norm of all gradients together as a scalar on their device, without a sync. Where `maximum`
// is above 0 the gradients are scaled down to it, as torch.nn.utils.clip_grad_norm_ does; with
// `each` every gradient by its own norm, as tf.clip_by_norm does.
char *tessera_clip_gradients(at::Tensor *const *parameters, size_t count, double maximum,
                             bool each, at::Tensor **norm) {
  return guard([&] {
    at::NoGradGuard no_grad;
    auto [_, gradients] = with_gradients(parameters, count);
    TORCH_CHECK(!gradients.empty(), "no parameter has a gradient");
    auto norms = at::stack(at::_foreach_norm(gradients, 2));
    auto total = norms.norm(2);
    if (maximum > 0 && each) {
      at::_foreach_mul_(gradients, (maximum / norms.clamp_min(maximum)).unbind());
    } else if (maximum > 0) {
      auto factor = (maximum / (total + 1e-6)).clamp_max(1.0);
      at::_foreach_mul_(gradients, factor);
    }
    *norm = new at::Tensor(total);
  });
}

// Drops the gradients, so that the next backward pass writes instead of adds.
char *tessera_clear_gradients(at::Tensor *const *parameters, size_t count) {
  return guard([&] {
    for (size_t i = 0; i < count; ++i) parameters[i]->mutable_grad() = at::Tensor();
  });
}

// Switches mixed precision on or off for a kind of device (0 CPU, 1 CUDA); bfloat16 only.
// Switching off drops the cached copies of the weights, which the next step will change.
char *tessera_autocast(int device, bool enabled) {
  return guard([&] {
    auto kind = device == 0 ? at::kCPU : at::kCUDA;
    at::autocast::set_autocast_dtype(kind, at::kBFloat16);
    at::autocast::set_autocast_enabled(kind, enabled);
    if (!enabled) at::autocast::clear_cache();
  });
}
}
