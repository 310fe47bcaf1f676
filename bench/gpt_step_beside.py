"""CPU time of a training step: tessera-train beside PyTorch eager, alternately.

usage: gpt_step_beside.py --tessera PROGRAM --config CONFIG --data-dir DIR [--pairs 5] [--steps 150]

The config's dataset must exist (`tessera-pipeline run CONFIG`). tessera-train is run twice per
pair, with `--steps` more steps the second time; the difference of user and system time is the cost
of those steps, start-up and the last validation excluded. PyTorch times its own steps
(`gpt_step.py`, warm-up excluded). Both use one thread. Needs a Python with torch 2.11.0.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tessera(arguments, steps: int) -> float:
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    with tempfile.TemporaryDirectory() as runs:
        before = children_seconds()
        subprocess.run(
            [arguments.tessera, "fit", arguments.config, "--data-dir", arguments.data_dir, "--runs-dir", runs,
             "--device", "cpu", "--set", f"train.steps={steps}", "--set", "train.validate_every=1000000",
             "--set", "train.checkpoint_every=1000000", "--set", "train.validation_rows=1", "--set", "train.threads=1"],
            check=True, stderr=subprocess.DEVNULL, env=environment,
        )
        return children_seconds() - before


def torch_step(arguments) -> float:
    output = subprocess.run(
        [sys.executable, os.path.join(HERE, "gpt_step.py"), "--steps", str(arguments.steps), "--threads", "1",
         *(["--fused"] if arguments.fused else [])],
        check=True, capture_output=True, text=True,
    )
    return json.loads(output.stdout)["milliseconds_per_step_cpu"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--fused", action="store_true", help="PyTorch with fused AdamW instead of its default")
    arguments = parser.parse_args()
    ours, theirs = [], []
    for pair in range(arguments.pairs):
        short = tessera(arguments, 20)
        ours.append(1000 * (tessera(arguments, 20 + arguments.steps) - short) / arguments.steps)
        theirs.append(torch_step(arguments))
        print(f"pair {pair + 1}: tessera {ours[-1]:.1f} ms, PyTorch {theirs[-1]:.1f} ms, "
              f"ratio {ours[-1] / theirs[-1]:.3f}", flush=True)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"median CPU time per step: tessera {statistics.median(ours):.1f} ms, PyTorch {statistics.median(theirs):.1f} ms, "
          f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
