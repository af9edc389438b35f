"""Checkpoints of the two StyleGAN2 programs in PyTorch, under our names.

rosinality's files hold `g_ema` and, where converted from NVIDIA's, `latent_avg`; its training files lack the
average, which is then computed. NVIDIA's are pickles of whole objects and are never read: of their contents,
saved as a plain state dictionary, every tensor has its place. Kernels are not flipped.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from faceedit_bench.api import Names, WrongWeights

from .generator import Generator, StyleGAN2
from .layers import blur_kernel
from .sizes import Sizes

NETWORK = "stylegan2."  # before every key of our weights files
AVERAGE = f"{NETWORK}latent_avg"
LARGEST = 9  # doublings after 4 px: 2048
MOST_MAPPING = 64  # layers of a mapping network
OTHERS = ("g.", "d.", "g_optim.", "d_optim.", "G.", "D.")  # other networks and optimizers in the files
MEAN_SEED = 0

Tensors = Mapping[str, Tensor]
Place = tuple[str, int]  # key, axis


@dataclass(frozen=True)
class Found:
    """A generator of a checkpoint."""

    state: dict[str, Tensor]  # of StyleGAN2, keys `stylegan2.*`
    sizes: Sizes
    ignored: tuple[str, ...]


# ---- rosinality -----------------------------------------------------------------------------------


def rosinality(tensors: Tensors) -> Found:
    plain = {plain_key(key): value for key, value in tensors.items()}
    sizes = rosinality_sizes(plain, "")
    names = Names(
        rosinality_table(sizes, "", has_average="latent_avg" in plain),
        plain=plain_key,
        ignores=lambda key, value: key.startswith(OTHERS),
    )
    found = names.sort(tensors)
    wanted = {key: value for key, value in shapes(sizes).items() if key in names.table}
    if AVERAGE in wanted:
        wanted[AVERAGE] = average_like(found.found.get(AVERAGE), sizes)
    state = found.fitted(wanted)
    return Found(with_average(state, sizes), sizes, found.ignored)


def plain_key(key: str) -> str:
    return key.removeprefix("g_ema.").removeprefix("module.")


def rosinality_table(sizes: Sizes, prefix: str, *, has_average: bool) -> dict[str, str]:
    """Our key -> the file's, whose generator keys begin with `prefix`."""
    generator = f"{NETWORK}generator."
    table = {key: f"{prefix}{key.removeprefix(generator)}" for key in shapes(sizes) if key != AVERAGE}
    return table | ({AVERAGE: "latent_avg"} if has_average else {})


def rosinality_sizes(plain: Tensors, prefix: str) -> Sizes:
    """As shapes tell them, each by whichever of several tensors is there."""
    tell = functools.partial(_told, plain, prefix)
    doublings = max(_last(plain, rf"{re.escape(prefix)}to_rgbs\.(\d+)\.", LARGEST - 1) + 1, 1)
    channels = [tell(("input.input", 1), ("conv1.activate.bias", 0), ("conv1.conv.weight", 1))]
    for j in range(doublings):
        first, second = f"convs.{2 * j}", f"convs.{2 * j + 1}"
        channels.append(
            tell((f"{first}.activate.bias", 0), (f"{second}.activate.bias", 0), (f"{first}.conv.weight", 1))
        )
    w_dim = tell(("style.1.weight", 1), ("conv1.conv.modulation.weight", 1), ("style.1.bias", 0))
    n_mlp = max(_last(plain, rf"{re.escape(prefix)}style\.(\d+)\.", MOST_MAPPING), 1)
    return Sizes(4 << doublings, tuple(channels), w_dim, n_mlp)


def average_like(found: Tensor | None, sizes: Sizes) -> Tensor:
    """The shape an average may have: one code, or one for each layer."""
    shape = (sizes.w_dim,) if found is None or found.dim() == 1 else (sizes.n_latent, sizes.w_dim)
    return torch.empty(shape, device="meta")


def with_average(state: Mapping[str, Tensor], sizes: Sizes) -> dict[str, Tensor]:
    """The state with an average for each code; computed from 10,000 mapped z where there is none."""
    average = state.get(AVERAGE)
    if average is None:
        average = mean_code(state, sizes)
    return {**state, AVERAGE: average.expand(sizes.n_latent, sizes.w_dim)}


def mean_code(state: Tensors, sizes: Sizes) -> Tensor:
    """(w_dim,) from the mapping network of a state."""
    with torch.device("meta"):
        generator = Generator(sizes)
    prefix = f"{NETWORK}generator."
    own = {key.removeprefix(prefix): value for key, value in state.items()}
    generator.load_state_dict(own, assign=True)
    return generator.mean_code(torch.Generator().manual_seed(MEAN_SEED))


# ---- NVIDIA-ADA -----------------------------------------------------------------------------------


