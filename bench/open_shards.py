"""Opens dataset folders with pyarrow, DuckDB, polars and `datasets`; `open-shards` starts it.

For every split the tools must find the rows that `manifest.json` promises and the same first row,
and `datasets` must see the features of the record kind, both from the Parquet files alone and by
the card, which is what `load_dataset(FOLDER)` uses. Images must have the hash that their row names,
and labels the classes of the manifest. Prints a line for each tool and split, and
ends with exit code 1 after any disagreement.
"""

import hashlib
import json
import math
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

# `datasets` reads these when it is imported. A cache that lives as long as this process cannot
# answer with rows of an older dataset in the same folder.
CACHE = tempfile.TemporaryDirectory(prefix="open-shards-")
for name in ("HF_DATASETS_CACHE", "HF_HUB_CACHE", "HF_MODULES_CACHE"):
    os.environ.pop(name, None)
os.environ |= {"HF_HOME": CACHE.name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

import datasets
import duckdb
import polars
import pyarrow
import pyarrow.parquet
import yaml
from datasets import ClassLabel, Features, Image, List, Translation, Value
from PIL.Image import Image as PilImage

datasets.disable_progress_bars()

KINDS = ("text", "tokens", "translation", "image", "caption", "image-tokens", "pose", "predictions", "explanations")


class Disagreement(Exception):
    """What a tool found is not what was promised."""


def demand(condition, message):
    if not condition:
        raise Disagreement(message)


class Report:
    """Prints a line for each check and counts those that failed."""

    def __init__(self):
        self.checks = self.failures = 0

    def line(self, status, *columns):
        dataset, split, tool, detail = columns
        print(f"{status:4}  {dataset}  {split:16}  {tool:15}  {detail}", flush=True)

    def run(self, dataset, split, tool, check):
        """Runs `check`, which returns what to print; whatever it raises is a failure."""
        self.checks += 1
        try:
            self.line("ok", dataset, split, tool, check())
            return True
        except Exception as error:  # The tools have no error type in common.
            self.failures += 1
            text = str(error) if isinstance(error, Disagreement) else f"{type(error).__name__}: {error}"
            cause = error.__cause__
            if cause is not None and not isinstance(error, Disagreement):
                text += f" ({type(cause).__name__}: {cause})"
            self.line("FAIL", dataset, split, tool, " ".join(text.split())[:500])
            return False


# Manifest and files


def read_manifest(folder):
    """The manifest, once its outline is as expected."""
    path = folder / "manifest.json"
    demand(path.is_file(), f"no `{path}`")
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise Disagreement(f"`{path}` is not JSON: {error}") from error
    demand(isinstance(manifest, dict), f"`{path}` is not a JSON object")
    kind = manifest.get("kind")
    demand(kind in KINDS, f"`kind` in `{path}` is `{kind}`, expected one of {', '.join(KINDS)}")
    splits = manifest.get("splits")
    demand(isinstance(splits, dict) and splits, f"`splits` in `{path}` names no split")
    for split, entry in splits.items():
        demand(isinstance(entry, dict), f"split `{split}` in `{path}` is not an object")
        demand(is_count(entry.get("rows")), f"split `{split}` in `{path}` has no number `rows`")
        shards = entry.get("shards")
        demand(isinstance(shards, list), f"split `{split}` in `{path}` has no list `shards`")
        for shard in shards:
            demand(isinstance(shard, dict), f"a shard of split `{split}` in `{path}` is not an object")
            complete = all(isinstance(shard.get(key), str) for key in ("path", "sha256"))
            complete = complete and all(is_count(shard.get(key)) for key in ("rows", "bytes"))
            demand(complete, f"a shard of split `{split}` in `{path}` lacks `path`, `sha256`, `rows` or `bytes`")
    return manifest


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def file_sha256(path):
    demand(path.is_file(), f"no file `{path}`")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_hash(folder, entry):
    path = folder / entry["path"]
    found = file_sha256(path)
    demand(found == entry["sha256"], f"sha256 of `{path}` is `{found}`, the manifest says `{entry['sha256']}`")


def check_files(folder, manifest):
    """Hashes of the files beside the shards, and no shard that the manifest does not name."""
    files = manifest.get("files", [])
    for entry in files:
        named = isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("path", "sha256"))
        demand(named, f"an entry of `files` in the manifest lacks `path` or `sha256`: {entry}")
        check_hash(folder, entry)
    named = {shard["path"] for split in manifest["splits"].values() for shard in split["shards"]}
    strays = sorted({path.relative_to(folder).as_posix() for path in folder.glob("data/**/*.parquet")} - named)
    demand(not strays, f"the manifest does not name `{'`, `'.join(strays)}`, but `datasets` would read it")
    return f"kind {manifest['kind']}, {count_of(len(named), 'shard')}, {count_of(len(files), 'other file')}"


