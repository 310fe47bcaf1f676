"""Times the training step of an image classifier of timm in eager PyTorch: the peer of `tessera-train`'s `vit` and `convnext`.

    python -m venv venv
    venv/bin/pip install torch==2.11.0 timm==1.0.31
    venv/bin/python bench/image_step.py --config configs/vision/vit-cifar10.toml

The model is built by timm's classes from the config's `[train.model]`; batch size, AdamW, clipping and label smoothing
are the config's too. Where timm cannot say a shape (a stem of 2 x 2 without a further halving before the first stage, or
three stages), timm's own ConvNeXt is built with four stages and a stem of 4 x 4, and stem and stages are exchanged.

A step takes a batch of random images that lies ready, goes forward and backward, clips the gradients, and takes one step of
fused AdamW. Decoding and augmentation are not in it, although they are in tessera-train's. ConvNeXt runs with the channels last
unless `--no-channels-last`. Prints one line of JSON; building the model and `--warmup` steps stay out of the timing. CPU time is
that of all threads of the process, so on a busy machine it is the number to compare.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
import tomllib


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, help="instead of the config's")
    parser.add_argument("--channels-last", action=argparse.BooleanOptionalAction, default=True, help="for ConvNeXt")
    parser.add_argument("--fused", action=argparse.BooleanOptionalAction, default=True, help="fused AdamW")
    parser.add_argument("--steps", type=int, default=60, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=5, help="steps before, not timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1337)
    return parser.parse_args()


settings = parse_arguments()
# OpenMP reads this when torch is loaded.
os.environ["OMP_NUM_THREADS"] = str(settings.threads)

import timm
import torch
from timm.models.convnext import ConvNeXt
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional as F

PRESETS_VIT = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16), "huge": (1280, 32, 16)}


def vit(model):
    width, layers, heads = PRESETS_VIT.get(model.get("preset"), (None, None, None))
    width, layers, heads = model.get("width", width), model.get("layers", layers), model.get("heads", heads)
    pool = model.get("global_pool", "token")
    return VisionTransformer(
        img_size=model["image_size"], patch_size=model["patch_size"], num_classes=settings.classes, embed_dim=width, depth=layers,
        num_heads=heads, mlp_ratio=model.get("feed_forward", 4 * width) / width, global_pool=pool,
        class_token=model.get("class_token", pool == "token"), drop_path_rate=model.get("stochastic_depth", 0.0),
        pos_drop_rate=model.get("dropout", 0.0), proj_drop_rate=model.get("dropout", 0.0),
        attn_drop_rate=model.get("attention_dropout", 0.0), drop_rate=model.get("head_dropout", 0.0),
    )


def convnext(model):
    if "preset" in model:
        sys.exit("a config with `preset` names no `depths` and `dims`")
    depths, dims = list(model["depths"]), list(model["dims"])
    stages, patch = len(dims), model.get("patch_size", 4)
    strides = model.get("strides", [1, 2, 2, 2][:stages])
    if stages > 4 or strides != [1, 2, 2, 2][:stages]:
        sys.exit(f"timm has no ConvNeXt with the strides {strides}")
    built = ConvNeXt(
        num_classes=settings.classes, depths=depths + [0] * (4 - stages), dims=dims + dims[-1:] * (4 - stages),
        kernel_sizes=model.get("kernel_size", 7), ls_init_value=model.get("layer_scale", 1e-6) or None,
        conv_mlp=model.get("conv_mlp", False), drop_path_rate=model.get("stochastic_depth", 0.0),
        drop_rate=model.get("head_dropout", 0.0),
    )
    if patch != 4:
        built.stem[0] = nn.Conv2d(3, dims[0], patch, patch)
    built.stages = built.stages[:stages]
    return built


def main():
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    with open(settings.config, "rb") as file:
        train = tomllib.load(file)["train"]
    described, optimizer = train["model"], train.get("optimizer", {})
    family = described["kind"]
    model = {"vit": vit, "convnext": convnext}[family](described).train()
    last = family == "convnext" and settings.channels_last
    layout = torch.channels_last if last else torch.contiguous_format
    model = model.to(memory_format=layout)
    decay = [p for p in model.parameters() if p.dim() > 1]
    keep = [p for p in model.parameters() if p.dim() <= 1]
    adam = torch.optim.AdamW(
        [{"params": decay}, {"params": keep, "weight_decay": 0.0}], lr=optimizer.get("learning_rate", 1e-3),
        betas=tuple(optimizer.get("betas", (0.9, 0.999))), weight_decay=optimizer.get("weight_decay", 0.1), fused=settings.fused or None,
    )
    clip = optimizer.get("clip", 0.0)
    batch, size = settings.batch or train["batch"], described["image_size"]
    images = torch.randn(batch, 3, size, size).contiguous(memory_format=layout)
    labels = torch.randint(settings.classes, (batch,))

    def step():
        adam.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(images), labels, label_smoothing=described.get("label_smoothing", 0.0))
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        adam.step()
        return loss.detach()

    for _ in range(settings.warmup):
        step()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(settings.steps):
        loss = step()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    print(json.dumps({
        "milliseconds_per_step_cpu": round(1000 * cpu / settings.steps, 3),
        "milliseconds_per_step_wall": round(1000 * wall / settings.steps, 3),
        "images_per_step": batch,
        "peak_rss_mb": round(peak, 1),
        "loss": round(loss.item(), 6),
        "parameters": sum(p.numel() for p in model.parameters()),
        "torch": torch.__version__,
        "timm": timm.__version__,
        "python": platform.python_version(),
        "settings": vars(settings),
    }))


if __name__ == "__main__":
    main()
