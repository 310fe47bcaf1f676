"""Decoding and augmenting images on one thread: Tessera beside torchvision and timm on PIL, alternately.

usage: augment_beside.py --program AUGMENT_IMAGES --cifar CIFAR.tar.gz [--pairs 5] [--seconds 4]

    cargo build --release --workspace --example augment_images

Three cases, each with the same files, output size and transforms on both sides, values written into
a batch of float32:

  cifar    32 x 32 JPEG, crop from a margin of 4, flip
  photo    500 x 375 JPEG, random resized crop to 224 (bilinear, antialiased), flip
  rand     the same with RandAugment, timm's rand-m9-mstd0.5-inc1

The photos are mosaics of CIFAR images, enlarged twice, with a little noise: JPEGs of quality 90 and
52 kB, half as large as ImageNet's. Both sides decode every pixel (no scaled decoding) and normalise. Python does
it as training scripts do: `Compose` on a PIL image, the tensor copied into the batch. CPU seconds of
the one thread, files in memory, start-up excluded. Needs a Python with torch 2.11.0, torchvision
0.26.0, timm 1.0.31 and Pillow 13.0.0.
"""

import argparse
import io
import json
import random
import statistics
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timm.data import auto_augment
from torchvision import transforms

MEAN, DEVIATION, BATCH = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 64
FILL = tuple(round(255 * value) for value in MEAN)
RESIZED = 'crop = "resized", interpolation = "bilinear", flip = 0.5'
CASES = {
    "cifar": (32, '{ crop = "pad", flip = 0.5 }'),
    "photo": (224, f"{{ {RESIZED} }}"),
    "rand": (224, f"{{ {RESIZED}, rand_augment = {{ magnitude = 9, deviation = 0.5 }} }}"),
}


def posterize(image, bits, **_):
    """timm asks for 0 bits at magnitude 10, which Pillow 13 refuses."""
    return auto_augment.posterize(image, max(bits, 1))


def python_transform(case: str, size: int):
    if case == "cifar":
        first = [transforms.RandomCrop(size, padding=4), transforms.RandomHorizontalFlip()]
    else:
        first = [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]
    if case == "rand":
        hparams = dict(translate_const=int(size * 0.45), img_mean=FILL, interpolation=Image.BILINEAR)
        first.append(auto_augment.rand_augment_transform("rand-m9-mstd0.5-inc1", hparams))
    return transforms.Compose([*first, transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])


def python_side(files: list[bytes], images: int, size: int, transform) -> dict:
    batch = torch.empty(BATCH, 3, size, size)
    total = 0.0
    start = time.thread_time()
    for index in range(images):
        image = Image.open(io.BytesIO(files[index % len(files)])).convert("RGB")
        batch[index % BATCH] = transform(image)
        total += batch[index % BATCH, 0, size // 2, size // 2].item()
    seconds = time.thread_time() - start
    return {"images": images, "cpu_seconds": seconds, "mean": total / images}


def tessera_side(program: str, folder: Path, images: int, size: int, augment: str) -> dict:
    arguments = [program, str(folder), str(images), str(size), augment]
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)


def cifar_files(path: str, count: int) -> list[bytes]:
    files = []
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.isfile() and member.name.lower().endswith((".jpg", ".jpeg")):
                files.append(archive.extractfile(member).read())
            if len(files) == count:
                break
    return files


def photos(files: list[bytes], count: int) -> list[bytes]:
    noise = np.random.RandomState(1)
    small = [Image.open(io.BytesIO(file)).convert("RGB").resize((64, 64), Image.BICUBIC) for file in files]
    out = []
    for number in range(count):
        photo = Image.new("RGB", (512, 384))
        for place in range(48):
            photo.paste(small[(number * 48 + place) % len(small)], (place % 8 * 64, place // 8 * 64))
        pixels = np.asarray(photo)[:375, :500] + noise.normal(0, 4, (375, 500, 3))
        buffer = io.BytesIO()
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
        out.append(buffer.getvalue())
    return out


def compare(case: str, files: list[bytes], arguments) -> None:
    size, augment = CASES[case]
    transform = python_transform(case, size)
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            Path(folder, f"{number:05}.jpg").write_bytes(file)
        cost = lambda result: result["cpu_seconds"] / result["images"]
        probe = cost(python_side(files, 64, size, transform))
        images = max(64, int(arguments.seconds / probe))
        ours, theirs = [], []
        for _ in range(arguments.pairs):
            ours.append(tessera_side(arguments.program, Path(folder), 2 * images, size, augment))
            theirs.append(python_side(files, images, size, transform))
    ratios = [cost(b) / cost(a) for a, b in zip(ours, theirs)]
    rate = lambda side: statistics.median(1 / cost(result) for result in side)
    print(f"{case}: {len(files)} JPEGs of {statistics.mean(map(len, files)) / 1000:.1f} kB; images per CPU second: "
          f"tessera {rate(ours):,.0f}, Python {rate(theirs):,.0f}, "
          f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
          f"mean of the middles {ours[-1]['mean']:.2f} and {theirs[-1]['mean']:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="CPU time of each of Python's turns, about")
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    arguments = parser.parse_args()
    auto_augment.NAME_TO_OP["PosterizeIncreasing"] = posterize
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    small = cifar_files(arguments.cifar, 2000)
    large = photos(small, 40)
    for case in arguments.cases:
        compare(case, small if case == "cifar" else large, arguments)


main()
