//! The safe face of `cpp/shim.cpp`: what tch leaves out of libtorch.
//!
//! All `unsafe` code of the workspace lives here. Each call hands over pointers that tch owns and
//! that stay valid for the call, because the slices borrow the tensors.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_double, c_int};

use tch::Tensor;
use tessera_datasets::{Error, Result};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn tessera_keep_memory();
    fn tessera_show_config() -> *mut c_char;
    fn tessera_fused_adamw(
        parameters: *const *const C_tensor,
        exp_avgs: *const *const C_tensor,
        exp_avg_sqs: *const *const C_tensor,
        steps: *const *const C_tensor,
        count: usize,
        learning_rate: c_double,
        beta1: c_double,
        beta2: c_double,
        weight_decay: c_double,
        epsilon: c_double,
    ) -> *mut c_char;
    fn tessera_fused_sgd(
        parameters: *const *const C_tensor,
        momentum_buffers: *const *const C_tensor,
        count: usize,
        learning_rate: c_double,
        momentum: c_double,
        weight_decay: c_double,
        nesterov: bool,
    ) -> *mut c_char;
    fn tessera_lerp(
        targets: *const *const C_tensor,
        ends: *const *const C_tensor,
        count: usize,
        weight: c_double,
    ) -> *mut c_char;
    fn tessera_clip_gradients(
        parameters: *const *const C_tensor,
        count: usize,
        maximum: c_double,
        each: bool,
        norm: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn tessera_clear_gradients(parameters: *const *const C_tensor, count: usize) -> *mut c_char;
    fn tessera_autocast(device: c_int, enabled: bool) -> *mut c_char;
    fn free(pointer: *mut std::ffi::c_void);
}

/// Takes over a C string of the shim.
fn take(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the shim returns a null-terminated string from malloc and forgets it
    let owned = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // SAFETY: as above; it is freed once, here
    unsafe { free(text.cast()) };
    Some(owned)
}

/// Lets the process keep freed memory for the next tensor, with glibc; call it once, at the start.
pub fn keep_memory() {
    // SAFETY: sets options of malloc, which does so under its own lock
    unsafe { tessera_keep_memory() }
}

fn check(message: *mut c_char) -> Result<()> {
    match take(message) {
        None => Ok(()),
        Some(text) => Err(Error::internal(format!("libtorch: {}", text.lines().next().unwrap_or("")))),
    }
}

fn pointers(tensors: &[Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(Tensor::as_ptr).collect()
}

/// How libtorch was built, with a line that holds `TORCH_VERSION=…`.
pub fn show_config() -> String {
    // SAFETY: takes nothing, returns a string of its own
    take(unsafe { tessera_show_config() }).unwrap_or_default()
}

/// The numbers of one AdamW step.
#[derive(Clone, Copy, Debug)]
pub struct AdamwStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the mean of gradients and of their squares.
    pub betas: (f64, f64),
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Added to the denominator.
    pub epsilon: f64,
}

/// One fused AdamW step in place. All slices have the same length, every parameter has a
/// gradient, and `steps` (float scalars) already count this step.
///
/// # Errors
/// When libtorch refuses, such as for tensors on different devices.
pub fn fused_adamw(
    parameters: &[Tensor],
    exp_avgs: &[Tensor],
    exp_avg_sqs: &[Tensor],
    steps: &[Tensor],
    step: AdamwStep,
) -> Result<()> {
    let count = parameters.len();
    if [exp_avgs.len(), exp_avg_sqs.len(), steps.len()] != [count; 3] {
        return Err(Error::internal("one moment and counter per parameter"));
    }
    let (p, m) = (pointers(parameters), pointers(exp_avgs));
    let (v, s) = (pointers(exp_avg_sqs), pointers(steps));
    // SAFETY: four arrays of `count` valid tensors
    check(unsafe {
        tessera_fused_adamw(
            p.as_ptr(),
            m.as_ptr(),
            v.as_ptr(),
            s.as_ptr(),
            count,
            step.learning_rate,
            step.betas.0,
            step.betas.1,
            step.weight_decay,
            step.epsilon,
        )
    })
}

/// The numbers of one step of stochastic gradient descent.
#[derive(Clone, Copy, Debug)]
pub struct SgdStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// How much of the buffer stays; 0 for none.
    pub momentum: f64,
    /// Nesterov's momentum.
    pub nesterov: bool,
    /// Added to the gradient, times the parameter.
    pub weight_decay: f64,
}

