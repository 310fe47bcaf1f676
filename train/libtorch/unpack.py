"""Takes the part of a PyTorch wheel that a C++ program needs: headers and five libraries.

usage: unpack.py WHEELS LIBTORCH
"""

import os
import shutil
import sys
import zipfile

LIBRARIES = {
    "torch/lib/libtorch_cpu.so",
    "torch/lib/libc10.so",
    "torch/lib/libgomp.so.1",
    "nvidia/cu13/lib/libcupti.so.13",
    "nvidia/cu13/lib/libcudart.so.13",
}


def main(wheels: str, libtorch: str) -> None:
    missing = set(LIBRARIES)
    for wheel in sorted(os.listdir(wheels)):
        with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
            for name in archive.namelist():
                if name in LIBRARIES:
                    place = os.path.join(libtorch, "lib", os.path.basename(name))
                    missing.discard(name)
                elif name.startswith("torch/include/") and not name.endswith("/"):
                    place = os.path.join(libtorch, name.removeprefix("torch/"))
                else:
                    continue
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with archive.open(name) as source, open(place, "wb") as target:
                    shutil.copyfileobj(source, target)
    if missing:
        sys.exit(f"the wheels lack {', '.join(sorted(missing))}")
    # the linker finds `-ltorch`; the loader needs only what this names
    with open(os.path.join(libtorch, "lib", "libtorch.so"), "w") as script:
        script.write("INPUT(-ltorch_cpu)\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