def check_shards(folder, split, entry):
    """Names, sizes, row counts and hashes of a split's shards."""
    count = len(entry["shards"])
    demand(entry["rows"], "a split without rows must not have a shard: `datasets` opens no dataset with such a split")
    for index, shard in enumerate(entry["shards"]):
        expected = f"data/{split}-{index:05}-of-{count:05}.parquet"
        demand(shard["path"] == expected, f"shard {index} is `{shard['path']}`, expected `{expected}`")
        path = folder / expected
        demand(path.is_file(), f"no file `{path}`")
        size = path.stat().st_size
        demand(size == shard["bytes"], f"`{path}` has {size} bytes, the manifest says {shard['bytes']}")
        check_hash(folder, shard)
        rows = pyarrow.parquet.read_metadata(path).num_rows
        demand(rows == shard["rows"], f"`{path}` has {rows} rows, the manifest says {shard['rows']}")
    rows = sum(shard["rows"] for shard in entry["shards"])
    demand(rows == entry["rows"], f"the shards have {rows} rows, the manifest says {entry['rows']} for the split")
    return f"{count_of(rows, 'row')}, {count_of(count, 'shard')}, sha256 as promised"


# One function per tool: each returns rows, column names and the first row


def with_pyarrow(files):
    tables = [pyarrow.parquet.read_table(file) for file in files]
    for file, table in zip(files, tables):
        demand(table.schema.equals(tables[0].schema), f"`{file}` has other columns than `{files[0]}`")
        for field in table.schema:
            demand(not has_wide_type(field.type), f"column `{field.name}` is {field.type}, which not all readers know")
        table.validate(full=True)
    first = next((table.slice(0, 1).to_pylist()[0] for table in tables if table.num_rows), None)
    return sum(table.num_rows for table in tables), tables[0].column_names, first


def has_wide_type(kind):
    """Whether `large_string`, `binary_view` and the like occur in an Arrow type."""
    if re.match(r"(large|string_view|binary_view|list_view)", str(kind)):
        return True
    return any(has_wide_type(kind.field(i).type) for i in range(kind.num_fields))


def with_duckdb(files):
    with duckdb.connect(":memory:") as connection:
        files = [str(file) for file in files]
        rows = connection.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone()[0]
        sample = connection.execute("SELECT * FROM read_parquet(?) USING SAMPLE 5 ROWS", [files]).fetchall()
        demand(len(sample) == min(5, rows), f"a sample of 5 rows out of {rows} has {len(sample)}")
        result = connection.execute("SELECT * FROM read_parquet(?) LIMIT 1", [files])
        columns = [column[0] for column in result.description]
        first = result.fetchone()
    return rows, columns, dict(zip(columns, first)) if first else None


def with_polars(files):
    frame = polars.scan_parquet(files).collect()
    return frame.height, frame.columns, frame.row(0, named=True) if frame.height else None


def with_datasets(table):
    first = table.with_format("arrow")[:1].to_pylist() if table.num_rows else [None]
    return table.num_rows, table.column_names, first[0]


def compare(found, entry, reference):
    """Rows as the manifest says; columns and first row as pyarrow read them."""
    rows, columns, first = found
    demand(rows == entry["rows"], f"{rows} rows, the manifest says {entry['rows']}")
    if reference is not None:
        demand(columns == reference[1], f"columns {columns}, pyarrow reads {reference[1]}")
        for column in columns if reference[2] else []:
            demand(same(first[column], reference[2][column]), f"`{column}` of the first row is not what pyarrow reads")
    return count_of(rows, "row")


def count_of(number, noun):
    return f"{number} {noun}{'' if number == 1 else 's'}"


