"""CPU time of a training step: tessera-train's `vit` or `convnext` beside timm in PyTorch eager, alternately.

usage: image_step_beside.py --tessera PROGRAM --config CONFIG --data-dir DIR [--pairs 5] [--steps 60] [PEER OPTIONS]

    python bench/image_step_beside.py --tessera PROGRAMS/tessera-train --config configs/vision/vit-cifar10.toml --data-dir data
    python bench/image_step_beside.py --tessera PROGRAMS/tessera-train --config configs/vision/convnext-cifar10.toml --data-dir data

The config's dataset must exist (`tessera-pipeline run CONFIG`). What is not an option of this script goes to
`image_step.py`, which builds the same model from the same config. tessera-train is run twice per pair, with `--steps` more
steps the second time; the difference of user and system time is the cost of those steps, start-up and the last
validation excluded. It decodes and augments its images within that time, and on Linux the share of its `reader` threads is
told; timm takes random images that lie ready, times its own steps, and leaves its warm-up out. One thread each.
Needs a Python with torch 2.11.0 and timm 1.0.31.
"""

import argparse
import glob
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT = 20


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def reader_seconds(process: subprocess.Popen) -> float:
    """CPU time of the threads that decode and augment, looked up until the process ends; 0 without /proc."""
    seconds = {}
    while process.poll() is None:
        for task in glob.glob(f"/proc/{process.pid}/task/*"):
            try:
                with open(f"{task}/stat") as stat:
                    # the thread's name stands in brackets and may have spaces
                    name, fields = stat.read().rsplit(")", 1)
            except OSError:
                continue
            if name.split("(", 1)[1].startswith("reader"):
                utime, stime = fields.split()[11:13]
                seconds[task] = (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")
        time.sleep(0.05)
    return sum(seconds.values())


def tessera(arguments, steps: int) -> tuple[float, float]:
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    with tempfile.TemporaryDirectory() as runs:
        before = children_seconds()
        command = [
            arguments.tessera, "fit", arguments.config, "--data-dir", arguments.data_dir, "--runs-dir", runs,
            "--device", "cpu", "--set", f"train.steps={steps}", "--set", "train.validate_every=1000000",
            "--set", "train.checkpoint_every=1000000", "--set", "train.validation_rows=1", "--set", "train.threads=1",
            *(word for change in arguments.set for word in ("--set", change)),
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
            readers = reader_seconds(process)
        if process.returncode:
            sys.exit(f"`{' '.join(command)}` ended with {process.returncode}")
        return children_seconds() - before, readers


def torch_step(arguments, peer_options) -> dict:
    output = subprocess.run(
        [sys.executable, "-W", "ignore", os.path.join(HERE, "image_step.py"), "--config", arguments.config,
         "--steps", str(arguments.steps), "--threads", "1", *peer_options],
        check=True, stdout=subprocess.PIPE, text=True,
    )
    return json.loads(output.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--set", action="append", default=[], help="a change of the config for tessera-train; may be repeated")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    arguments, peer_options = parser.parse_known_args()
    ours, theirs, shares = [], [], []
    for pair in range(arguments.pairs):
        short, short_readers = tessera(arguments, SHORT)
        long, long_readers = tessera(arguments, SHORT + arguments.steps)
        ours.append(1000 * (long - short) / arguments.steps)
        shares.append((long_readers - short_readers) / (long - short))
        peer = torch_step(arguments, peer_options)
        theirs.append(peer["milliseconds_per_step_cpu"])
        print(f"pair {pair + 1}: tessera {ours[-1]:.1f} ms (readers {100 * shares[-1]:.1f} %), timm {theirs[-1]:.1f} ms "
              f"({peer['parameters']:,} parameters, {peer['images_per_step']} images), ratio {ours[-1] / theirs[-1]:.3f}", flush=True)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"median CPU time per step: tessera {statistics.median(ours):.1f} ms of which readers "
          f"{100 * statistics.median(shares):.1f} %, timm {statistics.median(theirs):.1f} ms, "
          f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
