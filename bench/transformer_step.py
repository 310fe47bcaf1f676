"""Times the training step of a translation model in eager PyTorch: the peer of `tessera-train`'s `transformer`.

    python -m venv venv
    venv/bin/pip install torch==2.11.0 numpy tokenizers==0.23.3
    venv/bin/python bench/transformer_step.py --width 256 --layers 3 --heads 4 --feed-forward 512 \\
        --tokenizer tokenizer.json --source train.en.gz --target train.de.gz --batch-tokens 2000

`--module nn` is `torch.nn.Transformer`, `--module written` the same by hand with one product for queries, keys
and values. Both are the paper's model: post-norm (or `--pre-norm`), one embedding for source, target and output, sinusoidal
positions, dropout on embeddings and sub-layers but not on attention weights or inside the feed-forward part.

Batches have the lengths of the two files' sentences and random tokens: pools of 8,192 shuffled
pairs are sorted by the longer side, then the source, and cut where the longer side with its padding would go over `--batch-tokens`, as `tessera-train`
does. Without files every pair has `--source-length` and `--target-length` tokens.
A step picks a batch, goes forward and backward with label smoothing 0.1, clips the gradients to
norm 1 (`--clip 0`: not) and takes one step of Adam. Prints one line of JSON; building the model and `--warmup` steps stay out of the timing.
CPU time is that of all threads of the process, so on a busy machine it is the number to compare.
"""

import argparse
import gzip
import json
import math
import os
import platform
import random
import resource
import sys
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--decoder-layers", type=int, help="as many as in the encoder if not given")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--feed-forward", type=int, default=512)
    parser.add_argument("--vocab", type=int, default=6000, help="that of --tokenizer if there is one")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--pre-norm", action="store_true")
    parser.add_argument("--module", choices=["nn", "written"], default="nn")
    parser.add_argument("--batch-tokens", type=int, default=2000, help="tokens on the longer side of a batch, padding included")
    parser.add_argument("--tokenizer", help="tokenizer.json of both sides")
    parser.add_argument("--source", help="lines, plain or .gz")
    parser.add_argument("--target", help="their translations")
    parser.add_argument("--source-length", type=int, default=24)
    parser.add_argument("--target-length", type=int, default=24)
    parser.add_argument("--fused", action=argparse.BooleanOptionalAction, default=True, help="fused Adam")
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=60, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=5, help="steps before, not timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1337)
    arguments = parser.parse_args()
    for name in ("layers", "heads", "width", "feed_forward", "vocab", "batch_tokens", "steps", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if arguments.width % arguments.heads or arguments.width % 2:
        parser.error(f"--width {arguments.width} is no even multiple of --heads {arguments.heads}")
    files = (arguments.tokenizer, arguments.source, arguments.target)
    if any(files) and not all(files):
        parser.error("--tokenizer, --source and --target go together")
    arguments.decoder_layers = arguments.decoder_layers or arguments.layers
    return arguments


settings = parse_arguments()
# OpenMP reads this when torch is loaded.
os.environ["OMP_NUM_THREADS"] = str(settings.threads)
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from torch import nn
from torch.nn import functional as F

PADDING = -100


class Attention(nn.Module):
    """Attention with one product for queries, keys and values, or for a memory's keys and values."""

    def __init__(self, to_memory):
        super().__init__()
        width = settings.width
        self.to_memory = to_memory
        self.query = nn.Linear(width, width) if to_memory else None
        self.mix_in = nn.Linear(width, (2 if to_memory else 3) * width)
        self.mix_out = nn.Linear(width, width)

    def forward(self, x, memory=None, mask=None, causal=False):
        if self.to_memory:
            parts = (self.query(x), *self.mix_in(memory).chunk(2, dim=-1))
        else:
            parts = self.mix_in(x).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (settings.heads, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return self.mix_out(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """A layer of the encoder, or with `decoder` of the decoder."""

    def __init__(self, decoder):
        super().__init__()
        width = settings.width
        self.attention = Attention(False)
        self.cross = Attention(True) if decoder else None
        self.widen = nn.Linear(width, settings.feed_forward)
        self.narrow = nn.Linear(settings.feed_forward, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if decoder else 2))
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, x, memory=None, memory_mask=None, mask=None, causal=False):
        parts = [lambda x: self.attention(x, mask=mask, causal=causal)]
        if self.cross is not None:
            parts.append(lambda x: self.cross(x, memory, memory_mask))
        parts.append(lambda x: self.narrow(F.relu(self.widen(x))))
        for part, norm in zip(parts, self.norms):
            if settings.pre_norm:
                x = x + self.drop(part(norm(x)))
            else:
                x = norm(x + self.drop(part(x)))
        return x


class Written(nn.Module):
    """Encoder and decoder by hand."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleList(Layer(False) for _ in range(settings.layers))
        self.decoder = nn.ModuleList(Layer(True) for _ in range(settings.decoder_layers))
        ends = 2 if settings.pre_norm else 0
        self.ends = nn.ModuleList(nn.LayerNorm(settings.width) for _ in range(ends))

    def forward(self, source, target, padding):
        mask = None if padding is None else ~padding[:, None, None, :]
        for layer in self.encoder:
            source = layer(source, mask=mask)
        source = self.ends[0](source) if self.ends else source
        for layer in self.decoder:
            target = layer(target, source, mask, causal=True)
        return self.ends[1](target) if self.ends else target


class Module(nn.Module):
    """Encoder and decoder of PyTorch, with dropout only where the paper has it."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(
            settings.width, settings.heads, settings.layers, settings.decoder_layers, settings.feed_forward,
            dropout=settings.dropout, activation="relu", norm_first=settings.pre_norm, batch_first=True,
        )
        stacks = (self.transformer.encoder, self.transformer.decoder)
        for stack in stacks:
            if not settings.pre_norm:
                stack.norm = None
            for layer in stack.layers:
                layer.self_attn.dropout = 0.0
                layer.dropout.p = 0.0
                if hasattr(layer, "multihead_attn"):
                    layer.multihead_attn.dropout = 0.0

    def forward(self, source, target, padding):
        future = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.transformer(
            source, target, tgt_mask=future, tgt_is_causal=True, src_key_padding_mask=padding, memory_key_padding_mask=padding
        )


