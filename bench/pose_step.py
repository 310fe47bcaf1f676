"""Times the training step of OptiPose in eager PyTorch, written as its Keras code reads: the peer of `tessera-train`'s `optipose`.

    python -m venv venv
    venv/bin/pip install torch==2.11.0
    venv/bin/python bench/pose_step.py --config configs/tiny/optipose.toml --window 30 --keypoints 23

Sizes, batch, learning rate and the loss's weights are the config's; window and keypoints are those of its data. A step takes a
batch of random windows that lies ready, goes forward through one context model after the other and backward, clips every
parameter's gradient by its own norm (`torch._foreach_norm` and `_foreach_mul_`), and takes one step of fused Adam. Prints one line
of JSON; building the model and `--warmup` steps stay out of the timing. CPU time is that of all threads of the process.
"""

import argparse
import json
import math
import os
import time
import tomllib

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--config", required=True)
parser.add_argument("--window", type=int, default=30)
parser.add_argument("--keypoints", type=int, default=23)
parser.add_argument("--steps", type=int, default=20, help="steps that are timed")
parser.add_argument("--warmup", type=int, default=3, help="steps before, not timed")
parser.add_argument("--threads", type=int, default=1)
settings = parser.parse_args()
# OpenMP reads this when torch is loaded.
os.environ["OMP_NUM_THREADS"] = str(settings.threads)

import torch
from torch import nn


class SubModel(nn.Module):
    def __init__(self, width, heads, window, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value = (nn.Linear(width, heads * width) for _ in range(3))
        self.output = nn.Linear(heads * width, width)
        self.dense = nn.Linear(2 * width, width)
        self.alpha = nn.Parameter(torch.zeros(window, width))

    def forward(self, h, c):
        batch, window, width = h.shape
        q, k, v = (p(h).view(batch, window, self.heads, width).transpose(1, 2) for p in (self.query, self.key, self.value))
        found = nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)
        found = self.output(found.transpose(1, 2).reshape(batch, window, self.heads * width))
        z = self.dense(torch.cat([found, c], -1))
        return z.clamp_min(0) + self.alpha * z.clamp_max(0)


class OptiPose(nn.Module):
    def __init__(self, model, window, keypoints):
        super().__init__()
        width, self.later = 3 * keypoints, model.get("architecture", "paper") == "later"
        count, levels, heads = model.get("context_models", 10), model.get("sub_models", 7), model.get("heads", 1)
        dropout = model.get("attention_dropout", 0.2 if self.later else 0.0)
        self.models = nn.ModuleList(
            nn.ModuleList(SubModel(width, heads, window, dropout if j else 0.0) for j in range(levels)) for _ in range(count)
        )
        middle = model.get("output_width", 60)
        self.outputs = nn.ModuleList([] if self.later else [nn.Linear(width, middle) for _ in range(count)])
        self.regression = nn.Linear(count * width if self.later else middle, width)

    def forward(self, raw, seen):
        out = []
        for i, levels in enumerate(self.models):
            h, c = raw, seen
            for level in levels:
                h = level(h, c)
                c = h + seen if self.later else h
            out.append(h if self.later else self.outputs[i](h))
        return self.regression(torch.cat(out, -1)) if self.later else self.regression(sum(out)) + seen


def loss_of(model, options, raw, seen, target):
    batch, window, width = target.shape
    power = torch.abs if model.later else torch.square
    y, t = (x.view(batch, window, -1, 3) for x in (model(raw, seen), target))
    euclid = (y - t).square().sum(-1).add(1e-9).sqrt().sum(-1).mean()
    distances = lambda x: (x[:, :, :, None] - x[:, :, None]).square().sum(-1).add(1e-9).sqrt()
    spatial = power(distances(t) - distances(y)).sum(-1).mean(-1).mean()
    temporal = power((t[:, 1:] - t[:, :-1]) - (y[:, 1:] - y[:, :-1])).sum(-2).mean(-1).sum(-1).div(window).mean()
    kernels = [level.dense.weight for levels in model.models for level in levels]
    kernels += [model.regression.weight] if model.later else []
    cost = sum(k.square().sum() + (k.abs().sum() if model.later else 0.0) for k in kernels)
    cost = options.get("regularisation", 0.01) * cost
    return euclid + options.get("spatial", 1e-4) * spatial + options.get("temporal", 1e-4) * temporal + cost


def main():
    torch.set_num_threads(settings.threads)
    torch.manual_seed(1)
    with open(settings.config, "rb") as file:
        train = tomllib.load(file)["train"]
    options, rate = train["model"], train.get("optimizer", {}).get("learning_rate", 3.1e-4)
    model = OptiPose(options, settings.window, settings.keypoints)
    adam = torch.optim.Adam(model.parameters(), lr=rate, eps=1e-7, fused=True)
    target = torch.randn(train["batch"], settings.window, 3 * settings.keypoints) * 100
    given = (torch.rand(train["batch"], settings.window, settings.keypoints) < 0.75).repeat_interleave(3, -1)
    seen, raw = target * given, torch.where(given, target, -4668.0)

    def step():
        adam.zero_grad(set_to_none=True)
        loss = loss_of(model, options, raw, seen, target)
        loss.backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        norms = torch.stack(torch._foreach_norm(gradients, 2))
        torch._foreach_mul_(gradients, list((1.0 / norms.clamp_min(1.0)).unbind()))
        adam.step()
        return loss.detach()

    for _ in range(settings.warmup):
        step()
    cpu = time.process_time()
    for _ in range(settings.steps):
        loss = step()
    cpu = time.process_time() - cpu
    print(json.dumps({
        "milliseconds_per_step_cpu": round(1000 * cpu / settings.steps, 3),
        "windows_per_step": train["batch"],
        "loss": round(loss.item(), 6) if math.isfinite(loss.item()) else None,
        "parameters": sum(p.numel() for p in model.parameters()),
        "torch": torch.__version__,
        "settings": vars(settings),
    }))


if __name__ == "__main__":
    main()