/// One fused step of `torch.optim.SGD` in place. Both slices have the same length, every
/// parameter has a gradient, and the buffers are zero before the first step.
///
/// # Errors
/// When libtorch refuses.
pub fn fused_sgd(parameters: &[Tensor], momentum_buffers: &[Tensor], step: SgdStep) -> Result<()> {
    let count = parameters.len();
    if momentum_buffers.len() != count {
        return Err(Error::internal("one buffer per parameter"));
    }
    let (p, m) = (pointers(parameters), pointers(momentum_buffers));
    let SgdStep { learning_rate, momentum, nesterov, weight_decay } = step;
    // SAFETY: two arrays of `count` valid tensors
    check(unsafe { tessera_fused_sgd(p.as_ptr(), m.as_ptr(), count, learning_rate, momentum, weight_decay, nesterov) })
}

/// Moves every target by `weight` of the way to its end, in place.
///
/// # Errors
/// When libtorch refuses, such as for tensors of different shapes.
pub fn lerp(targets: &[Tensor], ends: &[Tensor], weight: f64) -> Result<()> {
    let count = targets.len();
    if ends.len() != count {
        return Err(Error::internal("one end per target"));
    }
    let (t, e) = (pointers(targets), pointers(ends));
    // SAFETY: two arrays of `count` valid tensors
    check(unsafe { tessera_lerp(t.as_ptr(), e.as_ptr(), count, weight) })
}

/// The norm of all gradients together, before clipping to `maximum` (0: no clipping), as a scalar
/// on their device. Follows `torch.nn.utils.clip_grad_norm_`, without a sync; with `each`, every
/// gradient is clipped by its own norm alone, as `tf.clip_by_norm` does it.
///
/// # Errors
/// When no parameter has a gradient.
pub fn clip_gradients(parameters: &[Tensor], maximum: f64, each: bool) -> Result<Tensor> {
    let p = pointers(parameters);
    let mut norm = std::ptr::null_mut();
    // SAFETY: an array of valid tensors; on success `norm` is a new tensor that we own
    check(unsafe { tessera_clip_gradients(p.as_ptr(), p.len(), maximum, each, &mut norm) })?;
    // SAFETY: as above
    Ok(unsafe { Tensor::from_ptr(norm) })
}

/// Drops the gradients of the parameters.
///
/// # Errors
/// Never in practice.
pub fn clear_gradients(parameters: &[Tensor]) -> Result<()> {
    let p = pointers(parameters);
    // SAFETY: an array of valid tensors
    check(unsafe { tessera_clear_gradients(p.as_ptr(), p.len()) })
}

/// A new float32 tensor on the CPU of this shape, whose values `fill` writes in row-major order.
///
/// # Errors
/// What `fill` returns, or when libtorch has no memory.
pub fn filled(shape: &[i64], fill: impl FnOnce(&mut [f32]) -> Result<()>) -> Result<Tensor> {
    let made = Tensor::f_zeros(shape, (tch::Kind::Float, tch::Device::Cpu));
    let tensor = made.map_err(|e| Error::internal(format!("libtorch: {e}")))?;
    if tensor.numel() > 0 {
        let start = tensor.data_ptr().cast::<f32>();
        // SAFETY: a new contiguous tensor of `numel` initialised floats that nobody else knows yet;
        // it outlives the slice
        fill(unsafe { std::slice::from_raw_parts_mut(start, tensor.numel()) })?;
    }
    Ok(tensor)
}

/// Mixed precision in bfloat16 for as long as the value lives.
pub struct Autocast {
    device: c_int,
}

impl Autocast {
    /// Switches mixed precision on.
    ///
    /// # Errors
    /// When libtorch has no such device.
    pub fn bfloat16(device: tch::Device) -> Result<Self> {
        let device = c_int::from(device.is_cuda());
        // SAFETY: plain values
        check(unsafe { tessera_autocast(device, true) })?;
        Ok(Self { device })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: plain values; the message of a failure is freed by `check`
        let _ = check(unsafe { tessera_autocast(self.device, false) });
    }
}

/// Loads libtorch's CUDA part if it lies beside its CPU part, before the first use of a device.
///
/// The linker drops `libtorch_cuda.so` from binaries of other packages, and CUDA is then silently
/// absent (tch-rs issues 329, 904, 907, 980). Loading it by hand registers its hooks, so that one
/// binary serves machines with and without a GPU.
pub fn load_cuda() -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: the library's initialisers only register CUDA with libtorch
    match unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) } {
        Ok(library) => {
            std::mem::forget(library);
            Ok(())
        }
        Err(_) => Err("no `libtorch_cuda.so` with what it needs beside libtorch".to_owned()),
    }
}
