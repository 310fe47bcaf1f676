"""Translates lines with a checkpoint of `tessera-train` in PyTorch: the peer of `tessera-train translate`.

    python -m venv venv
    venv/bin/pip install torch==2.11.0 numpy tokenizers==0.23.3 safetensors==0.8.0
    venv/bin/python bench/transformer_decode.py runs/NAME/checkpoints/average --source test.en.gz > test.de

Reads `model.safetensors`, `config.json` and a shared `tokenizer.json` of a checkpoint. A straightforward beam search with
the parts that everybody has: batches of `--batch` sentences sorted by length, keys and values of the decoder's past and
of the memory are kept, the memory repeated for every hypothesis, all of a batch's hypotheses ranked in one `topk`.
A sentence that is done leaves the batch, as in fairseq (`--stay`: it stays until all are done, as in `transformers`).
The search is defined as tessera-train's: see `train/tests/fixtures/make_transformer_tiny.py`.

Translations go to stdout in the order of the lines, one line of JSON with the timing to stderr. Loading
stays out of the timing; tokenizing and writing do not. CPU time is that of all threads of the process.
"""

import argparse
import gzip
import json
import math
import os
import sys
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="a folder with model.safetensors, config.json and tokenizer.json")
    parser.add_argument("--source", help="lines, plain or .gz; stdin if not given")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--length-penalty", type=float, default=0.6, help="alpha of GNMT's")
    parser.add_argument("--extra", type=int, default=50, help="tokens that a translation may have more than its source")
    parser.add_argument("--batch", type=int, default=50, help="sentences")
    parser.add_argument("--stay", action="store_true", help="sentences that are done stay in the batch")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for name in ("beam", "batch", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} must be at least 1")
    return arguments


settings = parse_arguments()
# OpenMP reads this when torch is loaded.
os.environ["OMP_NUM_THREADS"] = str(settings.threads)
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

END = 0


