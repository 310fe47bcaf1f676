"""Packing JPEG files into shards: tessera-pipeline beside `datasets`, webdataset and bare pyarrow, alternately.

usage: pack_images_beside.py --tessera PROGRAM --archive FILE.tar.gz [--pairs 3]

The archive holds `<class>/<name>.jpg` below one folder. From files: tessera-pipeline (header check,
SHA-256 of each image, Parquet shards with class names), `datasets` (imagefolder to Parquet),
webdataset's TarWriter, and a loop around pyarrow that checks nothing. tessera-pipeline also from
the archive itself. Whole processes, images per CPU second; of the Python ones also without the start
of the interpreter and the imports. At the end the images and classes in the shards are compared
with the files. Needs a Python with datasets 5.2, webdataset, pyarrow and pillow.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile

CONFIG = """
version = 1
name = "{name}"
[data]
paths = ["{path}"]
license = "unknown"
[[pipeline.stage]]
kind = "read-images"
"""

# Each gets the folder of the classes and the one for what it makes.
PEERS = {
    "datasets": """
from datasets import load_dataset
start = time.process_time()
load_dataset("imagefolder", data_dir=images, cache_dir=out + "/cache", split="train").to_parquet(out + "/train.parquet")
""",
    "webdataset": """
from webdataset import TarWriter
start = time.process_time()
classes = sorted(os.listdir(images))
with TarWriter(out + "/train.tar") as writer:
    for label, name in enumerate(classes):
        for file in sorted(os.listdir(f"{images}/{name}")):
            with open(f"{images}/{name}/{file}", "rb") as image:
                writer.write({"__key__": f"{name}/{file[:-4]}", "jpg": image.read(), "cls": label})
""",
    "pyarrow": """
import pyarrow, pyarrow.parquet
start = time.process_time()
schema = pyarrow.schema({"image": pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()}),
                         "label": pyarrow.int64()})
with pyarrow.parquet.ParquetWriter(out + "/train.parquet", schema, compression="none", use_dictionary=False) as writer:
    rows, labels = [], []
    for label, name in enumerate(sorted(os.listdir(images))):
        for file in sorted(os.listdir(f"{images}/{name}")):
            with open(f"{images}/{name}/{file}", "rb") as image:
                rows.append({"bytes": image.read(), "path": file})
            labels.append(label)
            if len(rows) == 1000:
                writer.write_table(pyarrow.table([rows, labels], schema=schema))
                rows, labels = [], []
    writer.write_table(pyarrow.table([rows, labels], schema=schema))
""",
}
HEAD = "import os, sys, time\nimages, out = sys.argv[1:]\n"
TAIL = "\nprint(time.process_time() - start)\n"


def timed(command, **options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def of_files(folder: pathlib.Path) -> collections.Counter:
    """How often each image is there, by class and hash."""
    return collections.Counter(
        (file.parent.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in folder.glob("*/*.jpg"))


def of_shards(folder: pathlib.Path) -> collections.Counter:
    import pyarrow.parquet
    found = collections.Counter()
    for path in sorted(folder.glob("data/*.parquet")):
        table = pyarrow.parquet.read_table(path, columns=["image", "label", "content_hash"])
        features = json.loads(pyarrow.parquet.read_schema(path).metadata[b"huggingface"])["info"]["features"]
        names = features["label"]["names"]
        for row in table.to_pylist():
            digest = hashlib.sha256(row["image"]["bytes"]).hexdigest()
            assert digest.startswith(row["content_hash"])
            found[names[row["label"]], digest] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--archive", required=True)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    tessera, archive = os.path.abspath(arguments.tessera), os.path.abspath(arguments.archive)
    environment = dict(os.environ, HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1", OMP_NUM_THREADS="1")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        with tarfile.open(archive) as members:
            members.extractall(folder / "raw", filter="data")
        images = next((folder / "raw").iterdir())
        count = sum(1 for _ in images.glob("*/*.jpg"))
        configs = {"tessera, from files": images, "tessera, from the archive": archive}
        for number, path in enumerate(configs.values()):
            (folder / f"{number}.toml").write_text(CONFIG.format(name=f"made-{number}", path=path))
        times, work = collections.defaultdict(list), collections.defaultdict(list)
        for pair in range(arguments.pairs):
            for number, name in enumerate(configs):
                command = [tessera, "run", f"{number}.toml", "--threads", "1", "--replace"]
                times[name].append(timed(command, cwd=folder)[0])
            for name, script in PEERS.items():
                with tempfile.TemporaryDirectory(dir=folder) as out:
                    command = [sys.executable, "-c", HEAD + script + TAIL, str(images), out]
                    seconds, said = timed(command, env=dict(environment, HF_HOME=out))
                times[name].append(seconds)
                work[name].append(float(said.split()[-1]))
            print(f"round {pair + 1}: " + ", ".join(f"{name} {all_[-1]:.2f} s" for name, all_ in times.items()), flush=True)
        expected = of_files(images)
        same = all(of_shards(folder / "data" / f"made-{number}") == expected for number in range(len(configs)))
    print(f"{count:,} images; medians in images per CPU second:")
    for name, seconds in times.items():
        line = f"  {name}: {count / statistics.median(seconds):,.0f}"
        if name in work:
            line += f" (without the start {count / statistics.median(work[name]):,.0f})"
        print(line)
    print(f"images and classes are {'the same' if same else 'DIFFERENT'}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
