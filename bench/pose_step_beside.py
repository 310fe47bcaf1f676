"""CPU time of a training step: tessera-train's `optipose` beside the same network in PyTorch eager, alternately.

usage: pose_step_beside.py --tessera PROGRAM --config CONFIG --data-dir DIR [--pairs 5] [--steps 20] [PEER OPTIONS]

The config's dataset must exist (`tessera-pipeline run CONFIG`). What is not an option of this script goes to `pose_step.py`, which
builds the same network from the same config. tessera-train is timed as in `gpt_step_beside.py`, and reads its windows within
that time. One thread each. Needs a Python with torch 2.11.0.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

from gpt_step_beside import HERE, tessera


def peer(arguments, options) -> dict:
    output = subprocess.run(
        [sys.executable, os.path.join(HERE, "pose_step.py"), "--config", arguments.config, "--steps", str(arguments.steps), *options],
        check=True, stdout=subprocess.PIPE, text=True,
    )
    return json.loads(output.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    arguments, options = parser.parse_known_args()
    ours, theirs = [], []
    for pair in range(arguments.pairs):
        short = tessera(arguments, 5)
        ours.append(1000 * (tessera(arguments, 5 + arguments.steps) - short) / arguments.steps)
        found = peer(arguments, options)
        theirs.append(found["milliseconds_per_step_cpu"])
        print(f"pair {pair + 1}: tessera {ours[-1]:.0f} ms, PyTorch {theirs[-1]:.0f} ms ({found['parameters']:,} parameters, "
              f"{found['windows_per_step']} windows), ratio {ours[-1] / theirs[-1]:.3f}", flush=True)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"median CPU time per step: tessera {statistics.median(ours):.0f} ms, PyTorch {statistics.median(theirs):.0f} ms, "
          f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
