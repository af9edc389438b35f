"""Weights files -> networks: strictly, every key fits, and nothing in a file is executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import WrongWeights
from .renaming import COUNTER

if TYPE_CHECKING:
    from torch import Tensor, nn


def restore(network: nn.Module, path: Path) -> nn.Module:
    """Fill `network` from a safetensors file; every key must be there, fit, and be wanted."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        raise WrongWeights(
            f"{path}: wanted a .safetensors file, nothing else is read (pickles can run code); "
            "`faceedit-bench weights import` makes one of a checkpoint of a method's released code"
        )
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise WrongWeights(f"{path}: not a readable safetensors file: {error}") from None
    return fill(network, found, str(path), shown=10)


def adopt(
    network: nn.Module, rename: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]], path: Path
) -> nn.Module:
    """Fill `network` from a file of another program: float32 only, every key fits after `rename`, all finite.

    Counters of batch norm may be missing: older programs did not write them and nothing depends on them.
    """
    from .foreign import read

    checkpoint = read(path)
    if checkpoint.converted:
        kinds = ", ".join(f"{count} of {kind}" for kind, count in checkpoint.converted.items())
        raise WrongWeights(
            f"{path}: wanted tensors of float32, found {kinds}; a judge in another precision gives other "
            "numbers: get the original file"
        )
    found = rename(checkpoint.tensors)
    broken = [key for key, value in found.items() if not bool(value.isfinite().all())]
    if broken:
        raise WrongWeights(f"{path}: {len(broken)} tensors hold NaN or infinity, first {broken[0]}")
    counters = {key: value for key, value in network.state_dict().items() if key.endswith(COUNTER)}
    return fill(network, {**counters, **found}, str(path), shown=10)


def fill(network: nn.Module, found: Mapping[str, Tensor], where: str, shown: int | None = None) -> nn.Module:
    """Fill `network` from tensors; what is amiss is listed, at most the first `shown` keys."""
    wanted = network.state_dict()
    mistakes = _mismatches(wanted, found)
    if mistakes:
        listed = "\n  ".join(mistakes[:shown])
        raise WrongWeights(
            f"{where} does not fit {type(network).__name__} ({len(mistakes)} keys):\n  {listed}"
        )
    network.load_state_dict({key: value.to(wanted[key].dtype) for key, value in found.items()})
    return network


def fast(network: nn.Module, device: str, compiles: bool) -> nn.Module:
    """The same network, laid out as the device likes it: channels last on a GPU, compiled if asked."""
    import torch
    from torch import nn

    if torch.device(device).type == "cuda":
        network.to(memory_format=torch.channels_last)
    if compiles:  # a dictionary of networks is never called itself
        for part in network.values() if isinstance(network, nn.ModuleDict) else [network]:
            part.compile()
    return network


def _mismatches(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    missing = [f"missing {key} {tuple(wanted[key].shape)}" for key in wanted if key not in found]
    unknown = [f"unknown {key} {tuple(found[key].shape)}" for key in found if key not in wanted]
    shapes = [
        f"{key}: wanted {tuple(wanted[key].shape)}, found {tuple(found[key].shape)}"
        for key in wanted
        if key in found and wanted[key].shape != found[key].shape
    ]
    return missing + unknown + shapes