class Translator(nn.Module):
    """The model between one embedding, positions, and the output that is tied to the embedding."""

    def __init__(self):
        super().__init__()
        self.stacks = Module() if settings.module == "nn" else Written()
        self.tokens = nn.Embedding(settings.vocab, settings.width)
        self.drop = nn.Dropout(settings.dropout)
        for parameter in self.stacks.parameters():
            if parameter.dim() >= 2:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.tokens.weight, std=settings.width**-0.5)
        rates = torch.exp(torch.arange(0, settings.width, 2) * (-math.log(10000.0) / settings.width))
        angles = torch.arange(1024)[:, None] * rates
        self.register_buffer("positions", torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1))

    def embed(self, ids):
        return self.drop(self.tokens(ids) * math.sqrt(settings.width) + self.positions[: ids.shape[1]])

    def forward(self, source, padding, inputs, targets):
        hidden = self.stacks(self.embed(source), self.embed(inputs), padding)
        logits = F.linear(hidden, self.tokens.weight)
        return F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING, label_smoothing=settings.label_smoothing
        )


def sentence_lengths():
    """Pairs of lengths in tokens, with the end."""
    if not settings.source:
        return [(settings.source_length, settings.target_length)] * 8192
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(settings.tokenizer)
    settings.vocab = tokenizer.get_vocab_size()
    sides = []
    for path in (settings.source, settings.target):
        reader = gzip.open if path.endswith(".gz") else open
        with reader(path, "rt", encoding="utf-8") as lines:
            encodings = tokenizer.encode_batch([line.rstrip("\n") for line in lines], add_special_tokens=False)
        sides.append([len(encoding.ids) + 1 for encoding in encodings])
    if len(sides[0]) != len(sides[1]):
        sys.exit(f"{settings.source} has {len(sides[0])} lines and {settings.target} {len(sides[1])}")
    return list(zip(*sides))


def plan(lengths):
    """An epoch's batches of lengths."""
    lengths, batches = list(lengths), []
    random.shuffle(lengths)
    for start in range(0, len(lengths), 8192):
        batch, longest = [], 0
        for pair in sorted(lengths[start : start + 8192], key=lambda pair: (max(pair), pair[0])):
            if batch and (len(batch) + 1) * max(longest, *pair) > settings.batch_tokens:
                batches.append(batch)
                batch, longest = [], 0
            longest = max(longest, *pair)
            batch.append(pair)
        batches.append(batch)
    random.shuffle(batches)
    return batches


def make_batch(lengths):
    """Random tokens: sources, where they are padded (None: nowhere), decoder inputs, targets."""

    def side(lengths):
        lengths = torch.tensor(lengths)
        ids = torch.randint(1, settings.vocab, (len(lengths), int(lengths.max())))
        return ids, torch.arange(ids.shape[1]) >= lengths[:, None]

    source, padding = side([pair[0] for pair in lengths])
    targets, beyond = side([pair[1] for pair in lengths])
    inputs = torch.cat([torch.zeros_like(targets[:, :1]), targets[:, :-1]], dim=1)
    return source, padding if padding.any() else None, inputs, targets.masked_fill(beyond, PADDING)


def peak_rss_mb():
    """Largest resident set so far, in units of 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def main():
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    random.seed(settings.seed)
    batches = plan(sentence_lengths())
    model = Translator().train()
    optimizer = torch.optim.Adam(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), eps=1e-9, fused=settings.fused or None
    )

    def step(number):
        batch = make_batch(batches[number % len(batches)])
        optimizer.zero_grad(set_to_none=True)
        loss = model(*batch)
        loss.backward()
        if settings.clip:
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        return loss.detach()

    for number in range(settings.warmup):
        step(number)
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(settings.warmup, settings.warmup + settings.steps):
        loss = step(number)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall

    timed = [batches[number % len(batches)] for number in range(settings.warmup, settings.warmup + settings.steps)]
    tokens = sum(target for batch in timed for _, target in batch)
    result = {
        "milliseconds_per_step_cpu": round(1000 * cpu / settings.steps, 3),
        "milliseconds_per_step_wall": round(1000 * wall / settings.steps, 3),
        "target_tokens_per_step": round(tokens / settings.steps, 1),
        "steps_per_epoch": len(batches),
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
