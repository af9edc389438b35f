"""Moves in W+: InterfaceGAN's directions, GANSpace's principal components, and those of the weights file.

    linear      W+ ← W+ + a · step · d                                     (InterfaceGAN, TPAMI 2020)
    principal   W+ ← W+ + (a · σ − c) · std · v,  c = (w₀ − mean) · v / std   (GANSpace, NeurIPS 2020)

a is what is asked: strength times change of the attribute, +1 to switch it on, −1 off. In GANSpace's absolute
mode σ is a place on the component's axis, so the code's own place c, read from code 0, is taken off first; in
mode "increment" c is 0. Nothing in a file is executed.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from faceedit_bench.api import BadConfig, WrongWeights

from .direction_file import Entry, read

SAFELY = (
    "nothing in it is executed here. Where you trust it, make a plain file of it: "
    """python -c "import torch; d = torch.load('FILE', weights_only=False, map_location='cpu'); """
    """torch.save(torch.as_tensor(d), 'direction.pt')" (.npy: numpy.load with allow_pickle=True)"""
)


class Move(Protocol):
    """Codes (B, n_latent, w_dim) and amounts (B,) -> codes."""

    def __call__(self, codes: Tensor, amounts: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Linear:
    """A direction for each code, zero where it does not apply."""

    direction: Tensor  # (n_latent, w_dim)
    step: float  # α at amount 1

    def __call__(self, codes: Tensor, amounts: Tensor) -> Tensor:
        return codes + amounts[:, None, None] * self.step * self.direction.to(codes)


@dataclass(frozen=True)
class Principal:
    """A principal component of w, applied to some codes."""

    mean: Tensor  # (w_dim,)
    component: Tensor  # (w_dim,), of length 1
    std: float
    sigma: float  # standard deviations at amount 1
    layers: tuple[int, int]
    is_absolute: bool = True

    def __call__(self, codes: Tensor, amounts: Tensor) -> Tensor:
        component, mean = self.component.to(codes), self.mean.to(codes)
        shift = amounts * self.sigma  # (B,) in standard deviations
        if self.is_absolute:
            shift = torch.where(amounts == 0, 0.0, shift - (codes[:, 0] - mean) @ component / self.std)
        first, end = self.layers
        mask = torch.zeros(codes.shape[1], 1).to(codes)
        mask[first:end] = 1
        return codes + shift[:, None, None] * self.std * component * mask


def moves(path: Path, *, n_latent: int, w_dim: int, step: float) -> dict[str, Move]:
    """Attribute -> move, of a directions file; `step` is for linear ones that have none."""
    return {name: _move(entry, n_latent, w_dim, step) for name, entry in read(path).items()}


def _move(entry: Entry, n_latent: int, w_dim: int, step: float) -> Move:
    first, end = entry.layers or (0, n_latent)
    if end > n_latent:
        raise BadConfig(f"{entry.file}: layers {first} to {end}, but this generator has {n_latent} codes")
    if entry.component is not None:
        return _principal(entry, w_dim, (first, end))
    direction = _fitting(load_array(entry.file), entry.file, n_latent, w_dim).clone()
    direction[:first], direction[end:] = 0, 0
    return Linear(direction, step if entry.step is None else float(entry.step))


def _fitting(found: Any, path: Path, n_latent: int, w_dim: int) -> Tensor:
    """(D,), (1, D), (n, D) or (1, n, D) -> (n_latent, w_dim)."""
    if not isinstance(found, Tensor):
        raise WrongWeights(
            f"{path}: holds {_content(found)}; wanted one array of {w_dim} numbers, or with component = N "
            "GANSpace's dictionary"
        )
    if found.dim() == 3 and found.shape[0] == 1:
        found = found[0]
    if found.dim() == 1:
        found = found[None]
    if found.dim() != 2:
        raise WrongWeights(
            f"{path}: of shape {tuple(found.shape)}; "
            f"wanted ({w_dim},), (1, {w_dim}) or (1, {n_latent}, {w_dim})"
        )
    if found.shape[1] != w_dim:
        raise WrongWeights(
            f"{path}: a direction of {found.shape[1]} numbers, for another latent space: codes of this "
            f"generator have {w_dim}; use directions that were found on it"
        )
    if found.shape[0] not in (1, n_latent):
        raise WrongWeights(
            f"{path}: a direction for {found.shape[0]} codes, this generator has {n_latent}: it was found on "
            "one of another resolution"
        )
    if not bool(found.isfinite().all()):
        raise WrongWeights(f"{path}: holds NaN or infinity")
    return found.float().expand(n_latent, w_dim)


def _principal(entry: Entry, w_dim: int, layers: tuple[int, int]) -> Principal:
    found, path, number = load_array(entry.file), entry.file, entry.component
    parts = ("mean", "comp", "std")
    if not isinstance(found, Mapping) or not all(isinstance(found.get(part), Tensor) for part in parts):
        raise WrongWeights(
            f"{path}: holds {_content(found)}; wanted GANSpace's dictionary of {', '.join(parts)}"
        )
    mean, comp, std = (found[part].float() for part in parts)
    if mean.numel() != w_dim or comp.numel() != len(std.flatten()) * w_dim:
        raise WrongWeights(
            f"{path}: components of {mean.numel()} numbers, for another latent space: codes of this "
            f"generator have {w_dim}"
        )
    comp = comp.reshape(-1, w_dim)
    if number is None or not 0 <= number < len(comp):
        raise BadConfig(f"{path}: has components 0 to {len(comp) - 1}, found component = {number}")
    place = float(std.flatten()[number])
    return Principal(
        mean.flatten(), comp[number], place, float(entry.sigma), layers, entry.mode == "absolute"
    )


# ---- files ----------------------------------------------------------------------------------------


def load_array(path: Path) -> Any:
    """What a .pt or .npy file holds: a tensor, or a dictionary of tensors."""
    if not path.is_file():
        raise WrongWeights(f"{path}: no such file; wanted a direction, .pt or .npy")
    if path.suffix == ".npy":
        return _load_npy(path)
    if path.suffix in (".pt", ".pth"):
        return _load_torch(path)
    raise WrongWeights(f"{path}: wanted a .pt or .npy file; nothing else is read")


def _load_npy(path: Path) -> Tensor:
    try:
        array = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise WrongWeights(f"{path}: damaged, or holds Python objects ({error}); {SAFELY}") from None
    except Exception as error:  # whatever a damaged file may raise
        raise WrongWeights(f"{path}: damaged or cut off ({error}); get it again") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise WrongWeights(f"{path}: holds no numbers; wanted one array")
    return torch.from_numpy(array.astype(np.float32))


def _load_torch(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that are refused anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise WrongWeights(f"{path}: damaged, or holds more than tensors; {SAFELY}") from None
    except Exception as error:  # whatever a damaged file may raise
        raise WrongWeights(f"{path}: damaged or cut off ({error}); get it again") from None


def _content(found: Any) -> str:
    if isinstance(found, Tensor):
        return f"one array of shape {tuple(found.shape)}"
    if isinstance(found, Mapping):
        return f"a dictionary of {', '.join(map(str, list(found)[:5])) or 'nothing'}"
    return f"a {type(found).__name__}"
