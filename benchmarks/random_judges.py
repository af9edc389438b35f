"""The judges of photographs with random numbers for weights: as large and as slow as with published ones.

Norms take their statistics from a few smooth pictures, so that answers neither vanish nor explode.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import timm
import torch
import torchvision
from torch import Tensor, nn

from faceedit_bench.catalog import catalog
from faceedit_bench.judges.attribute_network import AttributeJudge
from faceedit_bench.judges.inception import Inception
from faceedit_bench.judges.recognition import irse50
from faceedit_bench.weights import pin_of

NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {  # judge -> its network, and pixels per side
    "inception-2015-tf1": (Inception, 299),
    "inception-2015-classes": (Inception, 299),
    "swav-rn50-800": (lambda: timm.create_model("resnet50", pretrained=False, num_classes=0), 224),
    "attributes-resnet50": (AttributeJudge, 224),
    "arcface-irse50": (irse50, 112),
    "lpips-alex": (lambda: torchvision.models.alexnet(weights=None), 64),
}


def offer(folder: Path, judges: Iterable[str]) -> dict[str, Path]:
    """Write a file for each judge and pin it in this process's catalog; judge -> file."""
    os.environ["FACEEDIT_WEIGHTS"] = str(folder)
    files = {}
    for name in judges:
        spec = catalog().judge(name)
        files[name] = folder / f"random-{spec.pin.file}"
        if not files[name].exists():
            make, side = NETWORKS[name]
            _save(_lively(make(), side), files[name])
        catalog().judges[name] = replace(spec, pin=pin_of(files[name]))
    return files


def smooth_pictures(count: int, side: int, seed: int = 0) -> Tensor:
    """(count, 3, side, side) float32 in [-1, 1]."""
    rough = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return nn.functional.interpolate(rough, (side, side), mode="bicubic").clamp(-1, 1)


@torch.no_grad()
def _lively(network: nn.Module, side: int) -> nn.Module:
    """The network, its norms fitted to smooth pictures."""
    torch.manual_seed(2020)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = None  # the plain mean
    look = network.pool if isinstance(network, Inception) else network
    network.train()
    look(smooth_pictures(4, side))
    return network.eval()


def _save(network: nn.Module, path: Path) -> None:
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path)