def nvidia(tensors: Tensors) -> Found:
    plain = {nvidia_key(key): value for key, value in tensors.items()}
    sizes = nvidia_sizes(plain)
    names = Names(
        nvidia_table(sizes),
        plain=nvidia_key,
        ignores=lambda key, value: key.startswith(OTHERS) or key.endswith("resample_filter"),
    )
    found = names.sort(tensors)
    ours = shapes(sizes)
    theirs = {key: torch.empty(nvidia_shape(key, ours[key]), device="meta") for key in names.table}
    fitted = found.fitted(theirs)
    state = {
        key: value if key == AVERAGE else value.reshape(ours[key].shape) for key, value in fitted.items()
    }
    for key in ours:  # NVIDIA keeps one filter, rosinality one kernel per layer, with its gain
        if key.endswith(".kernel"):
            state[key] = blur_kernel(4.0)
    return Found(with_average(state, sizes), sizes, found.ignored)


def nvidia_key(key: str) -> str:
    return key.removeprefix("G_ema.").removeprefix("module.")


def nvidia_table(sizes: Sizes) -> dict[str, str]:
    generator = f"{NETWORK}generator."
    table = {AVERAGE: "mapping.w_avg", f"{generator}input.input": "synthesis.b4.const"}
    for i in range(sizes.n_mlp):
        for part in ("weight", "bias"):
            table[f"{generator}style.{i + 1}.{part}"] = f"mapping.fc{i}.{part}"
    layers = {"conv1": "b4.conv1"}
    rgbs = {"to_rgb1": "b4.torgb"}
    for j, side in enumerate(sizes.resolutions[1:]):
        layers |= {f"convs.{2 * j}": f"b{side}.conv0", f"convs.{2 * j + 1}": f"b{side}.conv1"}
        rgbs[f"to_rgbs.{j}"] = f"b{side}.torgb"
    for number, (ours, theirs) in enumerate(layers.items()):
        parts = {"activate.bias": "bias", "noise.weight": "noise_strength"}
        table |= {f"{generator}{ours}.{a}": f"synthesis.{theirs}.{b}" for a, b in parts.items()}
        table[f"{generator}noises.noise_{number}"] = f"synthesis.{theirs}.noise_const"
    for ours, theirs in (layers | rgbs).items():
        parts = {"weight": "weight", "modulation.weight": "affine.weight", "modulation.bias": "affine.bias"}
        table |= {f"{generator}{ours}.conv.{a}": f"synthesis.{theirs}.{b}" for a, b in parts.items()}
    return table | {f"{generator}{a}.bias": f"synthesis.{b}.bias" for a, b in rgbs.items()}


def nvidia_shape(key: str, ours: Tensor) -> tuple[int, ...]:
    """The shape that NVIDIA's tensor has: without the axes of one that rosinality adds."""
    shape = tuple(ours.shape)
    if key == AVERAGE:
        return shape[1:]
    if key.endswith("noise.weight"):
        return ()
    if ".noises." in key:
        return shape[2:]
    if re.search(r"to_rgb(1|s\.\d+)\.bias$", key):
        return (3,)
    return shape[1:] if key.endswith(("input.input", "conv.weight")) else shape


def nvidia_sizes(plain: Tensors) -> Sizes:
    tell = functools.partial(_told, plain, "")
    sides = [int(found[1]) for key in plain if (found := re.match(r"synthesis\.b(\d+)\.", key))]
    doublings = max(max(sides, default=8).bit_length() - 3, 1)
    if doublings > LARGEST or any(side & (side - 1) for side in sides):
        raise WrongWeights(f"no StyleGAN2: blocks of {max(sides)} px; wanted powers of two up to 2048")
    channels = [
        tell((f"synthesis.b{side}.conv1.bias", 0), (f"synthesis.b{side}.conv1.weight", 0))
        for side in (4 << j for j in range(doublings + 1))
    ]
    w_dim = tell(("mapping.fc0.weight", 1), ("mapping.w_avg", 0), ("mapping.fc0.bias", 0))
    n_mlp = max(_last(plain, r"mapping\.fc(\d+)\.", MOST_MAPPING) + 1, 1)
    return Sizes(4 << doublings, tuple(channels), w_dim, n_mlp)


# ---- reading shapes -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def shapes(sizes: Sizes) -> dict[str, Tensor]:
    """Every key of a weights file's generator, without memory."""
    with torch.device("meta"):
        return {f"{NETWORK}{key}": value for key, value in StyleGAN2(sizes).state_dict().items()}


def _told(plain: Tensors, prefix: str, *places: Place) -> int:
    """The first of several lengths that the file has; 1 if none."""
    for key, axis in places:
        value = plain.get(f"{prefix}{key}")
        if value is not None and value.dim() > axis:
            return max(int(value.shape[axis]), 1)
    return 1


def _last(plain: Tensors, pattern: str, most: int) -> int:
    """The highest number of something numbered; −1 if there is none."""
    last = max((int(found[1]) for key in plain if (found := re.match(pattern, key))), default=-1)
    if last > most:
        raise WrongWeights(f"no StyleGAN2: a layer is numbered {last}, wanted at most {most}")
    return last
