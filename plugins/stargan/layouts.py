"""The checkpoint that StarGAN's released program writes, for `faceedit-bench weights import`.

The released weights were saved with running statistics of instance norm. They belong to no picture and the
released test program never used them: they are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from faceedit_bench.api import Imported, Layout, Names, WrongWeights

if TYPE_CHECKING:
    from torch import Tensor

NETWORK = "editor."  # before every key of our weights files
BLOCK = re.compile(r"main\.\d+\.main\.0\.weight")
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def names(blocks: int) -> Names:
    """`main` is one long sequence in which every ReLU has a number."""
    layers = {f"down.{i}": (f"main.{3 * i}", f"main.{3 * i + 1}") for i in range(3)}
    for i in range(blocks):
        block = f"main.{9 + i}.main"
        layers |= {
            f"residual.{i}.first": (f"{block}.0", f"{block}.1"),
            f"residual.{i}.second": (f"{block}.3", f"{block}.4"),
        }
    after = 9 + blocks
    layers |= {f"up.{i}": (f"main.{after + 3 * i}", f"main.{after + 3 * i + 1}") for i in range(2)}
    table = {"last.weight": f"main.{after + 6}.weight"}
    for ours, (conv, norm) in layers.items():
        table |= {
            f"{ours}.conv.weight": f"{conv}.weight",
            f"{ours}.norm.weight": f"{norm}.weight",
            f"{ours}.norm.bias": f"{norm}.bias",
        }
    return Names(
        table,
        plain=lambda key: key.removeprefix("module."),
        ignores=lambda key, value: key.endswith(STATISTICS),
    )


def official(tensors: Mapping[str, Tensor]) -> Imported:
    import torch

    from . import FIVE, Options
    from .model import Generator

    plain = {key.removeprefix("module.") for key in tensors}
    if "conv2.weight" in plain:
        raise WrongWeights("a discriminator, which cannot edit; wanted the generator's file, 200000-G.ckpt")
    blocks = sum(BLOCK.fullmatch(key) is not None for key in plain) or 6
    found = names(blocks).sort(tensors)
    first = found.found.get("down.0.conv.weight")  # (width, 3 + attributes, 7, 7)
    width, attributes = (first.shape[0], first.shape[1] - 3) if first is not None else (64, len(FIVE))
    with torch.device("meta"):
        network = Generator(Options(attributes=("",) * attributes, width=width, blocks=blocks))
    state = found.fitted(network.state_dict())
    return Imported(
        state={f"{NETWORK}{key}": value for key, value in state.items()},
        options={"width": width, "blocks": blocks},
        ignored=found.ignored,
        attributes=attributes,
    )


LAYOUTS = {"official": Layout("StarGAN, 200000-G.ckpt", official, preset="paper")}
