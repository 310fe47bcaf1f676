"""Decoding images on one thread: Tessera beside PIL, alternately; and how far the pixels are apart.

usage: decode_beside.py --program DECODE_IMAGES --cifar CIFAR.tar.gz [--pairs 5] [--seconds 2]

    cargo build --release --workspace --example decode_images

Cases: `cifar`, the JPEGs of 32 x 32 as they are; and mosaics of them of 500 x 375, enlarged twice
with a little noise, as `jpeg` of quality 90 (colours at half the width), `progressive`, `png`,
`webp` of quality 80, and `lossless` WebP. Python does `Image.open(BytesIO(bytes)).convert("RGB")`
with all pixels loaded; its header is `Image.open(…).size`, Tessera's also makes sure that the file is
whole. CPU seconds of the one thread, files in memory, start-up excluded. Needs a Python with Pillow
13.0.0 and numpy.
"""

import argparse
import io
import json
import statistics
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import numpy
from PIL import Image

KINDS = {
    "jpeg": ("JPEG", dict(quality=90)),
    "progressive": ("JPEG", dict(quality=90, progressive=True)),
    "png": ("PNG", {}),
    "webp": ("WEBP", dict(quality=80)),
    "lossless": ("WEBP", dict(lossless=True)),
}


def cifar_files(path: str, count: int) -> list[bytes]:
    files = []
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.isfile() and member.name.lower().endswith((".jpg", ".jpeg")):
                files.append(archive.extractfile(member).read())
            if len(files) == count:
                break
    return files


def photos(files: list[bytes], count: int) -> list[Image.Image]:
    noise = numpy.random.RandomState(1)
    small = [Image.open(io.BytesIO(file)).convert("RGB").resize((64, 64), Image.BICUBIC) for file in files]
    out = []
    for number in range(count):
        photo = Image.new("RGB", (512, 384))
        for place in range(48):
            photo.paste(small[(number * 48 + place) % len(small)], (place % 8 * 64, place // 8 * 64))
        pixels = numpy.asarray(photo)[:375, :500] + noise.normal(0, 4, (375, 500, 3))
        out.append(Image.fromarray(numpy.clip(pixels, 0, 255).astype("uint8")))
    return out


def python_side(files: list[bytes], images: int) -> dict:
    start = time.thread_time()
    for index in range(images):
        Image.open(io.BytesIO(files[index % len(files)])).size
    header = time.thread_time() - start
    start = time.thread_time()
    for index in range(images):
        Image.open(io.BytesIO(files[index % len(files)])).convert("RGB")
    return {"images": images, "cpu_seconds": time.thread_time() - start, "header_seconds": header}


def tessera_side(*arguments) -> dict:
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)


def differences(folder: Path, pixels: Path) -> tuple[int, float]:
    largest, sums = 0, []
    for path in sorted(folder.iterdir()):
        theirs = numpy.asarray(Image.open(path).convert("RGB")).astype("int16").ravel()
        ours = numpy.fromfile(pixels / f"{path.name}.rgb", "uint8").astype("int16")
        difference = numpy.abs(ours - theirs)
        largest = max(largest, int(difference.max()))
        sums.append(difference.mean())
    return largest, statistics.mean(sums)


def compare(case: str, files: list[bytes], arguments) -> None:
    cost = lambda result, key="cpu_seconds": result[key] / result["images"]
    with tempfile.TemporaryDirectory() as work:
        folder, pixels = Path(work, "images"), Path(work, "pixels")
        folder.mkdir()
        pixels.mkdir()
        for number, file in enumerate(files):
            Path(folder, f"{number:05}").write_bytes(file)
        images = max(16, int(arguments.seconds / cost(python_side(files, 16))))
        tessera_side(arguments.program, folder, "1", pixels)
        largest, mean = differences(folder, pixels)
        ours, theirs = [], []
        for _ in range(arguments.pairs):
            ours.append(tessera_side(arguments.program, folder, str(images)))
            theirs.append(python_side(files, images))
    ratios = [cost(a) / cost(b) for a, b in zip(ours, theirs)]
    rate = lambda side: statistics.median(1 / cost(result) for result in side)
    header = lambda side: 1e6 * statistics.median(cost(result, "header_seconds") for result in side)
    print(f"{case}: {len(files)} images of {statistics.mean(map(len, files)) / 1000:.1f} kB; images per CPU second: "
          f"tessera {rate(ours):,.0f}, PIL {rate(theirs):,.0f}; cost {statistics.median(ratios):.2f} of PIL's "
          f"({min(ratios):.2f} to {max(ratios):.2f}); a header {header(ours):.2f} and {header(theirs):.2f} µs; "
          f"pixels differ by {largest} at most, {mean:.3f} on average", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="CPU time of each of Python's turns, about")
    parser.add_argument("--cases", nargs="*", default=["cifar", *KINDS], choices=["cifar", *KINDS])
    arguments = parser.parse_args()
    small = cifar_files(arguments.cifar, 2000)
    large = photos(small, 40)
    for case in arguments.cases:
        if case == "cifar":
            compare(case, small, arguments)
            continue
        kind, options = KINDS[case]
        files = []
        for photo in large:
            buffer = io.BytesIO()
            photo.save(buffer, kind, **options)
            files.append(buffer.getvalue())
        compare(case, files, arguments)


main()
