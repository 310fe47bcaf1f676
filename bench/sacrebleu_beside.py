"""Scoring translations beside sacrebleu: CPU seconds from process to process, alternately, and that the scores are the same.

    python bench/sacrebleu_beside.py --tessera PROGRAMS/tessera-eval --reference REF --hypotheses HYP… --pairs 5

Both read the same files and print JSON. The Python that runs this must have sacrebleu.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys

METRICS = {"bleu": ["-m", "bleu"], "chrf": ["-m", "chrf"], "ter": ["-m", "ter"], "paired bootstrap of bleu": ["-m", "bleu", "--paired-bs"]}


def cpu_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8", env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(done.stdout)


def same(ours, theirs):
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, float):
        return abs(ours - theirs) < 1e-9
    return ours == theirs


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--hypotheses", required=True, nargs="+")
    parser.add_argument("--metrics", nargs="+", choices=list(METRICS), default=list(METRICS))
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    for metric in arguments.metrics:
        paired = "paired" in metric
        files = arguments.hypotheses if paired else arguments.hypotheses[:1]
        rest = [arguments.reference, "-w", "12", *METRICS[metric], "-i", *files]
        ratios, ours, theirs = [], [], []
        for _ in range(arguments.pairs):
            seconds, printed = cpu_seconds([arguments.tessera, "bleu", *rest])
            peer_seconds, peer_printed = cpu_seconds([sys.executable, "-m", "sacrebleu", *rest])
            assert same(printed, peer_printed), f"{metric}: {printed} is not {peer_printed}"
            ours.append(seconds)
            theirs.append(peer_seconds)
            ratios.append(peer_seconds / seconds)
        print(f"{metric}: {statistics.median(ours):.3f} s, sacrebleu {statistics.median(theirs):.3f} s, "
              f"{statistics.median(ratios):.0f} times ({min(ratios):.0f} to {max(ratios):.0f})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
