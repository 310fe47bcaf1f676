"""CPU time of a training step: tessera-train's translation model beside PyTorch eager, alternately.

usage: transformer_step_beside.py --tessera PROGRAM --config CONFIG --data-dir DIR [--pairs 5] [--steps 60] [PEER OPTIONS]

What is not an option of this script goes to `transformer_step.py` and must describe the same model and batches:

    python bench/transformer_step_beside.py --tessera PROGRAMS/tessera-train --config configs/mt/transformer-multi30k.toml \\
        --layers 3 --heads 4 --width 256 --feed-forward 512 --dropout 0.1 --batch-tokens 1000 \\
        --tokenizer data/NAME/tokenizer.json --source train.en.gz --target train.de.gz

The config's dataset must exist (`tessera-pipeline run CONFIG`). tessera-train is run twice per
pair, with `--steps` more steps the second time; the difference of user and system time is the cost
of those steps, start-up and the last validation excluded. PyTorch times its own steps, warm-up excluded.
Both use one thread, the same sizes and the same way to put sentences into batches; which sentences meet
is drawn by each, so that a hundred steps or so are needed for the same amount of tokens.
Needs a Python with torch 2.11.0 and tokenizers.
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
SHORT = 20


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
             "--set", "train.checkpoint_every=1000000", "--set", "train.validation_rows=1", "--set", "train.threads=1",
             *(word for change in arguments.set for word in ("--set", change))],
            check=True, stderr=subprocess.DEVNULL, env=environment,
        )
        return children_seconds() - before


def torch_step(arguments, peer_options) -> dict:
    output = subprocess.run(
        [sys.executable, "-W", "ignore", os.path.join(HERE, "transformer_step.py"),
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
    ours, theirs = [], []
    for pair in range(arguments.pairs):
        short = tessera(arguments, SHORT)
        ours.append(1000 * (tessera(arguments, SHORT + arguments.steps) - short) / arguments.steps)
        peer = torch_step(arguments, peer_options)
        theirs.append(peer["milliseconds_per_step_cpu"])
        print(f"pair {pair + 1}: tessera {ours[-1]:.1f} ms, PyTorch {theirs[-1]:.1f} ms "
              f"({peer['target_tokens_per_step']} target tokens), ratio {ours[-1] / theirs[-1]:.3f}", flush=True)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"median CPU time per step: tessera {statistics.median(ours):.1f} ms, PyTorch {statistics.median(theirs):.1f} ms, "
          f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
