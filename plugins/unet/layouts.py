"""Checkpoints of AttGAN, STGAN and LSTU-Net as their released programs write them.

Port           elvisyjlin/AttGAN-PyTorch, `weights.*.pth`: {"G": state, ...} or a state alone.
TensorFlow 1   LynnHo/AttGAN-Tensorflow before its rewrite, csmliu/STGAN, neuralchen/CooGAN: an .npz of
               variables. Kernels are (height, width, in, out), of transposed convolutions (height, width,
               out, in); both become ours by one permutation, without a flip.
TensorFlow 2   LynnHo/AttGAN-Tensorflow after its rewrite ("v2"): the same under other scopes.

The encoder's slope and batch norm's epsilon are not in a checkpoint; they come with the layout.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from faceedit_bench.api import THIRTEEN, Imported, Names

from .generator import UNet, level_widths

NETWORK = "editor."  # before every key of our weights files
DEEPEST = 10  # layers that the tables reach
NORM = ("weight", "bias", "running_mean", "running_var")
TF_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
STU = ("reset", "update", "hidden")  # the three convolutions of a unit, in the released order
LSTU = ("linear", "forget", "reset")
BY_OBJECT = "/.ATTRIBUTES/VARIABLE_VALUE"  # after every key of TensorFlow's object-based checkpoints
SLOTS = re.compile(r"(^|/)(Adam(_\d+)?|beta[12]_power(_\d+)?)$")  # of TensorFlow's optimizer


# ---- tables: our key -> the file's ----------------------------------------------------------------


def port_names() -> Names:
    table = {}
    for part in ("enc", "dec"):
        for i in range(DEEPEST):
            layer = f"{part}_layers.{i}.layers"
            table |= {f"{part}.{i}.conv.{key}": f"{layer}.0.{key}" for key in ("weight", "bias")}
            table |= {f"{part}.{i}.bn.{key}": f"{layer}.1.{key}" for key in (*NORM, "num_batches_tracked")}
    return Names(
        table,
        plain=lambda key: re.sub(r"^(G\.)?(module\.)?", "", key),
        ignores=lambda key, value: key.startswith(("D.", "optim_G.", "optim_D.")),
    )


def tensorflow_names(scope: str = "", unit: tuple[str, ...] = ()) -> Names:
    """`scope` is what v2 puts before Genc and Gdec; `unit` names the convolutions of a unit, in order."""
    table = {}
    for part, layer in (("enc", f"{scope}Genc/Conv"), ("dec", f"{scope}Gdec/Conv2d_transpose")):
        for i in range(DEEPEST):
            theirs = numbered(layer, i)
            table |= {
                f"{part}.{i}.conv.weight": f"{theirs}/weights",
                f"{part}.{i}.conv.bias": f"{theirs}/biases",
            }
            table |= {
                f"{part}.{i}.bn.{our}": f"{theirs}/BatchNorm/{their}"
                for our, their in zip(NORM, TF_NORM, strict=True)
            }
    for j in range(DEEPEST if unit else 0):
        layers = {"up": numbered("Gstu/Conv2d_transpose", j)}
        layers |= {name: numbered("Gstu/Conv", len(unit) * j + k) for k, name in enumerate(unit)}
        for name, theirs in layers.items():
            table |= {
                f"units.{j}.{name}.weight": f"{theirs}/weights",
                f"units.{j}.{name}.bias": f"{theirs}/biases",
            }
    return Names(
        table,
        plain=variable_name,
        ignores=lambda key, value: (
            key.startswith(("D/", "ConvD/")) or SLOTS.search(key) is not None or value.dim() == 0
        ),
        axes=(3, 2, 0, 1),
    )


def variable_name(key: str) -> str:
    """The variable behind a key; AttGAN's second release has `UNetGenc.SConv.Sweights:0/.ATTRIBUTES/…`."""
    if key.endswith(BY_OBJECT):
        key = key.removesuffix(BY_OBJECT).replace(".S", "/")
    return key.removesuffix(":0")


def numbered(name: str, index: int) -> str:
    """TensorFlow leaves the number of the first layer out: Conv, Conv_1, Conv_2."""
    return f"{name}_{index}" if index else name


# ---- from tensors to a network --------------------------------------------------------------------


def convert(tensors: Mapping[str, Tensor], names: Names, unit: str, **told: Any) -> Imported:
    """A generator's tensors under our names; `told` are the options that only the layout knows."""
    found = names.sort(tensors)
    sizes, attributes = read_sizes(found.found, unit)
    with torch.device("meta"):
        network = UNet(
            attributes=attributes, unit=unit, **{**sizes, "unit_width": sizes.get("unit_width") or None}
        )
    state = found.fitted(network.state_dict())
    return Imported(
        state={f"{NETWORK}{key}": value for key, value in state.items()},
        options={**sizes, **told},
        ignored=found.ignored,
        attributes=attributes,
    )


def read_sizes(found: Mapping[str, Tensor], unit: str) -> tuple[dict[str, int], int]:
    """The sizes of a UNet and its number of attributes, read off shapes.

    Where the tensor that tells is missing the released size stands in, so that a file that lacks one is
    compared with the network it was most likely meant for.
    """

    def channels(key: str, axis: int, otherwise: int) -> int:
        return found[key].shape[axis] if key in found and found[key].dim() == 4 else otherwise

    layers = max(_count(found, "enc"), _count(found, "dec")) or 5
    width = channels("enc.0.conv.weight", 0, 64)
    down = level_widths(width, layers)
    attributes = channels("dec.0.conv.weight", 0, 0) - down[-1]
    if attributes < 1:
        attributes = len(THIRTEEN)
    passed = down[-2::-1] if unit == "none" else _unit_widths(found, layers, channels)
    appended = [  # channels that join the output of each decoder layer: skip feature, attribute planes
        channels(f"dec.{i + 1}.conv.weight", 0, 0) - channels(f"dec.{i}.conv.weight", 1, 0)
        for i in range(layers - 1)
    ]
    skip = min(_count(found, "units"), layers - 1)
    if unit == "none":
        skip = _leading(more - own in (0, attributes) for more, own in zip(appended, passed, strict=True))
    rest = [more - (passed[i] if i < skip else 0) for i, more in enumerate(appended)]
    inject = _leading(more == attributes for more in rest)
    sizes = {"width": width, "layers": layers, "skip": skip, "inject": inject}
    if unit == "stu" and skip:
        base = passed[skip - 1] // 2 ** (layers - 1 - skip)  # from the shallowest unit, the least clamped
        sizes["unit_width"] = 0 if base == width else base
    return sizes, attributes


def _unit_widths(found: Mapping[str, Tensor], layers: int, channels: Any) -> list[int]:
    return [channels(f"units.{j}.up.weight", 1, 0) for j in range(layers - 1)]


def _count(found: Mapping[str, Tensor], part: str) -> int:
    """One more than the highest index of `part`.{i}."""
    return max((int(key.split(".")[1]) + 1 for key in found if key.startswith(f"{part}.")), default=0)


def _leading(claims: Any) -> int:
    """How many are true before the first that is not."""
    count = 0
    for claim in claims:
        if not claim:
            break
        count += 1
    return count
