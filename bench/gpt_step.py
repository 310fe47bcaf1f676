"""Times the training step of a GPT in eager PyTorch: the peer of `tessera-train`'s `gpt`.

    python -m venv venv
    venv/bin/pip install torch==2.11.0 numpy
    venv/bin/python bench/gpt_step.py --layers 4 --heads 4 --width 128 --block 64 --batch 12 --vocab 65

The defaults are nanoGPT's CPU character preset. A step picks a batch out of a stream of
random tokens, goes forward and backward, clips the gradients to norm 1 and takes one AdamW step.
Prints one line of JSON; building the model and `--warmup` steps stay out of the timing.
CPU time is that of all threads of the process, so on a busy machine it is the number to compare.
"""

import argparse
import json
import math
import os
import platform
import resource
import sys
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--block", type=int, default=64, help="tokens in a sequence")
    parser.add_argument("--batch", type=int, default=12, help="sequences in a batch")
    parser.add_argument("--vocab", type=int, default=65)
    parser.add_argument("--bias", action=argparse.BooleanOptionalAction, default=False, help="biases in Linear and LayerNorm")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--fused", action=argparse.BooleanOptionalAction, default=False, help="fused AdamW")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=100, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=10, help="steps before, not timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1337)
    arguments = parser.parse_args()
    for name in ("layers", "heads", "width", "block", "batch", "vocab", "steps", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if arguments.warmup < 0:
        parser.error("--warmup must not be negative")
    if arguments.width % arguments.heads:
        parser.error(f"--width {arguments.width} does not divide by --heads {arguments.heads}")
    return arguments


settings = parse_arguments()
# OpenMP reads this when torch is loaded.
os.environ["OMP_NUM_THREADS"] = str(settings.threads)

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Causal self-attention with one matrix for queries, keys and values."""

    def __init__(self):
        super().__init__()
        self.mix_in = nn.Linear(settings.width, 3 * settings.width, bias=settings.bias)
        self.mix_out = nn.Linear(settings.width, settings.width, bias=settings.bias)
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, x):
        batch, length, width = x.shape
        # Cut before the heads are: one permutation of all three costs a copy more going backward.
        parts = self.mix_in(x).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (settings.heads, -1)).transpose(1, 2) for part in parts)
        rate = settings.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=rate, is_causal=True)
        return self.drop(self.mix_out(mixed.transpose(1, 2).reshape(batch, length, width)))


class Layer(nn.Module):
    """Pre-norm attention and a feed-forward part four times as wide."""

    def __init__(self):
        super().__init__()
        self.norm_attention = nn.LayerNorm(settings.width, eps=1e-5, bias=settings.bias)
        self.attention = Attention()
        self.norm_forward = nn.LayerNorm(settings.width, eps=1e-5, bias=settings.bias)
        self.widen = nn.Linear(settings.width, 4 * settings.width, bias=settings.bias)
        self.narrow = nn.Linear(4 * settings.width, settings.width, bias=settings.bias)
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, x):
        x = x + self.attention(self.norm_attention(x))
        hidden = F.gelu(self.widen(self.norm_forward(x)), approximate="tanh")
        return x + self.drop(self.narrow(hidden))


class Gpt(nn.Module):
    """A GPT with learned positions and the head tied to the token embeddings."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(settings.vocab, settings.width)
        self.positions = nn.Embedding(settings.block, settings.width)
        self.drop = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer() for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width, eps=1e-5, bias=settings.bias)
        residual_scale = 1 / math.sqrt(2 * settings.layers)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() >= 2:
                    into_residual = name.endswith(("mix_out.weight", "narrow.weight"))
                    parameter.normal_(std=0.02 * (residual_scale if into_residual else 1.0))
                elif name.endswith(".bias"):
                    parameter.zero_()

    def forward(self, input_ids, targets):
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.drop(self.tokens(input_ids) + self.positions(positions))
        for layer in self.layers:
            x = layer(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def new_optimizer(model):
    """AdamW that decays matrices and embeddings but no vectors."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    # None leaves PyTorch its own choice, which on a CPU is the plain loop over the tensors.
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99), fused=settings.fused or None)


def peak_rss_mb():
    """Largest resident set so far, in units of 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def main():
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    model = Gpt().train()
    optimizer = new_optimizer(model)
    stream = torch.randint(settings.vocab, (max(1 << 20, settings.block + 2),))
    window = torch.arange(settings.block + 1)

    def step():
        starts = torch.randint(len(stream) - settings.block, (settings.batch, 1))
        sequences = stream[starts + window]
        optimizer.zero_grad(set_to_none=True)
        loss = model(sequences[:, :-1], sequences[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    for _ in range(settings.warmup):
        step()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(settings.steps):
        loss = step()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall

    result = {
        "milliseconds_per_step_cpu": round(1000 * cpu / settings.steps, 3),
        "milliseconds_per_step_wall": round(1000 * wall / settings.steps, 3),
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "loss": round(loss.item(), 6),
        "parameters": sum(p.numel() for p in model.parameters()),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "settings": vars(settings),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
