"""Sentences per CPU second of a beam search: tessera-train translate beside PyTorch, alternately.

usage: transformer_decode_beside.py --tessera PROGRAM --run RUN --source FILE [--checkpoint average] [--pairs 5]

    python bench/transformer_decode_beside.py --tessera PROGRAMS/tessera-train --run runs/NAME \\
        --source test_2016_flickr.en.gz --beam 4 --threads 2

`--checkpoint` is `average` or a step. tessera-train is run twice per
pair, with the first line and with all of them; the difference of user and system time is the cost of the other lines, start-up and
loading excluded. PyTorch times its own translation, loading excluded (`transformer_decode.py`). Both have the same
beam, length penalty and threads, and each the batches it likes. Says on how many lines both agree: a difference in
more than a few is none of rounding, and then the times compare nothing.
Needs a Python with torch 2.11.0, tokenizers and safetensors.
"""

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tessera(arguments, lines: list[str]) -> tuple[float, list[str]]:
    environment = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads))
    before = children_seconds()
    output = subprocess.run(
        [arguments.tessera, "translate", arguments.run, "--checkpoint", arguments.checkpoint, "--device", "cpu",
         "--beam", str(arguments.beam), "--length-penalty", str(arguments.length_penalty), *arguments.option],
        input="".join(line + "\n" for line in lines), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, encoding="utf-8", env=environment,
    )
    return children_seconds() - before, output.stdout.splitlines()


def torch_decode(arguments) -> tuple[float, list[str]]:
    name = f"step-{int(arguments.checkpoint):08}" if arguments.checkpoint.isdecimal() else arguments.checkpoint
    folder = os.path.join(arguments.run, "checkpoints", name)
    output = subprocess.run(
        [sys.executable, os.path.join(HERE, "transformer_decode.py"), folder, "--source", arguments.source,
         "--beam", str(arguments.beam), "--length-penalty", str(arguments.length_penalty), "--batch", str(arguments.batch),
         "--threads", str(arguments.threads), *(["--stay"] if arguments.stay else [])],
        check=True, capture_output=True, text=True, encoding="utf-8",
    )
    return json.loads(output.stderr.splitlines()[-1])["cpu_seconds"], output.stdout.splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--checkpoint", default="average", help="`average` or a step")
    parser.add_argument("--source", required=True, help="lines, plain or .gz")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--length-penalty", type=float, default=0.6, help="alpha of GNMT's")
    parser.add_argument("--batch", type=int, default=50, help="PyTorch's sentences in a batch")
    parser.add_argument("--stay", action="store_true", help="PyTorch keeps sentences that are done in their batch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--option", action="append", default=[], help="one more word for `tessera-train translate`")
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    reader = gzip.open if arguments.source.endswith(".gz") else open
    with reader(arguments.source, "rt", encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    ours, theirs = [], []
    for pair in range(arguments.pairs):
        loading, _ = tessera(arguments, lines[:1])
        seconds, mine = tessera(arguments, lines)
        ours.append((len(lines) - 1) / (seconds - loading))
        seconds, other = torch_decode(arguments)
        theirs.append(len(lines) / seconds)
        same = sum(a == b for a, b in zip(mine, other, strict=True))
        print(f"pair {pair + 1}: tessera {ours[-1]:.1f}, PyTorch {theirs[-1]:.1f} sentences per CPU second, "
              f"ratio {ours[-1] / theirs[-1]:.2f}; {same} of {len(lines)} translations are the same", flush=True)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"median: tessera {statistics.median(ours):.1f}, PyTorch {statistics.median(theirs):.1f} sentences per CPU second, "
          f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
