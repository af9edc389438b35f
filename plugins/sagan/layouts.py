"""The checkpoints of a third party's PyTorch code (elvisyjlin/SpatialAttentionGAN), one file per attribute.

Nothing in a file tells its attribute, so each attribute is a layout of its own. The last layer is a
transposed convolution of stride 1 there: the same as ours with the kernel turned by half a turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from faceedit_bench.api import Imported, Layout, Names, WrongWeights

if TYPE_CHECKING:
    from torch import Tensor

ATTRIBUTES = ("Eyeglasses", "Mouth_Slightly_Open", "No_Beard", "Smiling")
BLOCK = re.compile(r"AMN\.resblk\.\d+\.layers\.0\.weight")
HALVES = ("AMN", "SAN")
LAST = "deconv.9.weight"  # the transposed convolution


def names(blocks: int) -> Names:
    """Every ReLU and norm has a number there; instance norm has no tensors."""
    layers = {f"down.{i}.conv": f"conv.{3 * i}" for i in range(4)}
    layers |= {f"up.{i}.conv": f"deconv.{3 * i}" for i in range(3)} | {"last": "deconv.9"}
    norms = {}
    for i in range(blocks):
        block, there = f"residual.{i}", f"resblk.{i}.layers"
        layers |= {f"{block}.first": f"{there}.0", f"{block}.second": f"{there}.3"}
        norms |= {f"{block}.first_norm": f"{there}.1", f"{block}.second_norm": f"{there}.4"}
    parts = ("weight", "bias")
    table = {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in layers.items() for part in parts}
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    table |= {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in norms.items() for part in parts}
    return Names(
        {f"{half.lower()}.{ours}": f"{half}.{theirs}" for half in HALVES for ours, theirs in table.items()},
        plain=lambda key: key.removeprefix("module."),
        ignores=lambda key, value: False,
    )


def third_party(tensors: Mapping[str, Tensor], attribute: str) -> Imported:
    import torch

    from . import Options
    from .model import Generator

    plain = {key.removeprefix("module.") for key in tensors}
    if "cls.0.weight" in plain:
        raise WrongWeights("a discriminator, which cannot edit; wanted the generator's file, 1000000.G.pth")
    blocks = sum(BLOCK.fullmatch(key) is not None for key in plain) or 4
    found = names(blocks).sort({key: as_convolution(key, value) for key, value in tensors.items()})
    first = found.found.get("amn.down.0.conv.weight")  # (width, 4, 7, 7)
    options = {"width": 32 if first is None else first.shape[0], "blocks": blocks, "res_norm": "bn"}
    with torch.device("meta"):
        network = Generator(Options(**options))
    state = found.fitted(network.state_dict())
    return Imported(
        state={f"{attribute}.{key}": value for key, value in state.items()},
        options={"attributes": [attribute], **options},
    )


def as_convolution(key: str, kernel: Tensor) -> Tensor:
    """(in, out, 7, 7) of the last, transposed convolution -> (out, in, 7, 7) of an equal plain one."""
    if not key.endswith(LAST) or kernel.dim() != 4:
        return kernel
    return kernel.flip(2, 3).transpose(0, 1)


LAYOUTS = {
    attribute.lower(): Layout(
        f"elvisyjlin/SpatialAttentionGAN, celeba_128_{attribute.lower()}",
        partial(third_party, attribute=attribute),
        preset="release",
    )
    for attribute in ATTRIBUTES
}