def same(a, b):
    """Whether two values are equal, with tuples taken for lists and NaN equal to NaN."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return a == b


# Features


def check_metadata(file):
    """That `datasets` heeds the `huggingface` metadata of a Parquet file.

    It drops the feature of a column without a word where the column is not exactly of the Arrow
    type that it would write itself: nullable at every level, `bytes` before `path`.
    """
    schema = pyarrow.parquet.read_schema(file)
    metadata = (schema.metadata or {}).get(b"huggingface")
    if metadata is None:
        return
    promised = Features.from_dict(json.loads(metadata)["info"]["features"])
    found = Features.from_arrow_schema(schema)
    for column, feature in promised.items():
        demand(column in found, f"the metadata of `{file}` names column `{column}`, which is not there")
        expected = promised.arrow_schema.field(column)
        demand(
            found[column] == feature,
            f"`datasets` ignores the metadata of `{column}`: it is {in_full(schema.field(column))}, "
            f"not {in_full(expected)}",
        )


def in_full(field):
    """An Arrow field in words that tell whether nulls are allowed at every level."""
    kind = field.type
    inner = [in_full(kind.field(i)) for i in range(kind.num_fields)]
    name = f"{type(kind).__name__.removesuffix('Type').lower()}<{', '.join(inner)}>" if inner else str(kind)
    return f"{field.name}: {name}{'' if field.nullable else ' not null'}"


def check_features(kind, table):
    """The features that a kind promises, and that values can be decoded. Returns them in short."""
    features = table.features
    for column, is_right, expected in promises(kind, features):
        demand(column in features, f"no column `{column}`, which kind `{kind}` promises")
        demand(is_right(features[column]), f"`{column}` is {features[column]}, expected {expected}")
    rows = sorted({0, table.num_rows // 2, table.num_rows - 1}) if table.num_rows else []
    for row in rows:
        try:
            values = table[row]
        except Exception as error:  # Whatever a decoder raises.
            raise Disagreement(f"row {row} cannot be decoded: {type(error).__name__}: {error}") from error
        for column, feature in features.items():
            check_value(column, feature, values[column], row)
    return ", ".join(f"{column}: {describe(features[column])}" for column, _, _ in promises(kind, features))


def promises(kind, features):
    """Columns of a kind, each with a test of its feature and that test in words."""
    image = ("image", lambda f: isinstance(f, Image) and f.decode, "Image")
    caption = ("caption", is_string, "a string")
    is_ids = "a list of uint16 or uint32"
    columns = {
        "text": [("text", is_string, "a string")],
        "tokens": [("input_ids", is_token_list, is_ids)],
        "translation": [("translation", lambda f: isinstance(f, Translation), "Translation")],
        "image": [image],
        "caption": [image, caption],
        "image-tokens": [("vq_ids", is_token_list, is_ids)],
        "pose": [("keypoints", is_keypoints, "a list of lists of 3 float32")],
    }.get(kind, [])
    if "label" in features and (kind == "image" or not is_string(features["label"])):
        columns.append(("label", lambda f: isinstance(f, ClassLabel) and f.names, "ClassLabel with names"))
    return columns


def is_string(feature):
    return isinstance(feature, Value) and feature.dtype == "string"


def is_token_list(feature):
    return isinstance(feature, List) and feature.feature in (Value("uint16"), Value("uint32"))


def is_keypoints(feature):
    point = feature.feature if isinstance(feature, List) else None
    return isinstance(point, List) and point.length == 3 and point.feature == Value("float32")


def check_value(column, feature, value, row):
    if value is None:
        return
    if isinstance(feature, Image):
        demand(isinstance(value, PilImage), f"`{column}` of row {row} is no image but {type(value).__name__}")
        value.load()
    elif isinstance(feature, ClassLabel):
        names = len(feature.names)
        demand(0 <= value < names, f"`{column}` of row {row} is {value}, there are {names} names")
    elif isinstance(feature, Translation):
        texts = [value.get(language) for language in feature.languages]
        demand(all(isinstance(text, str) for text in texts), f"`{column}` of row {row} lacks one of {feature.languages}")


def check_images(files, table, classes):
    """That the engines reach into the images, find each as it was hashed, and agree on the classes."""
    names = table.features["label"].names if "label" in table.column_names else None
    demand(names == classes, f"the names of the labels are {names}, the manifest has {classes}")
    files = [str(file) for file in files]
    with duckdb.connect(":memory:") as connection:
        hashed = "left(sha256(image.bytes), 16) = content_hash"
        query = f"SELECT count(*), count(*) FILTER ({hashed}) FROM read_parquet(?)"
        rows, whole = connection.execute(query, [files]).fetchone()
        demand(rows == whole, f"{rows - whole} of {rows} images are not what their `content_hash` says")
        if names is None:
            return f"{rows} images as they were hashed"
        by_duckdb = connection.execute("SELECT label, count(*) FROM read_parquet(?) GROUP BY label", [files]).fetchall()
    frame = polars.scan_parquet(files).filter(polars.col("image").struct.field("bytes").bin.size() > 0)
    by_polars = frame.group_by("label").len().collect().rows()
    by_datasets = Counter(table.with_format("arrow")[:]["label"].to_pylist())
    demand(dict(by_duckdb) == dict(by_polars) == dict(by_datasets), "the tools count the classes differently")
    return f"{rows} images as they were hashed, {len(by_datasets)} of {len(names)} classes"


def describe(feature):
    if isinstance(feature, Value):
        return feature.dtype
    if isinstance(feature, ClassLabel):
        return f"ClassLabel of {len(feature.names)}"
    if isinstance(feature, Translation):
        return f"Translation {'-'.join(feature.languages)}"
    if isinstance(feature, List):
        return f"{describe(feature.feature)}[{feature.length if feature.length >= 0 else ''}]"
    return type(feature).__name__


# The card


def check_card(folder, manifest):
    """That README.md has front matter, and that its row counts are those of the manifest."""
    path = folder / "README.md"
    if manifest["kind"] in ("predictions", "explanations") and not path.exists():
        return "none, and none is due inside a run"
    demand(path.is_file(), f"no `{path}`")
    lines = path.read_text(encoding="utf-8").splitlines()
    demand(lines and lines[0] == "---" and "---" in lines[1:], f"`{path}` has no YAML front matter")
    try:
        card = yaml.safe_load("\n".join(lines[1 : lines.index("---", 1)]))
    except yaml.YAMLError as error:
        raise Disagreement(f"the front matter of `{path}` is not YAML: {error}") from error
    demand(isinstance(card, dict), f"the front matter of `{path}` is not a table of keys")
    useful = "configs" in card or "dataset_info" in card
    demand(useful, f"the front matter of `{path}` has neither `configs` nor `dataset_info`")
    info = card.get("dataset_info") or {}
    for split in info.get("splits", []) if isinstance(info, dict) else []:
        name, rows = split.get("name"), split.get("num_examples")
        demand(name in manifest["splits"], f"the card names split `{name}`, the manifest does not")
        promised = manifest["splits"][name]["rows"]
        demand(rows == promised, f"the card gives split `{name}` {rows} rows, the manifest {promised}")
    return f"front matter has {', '.join(card)}"


def compare_features(by_card, from_files):
    """That the card and the files tell of the same columns."""
    for column in by_card | from_files:
        a, b = by_card.get(column), from_files.get(column)
        demand(a == b, f"`{column}` is {a} by the card, {b} by the files")


def open_dataset(name, report):
    """Runs every check on the dataset folder of this name."""
    folder = Path(name).resolve()
    manifest = None

    def load_manifest():
        nonlocal manifest
        manifest = read_manifest(folder)
        return check_files(folder, manifest)

    report.run(name, "-", "manifest", load_manifest)
    if manifest is None:
        return
    report.run(name, "-", "card", lambda: check_card(folder, manifest))

    splits, from_files = {}, {}
    for split, entry in manifest["splits"].items():
        if not entry["rows"] and not entry["shards"]:
            report.line("skip", name, split, "manifest", "no rows, nothing to open")
            continue
        splits[split] = entry
        if report.run(name, split, "manifest", lambda: check_shards(folder, split, entry)):
            files = [folder / shard["path"] for shard in entry["shards"]]
            from_files[split] = table = open_split(name, split, entry, files, manifest["kind"], report)
            if manifest["kind"] in ("image", "caption") and table is not None:
                classes = manifest["details"].get("classes")
                report.run(name, split, "images", lambda: check_images(files, table, classes))

    by_card = None

    def load_card():
        nonlocal by_card
        by_card = datasets.load_dataset(str(folder))
        demand(set(by_card) == set(splits), f"splits {sorted(by_card)}, the manifest has {sorted(splits)}")
        return f"splits {', '.join(by_card)}"

    report.run(name, "-", "datasets, card", load_card)
    for split in [split for split in splits if by_card and split in by_card]:

        def check():
            found = compare(with_datasets(by_card[split]), splits[split], None)
            if from_files.get(split) is not None:
                compare_features(by_card[split].features, from_files[split].features)
            return ", ".join(filter(None, [found, check_features(manifest["kind"], by_card[split])]))

        report.run(name, split, "datasets, card", check)


def open_split(name, split, entry, files, kind, report):
    """Runs the four tools on a split's files; returns what `datasets` made of them."""
    reference = table = None

    def check_pyarrow():
        nonlocal reference
        reference = with_pyarrow(files)
        return compare(reference, entry, None)

    def check_datasets():
        nonlocal table
        paths = {split: [str(file) for file in files]}
        table = datasets.load_dataset("parquet", data_files=paths)[split]
        found = compare(with_datasets(table), entry, reference)
        for file in files:
            check_metadata(file)
        return ", ".join(filter(None, [found, check_features(kind, table)]))

    report.run(name, split, "pyarrow", check_pyarrow)
    report.run(name, split, "duckdb", lambda: compare(with_duckdb(files), entry, reference))
    report.run(name, split, "polars", lambda: compare(with_polars(files), entry, reference))
    report.run(name, split, "datasets, files", check_datasets)
    return table


def main():
    tools = {module.__name__: module.__version__ for module in (datasets, duckdb, polars, pyarrow)}
    print(", ".join(f"{tool} {version}" for tool, version in tools.items()))
    report = Report()
    for folder in sys.argv[1:]:
        open_dataset(folder, report)
    if report.failures:
        print(f"error: {report.failures} of {report.checks} checks failed", file=sys.stderr)
        return 1
    print(f"all {report.checks} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
