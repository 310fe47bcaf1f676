"""Training a byte-pair vocabulary: tessera-pipeline beside Hugging Face tokenizers, alternately.

usage: bpe_beside.py --tessera PROGRAM --text FILE [--vocabulary 8192] [--pairs 5]

Both are whole processes, from the text file to `tokenizer.json`; tessera-pipeline also hashes the
file and writes it as Parquet shards. At the end the two vocabularies and lists of merges are
compared. Needs a Python with tokenizers 0.23.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

CONFIG = """
version = 1
name = "bpe"
[data]
paths = ["{text}"]
license = "unknown"
[[pipeline.stage]]
kind = "read-text"
rows = "line"
[[pipeline.stage]]
kind = "train-tokenizer"
model = "bpe"
vocabulary = {vocabulary}
"""

PEER = """
import sys
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(vocab_size=int(sys.argv[2]), min_frequency=2, special_tokens=["<|endoftext|>"],
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
with open(sys.argv[1], newline="", encoding="utf-8") as lines:
    tokenizer.train_from_iterator((line.rstrip("\\n") for line in lines if line.strip()), trainer)
tokenizer.save(sys.argv[3])
"""


def timed(command, **options) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    arguments.tessera = os.path.abspath(arguments.tessera)
    with tempfile.TemporaryDirectory() as folder:
        config, peer = os.path.join(folder, "bpe.toml"), os.path.join(folder, "peer.json")
        with open(config, "w") as file:
            file.write(CONFIG.format(text=os.path.abspath(arguments.text), vocabulary=arguments.vocabulary))
        ours, theirs = [], []
        for pair in range(arguments.pairs):
            ours.append(timed([arguments.tessera, "run", config, "--threads", "1", "--replace"], cwd=folder))
            theirs.append(timed([sys.executable, "-c", PEER, arguments.text, str(arguments.vocabulary), peer],
                                env=dict(os.environ, RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")))
            print(f"pair {pair + 1}: tessera {ours[-1]:.2f} s, tokenizers {theirs[-1]:.2f} s", flush=True)
        with open(os.path.join(folder, "data/bpe/tokenizer.json")) as file:
            mine = json.load(file)["model"]
        with open(peer) as file:
            other = json.load(file)["model"]
        same = mine["vocab"] == other["vocab"] and list(map(tuple, mine["merges"])) == list(map(tuple, other["merges"]))
    print(f"median CPU time: tessera {statistics.median(ours):.2f} s, tokenizers {statistics.median(theirs):.2f} s, "
          f"ratio {statistics.median(a / b for a, b in zip(ours, theirs)):.3f}; "
          f"vocabulary and merges {'the same' if same else 'DIFFERENT'}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
