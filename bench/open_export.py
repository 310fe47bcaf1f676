"""timm and transformers open what `tessera-train export` wrote, strictly, and say what the run said.

    tessera-train export runs/vit-cifar10 --format timm --output exported/timm
    tessera-train export runs/vit-cifar10 --format huggingface --output exported/huggingface
    python open_export.py runs/vit-cifar10/predictions/test exported/timm [exported/huggingface]

Needs torch==2.11.0 timm==1.0.31 pyarrow pillow safetensors, and transformers for the second folder.
The predictions hold the bytes of some images: timm prepares and classifies them, and its
log-probabilities are compared with ours. Images without loss (PNG) must give the same; decoders of
JPEG round and interpolate colours differently, which leaves as much as a level of noise does.
"""

import io
import sys
from pathlib import Path

import pyarrow.parquet as parquet
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

ROWS = 32


def rows(predictions):
    for shard in sorted(predictions.rglob("*.parquet")):
        for row in parquet.read_table(shard).to_pylist():
            if row["image"] is not None:
                yield Image.open(io.BytesIO(row["image"]["bytes"])), torch.tensor(row["log_probabilities"])


def compare(name, logits, expected, most):
    off = (logits.log_softmax(1) - expected).abs()
    same = (logits.argmax(1) == expected.argmax(1)).float().mean().item()
    print(
        f"{name}: {len(expected)} images, {100 * same:.1f} % the same class, "
        f"log-probabilities off by {off.mean():.1e} in the mean and {off.max():.1e} at most"
    )
    assert same > 0.9 and off.mean() < most


def main():
    predictions, folders = Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]]
    torch.set_num_threads(1)
    images, expected = zip(*[row for row, _ in zip(rows(predictions), range(ROWS))])
    expected = torch.stack(expected)
    most = 1e-4 if all(image.format == "PNG" for image in images) else 0.1
    images = [image.convert("RGB") for image in images]

    model = timm.create_model(f"local-dir:{folders[0]}", pretrained=True).eval()
    weights = load_file(folders[0] / "model.safetensors")
    model.load_state_dict(weights, strict=True)
    prepare = timm.data.create_transform(**timm.data.resolve_data_config({}, model=model), is_training=False)
    pixels = torch.stack([prepare(image) for image in images])
    with torch.no_grad():
        of_timm = model(pixels)
    print(f"timm {timm.__version__}: {sum(p.numel() for p in model.parameters()):,} parameters")
    compare("timm", of_timm, expected, most)

    if len(folders) > 1:
        import transformers

        model, report = transformers.AutoModelForImageClassification.from_pretrained(folders[1], output_loading_info=True)
        wrong = {key: value for key, value in report.items() if value}
        assert not wrong, wrong
        with torch.no_grad():
            logits = model.eval()(pixels).logits
        print(f"transformers {transformers.__version__}: {model.num_parameters():,} parameters, {len(model.config.id2label)} names of classes")
        compare("transformers", logits, expected, most)
        off = (logits - of_timm).abs().max().item()
        print(f"logits of timm and transformers are {off:.1e} apart")
        assert off < 1e-4


if __name__ == "__main__":
    main()
