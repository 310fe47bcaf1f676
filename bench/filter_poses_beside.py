"""Filtering and augmenting poses: tessera-pipeline beside BU-CVKit and OptiPose, in CPU seconds.

usage: filter_poses_beside.py --tessera PROGRAM --cvkit FOLDER [--optipose FOLDER] [--frames 100000]
           [--keypoints 23] [--python-frames N] [--samples 2000] [--repeats 3]

The recording is made here: an animal of 23 keypoints at 60 frames a second with noise, jumps and
gaps. Each filter goes over all of it on both sides, with the same parameters; each side's reading and
writing is counted for the chain as a whole: file to Parquet shards with hashes here, file to file
there. BU-CVKit goes over the first N frames only if `--python-frames` says so, and its seconds are
then scaled; its cost of a frame does not depend on their number. Augmentation: windows of 30 frames
with their masks, rigid transforms and noise, from a recording without gaps, again file to file.

FOLDER is a checkout of mahir1010/BU-CVKit (commit 55a556a, which is 0.0.3.2) or of
mahir1010/OptiPose (e0cf9d6); nothing of them is part of this. Needs a Python with what BU-CVKit asks
for: numpy 1.24.2, pandas 1.5.3, scipy 1.10.1, filterpy 1.4.5, PyYAML, opencv-python-headless;
tensorflow and matplotlib, which these parts import and do not use, are not needed.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import numpy as np

RATE = 60.0

# Name, the table of ours, and the same in BU-CVKit; the durations and distances are the same.
FILTERS = [
    ("distance statistics", "kind = \"filter-bone-distances\"\nmean = \"mean.npy\"\ndeviation = \"sd.npy\"\nfactor = 4.0"),
    ("median distance", "kind = \"filter-distance\"\nfarthest = 200.0\nexact = true"),
    ("velocity", "kind = \"filter-velocity\"\nfastest = 2000.0"),
    ("interpolation", "kind = \"interpolate-poses\"\nlongest = \"10 frames\""),
    ("Kalman filter", "kind = \"kalman-poses\"\nexact = true"),
    ("moving average", "kind = \"average-poses\"\nwindow = \"5 frames\"\nexact = true"),
]
# What theirs has no counterpart of, or ours does better by default.
OURS = [
    ("distance statistics, learned", "kind = \"filter-bone-distances\""),
    ("clusters", "kind = \"filter-clusters\""),
    ("Kalman smoother, learned", "kind = \"kalman-poses\""),
]

MASK = """kind = "mask-keypoints"
window = 30
minimum = 20
noise = 1.0
repeats = {repeats}
"""

CVKIT = r'''
import json, sys, time, warnings
warnings.simplefilter("ignore")
csv, folder, names = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
from cvkit.pose_estimation.data_readers import FlattenedDataStore
from cvkit.pose_estimation.processors import filter as filters
from cvkit.pose_estimation.processors.util import ClusterAnalysis
whole = {
    "distance statistics": lambda: filters.DistanceStatisticsFilter(folder + "/mean.npy", folder + "/sd.npy", 0.5, 4.0),
    "median distance": lambda: filters.MedianDistanceFilter(0.6, 200.0),
}
parts = {
    "velocity": lambda part: filters.VelocityFilter(part, 0.6, 60.0, 2000.0),
    "interpolation": lambda part: filters.LinearInterpolationFilter(part, 0.6, 10),
    "Kalman filter": lambda part: filters.KalmanFilter(part, 60.0, True),
    "moving average": lambda part: filters.MovingAverageFilter(part, 5),
}
seconds, clock = {}, time.process_time
for name in list(whole) + list(parts):
    start = clock()
    store = FlattenedDataStore(names, csv)
    seconds["read"] = clock() - start
    if name == "interpolation":
        start = clock()
        ClusterAnalysis().process(store)
        seconds["clusters"] = clock() - start
    start = clock()
    for processor in [whole[name]()] if name in whole else [parts[name](part) for part in names]:
        processor.process(store)
    seconds[name] = clock() - start
    start = clock()
    store.save_file(folder + "/out.csv")
    seconds["write"] = clock() - start
print(json.dumps(seconds))
'''

OPTIPOSE = r'''
import json, sys, time, unittest.mock
csv, folder, names, samples = sys.argv[1], sys.argv[2], sys.argv[3].split(","), int(sys.argv[4])
sys.modules.update({name: unittest.mock.MagicMock() for name in ("tensorflow", "matplotlib", "matplotlib.pyplot")})
from cvkit.pose_estimation.data_readers import FlattenedDataStore
from cvkit.pose_estimation.processors.util import ClusterAnalysis
from OptiPose.model.dataset.generate_dataset import generate_dataset
store = FlattenedDataStore(names, csv)
# where it finds runs of complete frames, which takes longer than all the rest: not counted
ClusterAnalysis().process(store)
start = time.process_time()
generate_dataset(folder, "bench", False, [store], samples, min_seq_length=20, max_seq_length=30,
                 min_x=-3000, max_x=3000, min_y=-3000, max_y=3000)
print("\n" + json.dumps(time.process_time() - start))
'''


def recording(frames, keypoints):
    """An animal that walks about, all of it known."""
    random = np.random.default_rng(1)
    time = np.arange(frames) / RATE
    centre = np.stack([400 * np.sin(time / 7), 300 * np.cos(time / 5), np.full(frames, 30.0)], axis=1)
    body = random.uniform(-60, 60, (keypoints, 3))
    gait = random.uniform(0, 2 * np.pi, (keypoints, 3))
    sway = 5 * np.sin(2 * np.pi * 1.5 * time[:, None, None] + gait)
    return centre[:, None] + body + sway + random.normal(0, 0.5, (frames, keypoints, 3))


def with_faults(points):
    """Jumps in one point of 500, and gaps of 2 to 30 frames that hide one in twelve."""
    random = np.random.default_rng(2)
    points = points.copy()
    frames, keypoints, _ = points.shape
    jumps = random.random((frames, keypoints)) < 0.002
    points[jumps] += random.normal(0, 150, (jumps.sum(), 3))
    for frame, keypoint in np.argwhere(random.random((frames, keypoints)) < 0.005):
        points[frame:frame + random.integers(2, 31), keypoint] = np.nan
    return points


def write_csv(path, points, names):
    header = ",".join(f"{name}_{axis}" for name in names for axis in (1, 2, 3))
    with open(path, "w") as file:
        file.write(header + "\n")
        for row in points.reshape(len(points), -1):
            file.write(",".join("" if value != value else f"{value:.4f}" for value in row) + "\n")


def cpu_of(command, **options):
    """CPU seconds of a command and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{command[:2]}: {done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


class Tessera:
    def __init__(self, program, folder, repeats):
        self.program, self.folder, self.repeats = os.path.abspath(program), folder, repeats

    def run(self, csv, tables):
        """The median of CPU seconds from the file to shards, and the manifest."""
        stages = "".join(f"[[pipeline.stage]]\n{table}\n" for table in tables)
        read = "[[pipeline.stage]]\nkind = \"read-poses\"\nskeleton = \"skeleton.toml\"\n"
        text = f"version = 1\nname = \"bench\"\nseed = 1\n[data]\npaths = [\"{csv}\"]\nlicense = \"unknown\"\n{read}{stages}"
        (self.folder / "config.toml").write_text(text)
        command = [self.program, "run", "config.toml", "--data-dir", "data", "--threads", "1", "--replace"]
        seconds = []
        for _ in range(self.repeats):
            # a dataset that is there already is not made again
            subprocess.run(["rm", "-rf", str(self.folder / "data")], check=True)
            seconds.append(cpu_of(command, cwd=self.folder)[0])
        manifest = json.loads((self.folder / "data/bench/manifest.json").read_text())
        return statistics.median(seconds), manifest


def filters(args, folder, tessera, points, names):
    write_csv(folder / "all.csv", points, names)
    shown = args.python_frames or len(points)
    write_csv(folder / "some.csv", points[:shown], names)
    distances = np.linalg.norm(points[:4000, :, None] - points[:4000, None], axis=-1)
    mean = np.nanmedian(distances, axis=0)
    np.save(folder / "mean.npy", mean)
    np.save(folder / "sd.npy", 1.4826 * np.nanmedian(np.abs(distances - mean), axis=0))

    scale = len(points) / shown
    environment = os.environ | {"PYTHONPATH": os.path.abspath(args.cvkit)}
    command = [sys.executable, "-c", CVKIT, str(folder / "some.csv"), str(folder), ",".join(names)]
    _, printed = cpu_of(command, env=environment)
    theirs = {name: seconds * scale for name, seconds in json.loads(printed.splitlines()[-1]).items()}

    read, _ = tessera.run("all.csv", [])
    print(f"{len(points):,} frames of {len(names)} keypoints; BU-CVKit measured on {shown:,}")
    print(f"{'filter':32} {'tessera':>10} {'BU-CVKit':>10} {'ratio':>8}")
    for name, table in FILTERS + OURS:
        own, _ = tessera.run("all.csv", [table])
        # a hundredth of a second is what two runs differ by
        own = max(own - read, 0.01)
        peer = theirs.get(name)
        compared = f"{peer:9.1f}s {peer / own:7.0f}x" if peer else ""
        print(f"{name:32} {own:9.2f}s {compared}", flush=True)
    chain, manifest = tessera.run("all.csv", [table for _, table in FILTERS])
    peer = sum(theirs.values())
    print(f"{'file, all six, file':32} {chain:9.2f}s {peer:9.1f}s {peer / chain:7.0f}x")
    print(f"  of which reading and writing: {read:.2f}s and {theirs['read'] + theirs['write']:.1f}s")
    for stage in manifest["rows"]["stages"]:
        changes = sum(stage.get("changes", {}).values())
        print(f"  {stage['stage']}: {stage['rows_in']:,} rows in, {changes:,} points changed")


def augmentation(args, folder, tessera, points, names):
    write_csv(folder / "complete.csv", points, names)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, (args.cvkit, args.optipose)))}
    write_csv(folder / "short.csv", points[:5000], names)
    command = [sys.executable, "-c", OPTIPOSE, str(folder / "short.csv"), str(folder), ",".join(names), str(args.samples)]
    _, printed = cpu_of(command, env=environment)
    peer = json.loads(printed.splitlines()[-1]) / args.samples
    read, _ = tessera.run("complete.csv", [])
    total, manifest = tessera.run("complete.csv", [MASK.format(repeats=args.masks)])
    windows = sum(split["rows"] for split in manifest["splits"].values())
    own = total / windows
    print(f"windows of 30 frames: tessera {1e6 * own:.0f} us, all included ({windows:,} windows, {total:.2f}s, of which "
          f"reading and writing the recording takes {read:.2f}s); OptiPose {1e6 * peer:.0f} us ({args.samples:,}, "
          f"reading not included); {peer / own:.0f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", required=True)
    parser.add_argument("--cvkit", required=True)
    parser.add_argument("--optipose")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--keypoints", type=int, default=23)
    parser.add_argument("--python-frames", type=int)
    parser.add_argument("--samples", type=int, default=2000, help="windows that OptiPose makes")
    parser.add_argument("--masks", type=float, default=1.0, help="the key `repeats` of mask-keypoints")
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours, of which the median counts")
    args = parser.parse_args()
    names = [f"part{number}" for number in range(args.keypoints)]
    points = recording(args.frames, args.keypoints)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        card = [f"name = \"bench\"\nunit = \"mm\"\nframes_per_second = {RATE}", f"keypoints = {json.dumps(names)}", "skeleton = []"]
        (folder / "skeleton.toml").write_text("\n".join(card) + "\n")
        tessera = Tessera(args.tessera, folder, args.repeats)
        filters(args, folder, tessera, with_faults(points), names)
        if args.optipose:
            augmentation(args, folder, tessera, points, names)


main()