class Translator:
    """The model over weights under fairseq's names."""

    def __init__(self, folder):
        self.weights = load_file(os.path.join(folder, "model.safetensors"))
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        self.width, self.heads = self.config["encoder_embed_dim"], self.config["encoder_attention_heads"]
        self.pre_norm = self.config["encoder_normalize_before"]
        self.source = self.weights["encoder.embed_tokens.weight"]
        self.target = self.weights.get("decoder.embed_tokens.weight", self.source)
        half = self.width // 2
        angles = torch.arange(4096)[:, None]
        if self.config["positions"] == "interleaved":
            angles = angles * torch.exp(torch.arange(half) * (-2 * math.log(10000.0) / self.width))
            self.positions = torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
        else:
            angles = angles * torch.exp(torch.arange(half) * (-math.log(10000.0) / (half - 1)))
            self.positions = torch.cat([angles.sin(), angles.cos()], dim=1)

    def linear(self, x, name):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], 1e-5)

    def split(self, x):
        """[rows, time, width] to [rows, heads, time, width of a head]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_values(self, x, name):
        return self.split(self.linear(x, f"{name}.k_proj")), self.split(self.linear(x, f"{name}.v_proj"))

    def attend(self, x, keys, values, mask, name):
        query = self.split(self.linear(x, f"{name}.q_proj"))
        mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        return self.linear(mixed.transpose(1, 2).flatten(2), f"{name}.out_proj")

    def feed_forward(self, x, name):
        return self.linear(F.relu(self.linear(x, f"{name}.fc1")), f"{name}.fc2")

    def around(self, x, part, norm):
        """The residual around a part, with its norm where the model has it."""
        return x + part(self.norm(x, norm)) if self.pre_norm else self.norm(x + part(x), norm)

    def embed(self, embedding, ids, start):
        return F.embedding(ids, embedding) * math.sqrt(self.width) + self.positions[start : start + ids.shape[1]]

    def encode(self, ids, mask):
        x = self.embed(self.source, ids, 0)
        for layer in range(self.config["encoder_layers"]):
            name = f"encoder.layers.{layer}"

            def attention(x):
                return self.attend(x, *self.keys_values(x, f"{name}.self_attn"), mask, f"{name}.self_attn")

            x = self.around(x, attention, f"{name}.self_attn_layer_norm")
            x = self.around(x, lambda x: self.feed_forward(x, name), f"{name}.final_layer_norm")
        return self.norm(x, "encoder.layer_norm") if self.pre_norm else x

    def memory(self, encoded):
        """Keys and values of the memory for every layer of the decoder."""
        layers = range(self.config["decoder_layers"])
        return [self.keys_values(encoded, f"decoder.layers.{layer}.encoder_attn") for layer in layers]

    def decode(self, tokens, step, past, memory, mask):
        """Log-probabilities of what follows the tokens of this step, [rows, vocabulary], and the longer past."""
        x = self.embed(self.target, tokens[:, None], step)
        longer = []
        for layer in range(self.config["decoder_layers"]):
            name = f"decoder.layers.{layer}"

            def attention(x):
                keys, values = self.keys_values(x, f"{name}.self_attn")
                if past:
                    keys, values = torch.cat([past[layer][0], keys], dim=2), torch.cat([past[layer][1], values], dim=2)
                longer.append((keys, values))
                return self.attend(x, keys, values, None, f"{name}.self_attn")

            x = self.around(x, attention, f"{name}.self_attn_layer_norm")
            cross = lambda x: self.attend(x, *memory[layer], mask, f"{name}.encoder_attn")
            x = self.around(x, cross, f"{name}.encoder_attn_layer_norm")
            x = self.around(x, lambda x: self.feed_forward(x, name), f"{name}.final_layer_norm")
        x = self.norm(x, "decoder.layer_norm") if self.pre_norm else x
        return F.linear(x[:, 0], self.target).log_softmax(-1), longer


def rows_of(caches, rows):
    return [tuple(tensor.index_select(0, rows) for tensor in layer) for layer in caches]


def penalty(length):
    return ((5 + length) / 6) ** settings.length_penalty


def translate(model, sources):
    """The best hypothesis of every source, as tokens without the end."""
    beam, count = settings.beam, len(sources)
    lengths = torch.tensor([len(source) + 1 for source in sources])
    ids = torch.zeros(count, int(lengths.max()), dtype=torch.long)
    for row, source in enumerate(sources):
        ids[row, : len(source)] = torch.tensor(source)
    mask = (torch.arange(ids.shape[1]) < lengths[:, None])[:, None, None, :]
    memory = model.memory(model.encode(ids, mask))
    repeated = torch.arange(count).repeat_interleave(beam)
    memory, mask = rows_of(memory, repeated), mask.index_select(0, repeated)

    numbers = list(range(count))  # which sentence is at each place of the batch
    longest = [len(source) + settings.extra for source in sources]
    finished = [[] for _ in sources]
    done = [False] * count
    past, hypotheses = [], torch.zeros(count * beam, 1, dtype=torch.long)
    # At first all hypotheses of a sentence are the same: only one of them counts.
    totals = torch.full((count, beam), -math.inf)
    totals[:, 0] = 0.0
    length = 0
    while not all(done):
        length += 1
        scores, past = model.decode(hypotheses[:, -1], length - 1, past, memory, mask)
        vocabulary = scores.shape[1]
        scores = scores.view(len(numbers), beam, vocabulary) + totals[:, :, None]
        for place, number in enumerate(numbers):
            if length == longest[number]:
                scores[place, :, END + 1 :] = -math.inf
        values, places = scores.flatten(1).topk(2 * beam)
        parents, tokens = places // vocabulary, places % vocabulary
        # The first `beam` candidates that do not end go on.
        goes_on = (tokens != END) & (values > -math.inf)
        order = (~goes_on).int().sort(dim=1, stable=True).indices[:, :beam]
        next_totals = values.masked_fill(~goes_on, -math.inf).gather(1, order)
        for place, rank in ((tokens[:, :beam] == END) & (values[:, :beam] > -math.inf)).nonzero().tolist():
            number = numbers[place]
            if not done[number]:
                row = place * beam + int(parents[place, rank])
                finished[number].append((float(values[place, rank]) / penalty(length), hypotheses[row, 1:].tolist()))
        for place, number in enumerate(numbers):
            finished[number] = sorted(finished[number], key=lambda hypothesis: -hypothesis[0])[:beam]
            best = float(next_totals[place, 0])
            enough = len(finished[number]) == beam and best / penalty(longest[number]) <= finished[number][-1][0]
            done[number] = done[number] or enough or length >= longest[number]
        stay = [place for place, number in enumerate(numbers) if settings.stay or not done[number]]
        kept = torch.tensor(stay, dtype=torch.long)
        rows = (kept[:, None] * beam + parents.gather(1, order)[kept]).flatten()
        hypotheses = torch.cat([hypotheses[rows], tokens.gather(1, order)[kept].flatten()[:, None]], dim=1)
        past, totals = rows_of(past, rows), next_totals[kept]
        if len(stay) < len(numbers):
            rows = (kept[:, None] * beam + torch.arange(beam)).flatten()
            memory, mask = rows_of(memory, rows), mask.index_select(0, rows)
            numbers = [numbers[place] for place in stay]
    return [hypotheses[0][1] for hypotheses in finished]


@torch.inference_mode()
def main():
    torch.set_num_threads(settings.threads)
    model = Translator(settings.checkpoint)
    tokenizer = Tokenizer.from_file(os.path.join(settings.checkpoint, "tokenizer.json"))
    if settings.source is None:
        lines = sys.stdin.read().splitlines()
    else:
        reader = gzip.open if settings.source.endswith(".gz") else open
        with reader(settings.source, "rt", encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file]
    cpu, wall = time.process_time(), time.perf_counter()
    sources = [encoding.ids for encoding in tokenizer.encode_batch(lines, add_special_tokens=False)]
    order = sorted(range(len(sources)), key=lambda index: -len(sources[index]))
    out = [""] * len(sources)
    for start in range(0, len(order), settings.batch):
        chosen = order[start : start + settings.batch]
        for index, tokens in zip(chosen, translate(model, [sources[index] for index in chosen])):
            out[index] = tokenizer.decode(tokens).strip()
    print("\n".join(out))
    sys.stdout.flush()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    result = {
        "sentences": len(lines),
        "sentences_per_cpu_second": round(len(lines) / cpu, 3),
        "cpu_seconds": round(cpu, 3),
        "wall_seconds": round(wall, 3),
        "torch": torch.__version__,
        "settings": vars(settings),
    }
    print(json.dumps(result), file=sys.stderr)


if __name__ == "__main__":
    main()
