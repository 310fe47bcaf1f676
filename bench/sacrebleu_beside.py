"""BLEU, chrF and TER: tessera-eval beside sacrebleu, alternately.

usage: sacrebleu_beside.py --tessera PROGRAM [--data ../shared/data/wmt17] [--metrics bleu,chrf,ter,paired] [--pairs 3]

The data are `reference.de.gz` and any number of translations of it (`newstest2017.*.gz`). Every translation is scored
three ways: by `tessera-eval METRIC` and by `sacrebleu -m METRIC`, both whole processes from files to the score on a
line, and by sacrebleu as a library in a process that was started and has read its lines before the clock starts.
`paired` is the paired bootstrap of BLEU of all translations at once, as whole processes. The cost is user and system
time. All scores and p-values must agree to 1e-9. Needs a Python with sacrebleu 2.6.0.
"""

import argparse
import glob
import gzip
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

# what the clock of a library run leaves out: starting Python, importing, reading and decoding the lines
LIBRARY = """
import json, sys, time
from sacrebleu.metrics import BLEU, CHRF, TER
metric = {"bleu": BLEU, "chrf": CHRF, "ter": TER}[sys.argv[1]]()
reference, hypothesis = ([line.rstrip("\\n") for line in open(path, encoding="utf-8")] for path in sys.argv[2:])
start = time.process_time()
score = metric.corpus_score(hypothesis, [reference]).score
print(json.dumps({"seconds": time.process_time() - start, "score": score}))
"""


def run(command) -> tuple[float, str]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, output


def score_three_ways(tessera, metric, reference, hypothesis):
    """Seconds of tessera-eval, sacrebleu's command line and sacrebleu as a library; whether the scores agree."""
    ours, score = run([tessera, metric, reference, "-i", hypothesis, "-b", "-w", "12"])
    command, peer_score = run([sys.executable, "-m", "sacrebleu", reference, "-i", hypothesis, "-m", metric, "-b", "-w", "12"])
    library = json.loads(run([sys.executable, "-c", LIBRARY, metric, reference, hypothesis])[1])
    scores = [float(score), float(peer_score), library["score"]]
    return [ours, command, library["seconds"]], max(scores) - min(scores) <= 1e-9


def test_both_ways(tessera, reference, hypotheses):
    """Seconds of tessera-eval and sacrebleu's command line for a paired bootstrap; whether the results agree."""
    arguments = [reference, "-i", *hypotheses, "-m", "bleu", "--paired-bs"]
    ours, results = run([tessera, "bleu", *arguments])
    command, peer_results = run([sys.executable, "-m", "sacrebleu", *arguments])
    return [ours, command], same(json.loads(results), json.loads(peer_results))


def same(ours, theirs) -> bool:
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    return abs(ours - theirs) <= 1e-9 if isinstance(theirs, float) else ours == theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--data", default="../shared/data/wmt17")
    parser.add_argument("--metrics", default="bleu,chrf,ter,paired")
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    tessera = os.path.abspath(arguments.tessera)
    agree = True
    with tempfile.TemporaryDirectory() as folder:
        for path in glob.glob(os.path.join(arguments.data, "*.gz")):
            with gzip.open(path) as packed, open(os.path.join(folder, os.path.basename(path)[:-3]), "wb") as plain:
                shutil.copyfileobj(packed, plain)
        reference = os.path.join(folder, "reference.de")
        hypotheses = sorted(glob.glob(os.path.join(folder, "newstest*")))
        for metric in arguments.metrics.split(","):
            all_seconds = []
            for _ in range(arguments.pairs):
                for files in [hypotheses] if metric == "paired" else hypotheses:
                    if metric == "paired":
                        seconds, same_scores = test_both_ways(tessera, reference, files)
                    else:
                        seconds, same_scores = score_three_ways(tessera, metric, reference, files)
                    all_seconds.append(seconds)
                    agree &= same_scores
                    if not same_scores:
                        print(f"{metric} of {files} DIFFERS")
            print_costs(metric, *zip(*all_seconds))
    print(f"scores {'agree' if agree else 'DIFFER'}")
    sys.exit(0 if agree else 1)


def print_costs(metric, ours, *theirs) -> None:
    print(f"{metric}: CPU seconds of {len(ours)} runs (minimum, median, maximum)")
    for name, seconds in zip(["tessera-eval", "sacrebleu", "sacrebleu as a library"], [ours, *theirs]):
        spread = f"{min(seconds):.3f}  {statistics.median(seconds):.3f}  {max(seconds):.3f}"
        ratios = [theirs / mine for mine, theirs in zip(ours, seconds)]
        ratio = f"   {statistics.median(ratios):.1f} × ({min(ratios):.1f} to {max(ratios):.1f})"
        print(f"  {name:24}{spread}{ratio if seconds is not ours else ''}", flush=True)


if __name__ == "__main__":
    main()
