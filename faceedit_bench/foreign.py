"""Checkpoints that other programs wrote, read without executing anything in them."""

from __future__ import annotations

import argparse
import pickletools
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import WrongWeights

WANTED = "a PyTorch file, an .npz of variables or a .safetensors file"
SAFELY = (
    "\nconvert it where you trust it, with the program that wrote it. NVIDIA's StyleGAN2, inside "
    'NVlabs/stylegan2-ada-pytorch:\n  python -c "import pickle, torch; '
    "torch.save(pickle.load(open('FILE.pkl', 'rb'))['G_ema'].state_dict(), 'G_ema.pt')\"\n"
    "any other: load it and save a dictionary of its tensors with torch.save"
)
TENSORFLOW = re.compile(r"\.(index|meta|pb|data-\d+-of-\d+)$")


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file, nested dictionaries flattened: `{"G": {"a.weight": t}}` gives "G.a.weight"."""

    tensors: dict[str, Tensor]  # floating point as float32
    others: tuple[str, ...]  # entries that are no tensors: counters, settings
    converted: dict[str, int]  # precision in the file, where it is not float32 -> number of tensors
    settings: dict[str, Any] = field(default_factory=dict)  # those of `others` that are text, numbers, flags


def read(path: Path) -> Checkpoint:
    """Every tensor of a checkpoint; WrongWeights says what is wrong with any other file."""
    if path.is_dir():
        raise WrongWeights(f"{path}: is a folder; wanted {WANTED}")
    if not path.is_file():
        raise WrongWeights(f"{path}: no such file; wanted {WANTED}")
    if path.stat().st_size == 0:
        raise WrongWeights(f"{path}: is empty; get it again")
    reader = _reader(path)
    entries = dict(_flat(reader(path)))
    tensors = {key: value for key, value in entries.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WrongWeights(f"{path}: holds no named tensors; wanted the weights of a network")
    foreign = [value.dtype for value in tensors.values() if _is_foreign(value)]
    return Checkpoint(
        tensors={key: value.float() if _is_foreign(value) else value for key, value in tensors.items()},
        others=tuple(key for key in entries if key not in tensors),
        converted=dict(Counter(str(dtype).removeprefix("torch.") for dtype in foreign)),
        settings={key: value for key, value in entries.items() if isinstance(value, (str, int, float))},
    )


def _is_foreign(value: Tensor) -> bool:
    return value.is_floating_point() and value.dtype != torch.float32


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, leaf) of nested dictionaries and lists."""
    if isinstance(value, argparse.Namespace):
        value = vars(value)
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, (list, tuple)):
        children = dict(enumerate(value)).items()
    else:
        yield name, value.detach() if isinstance(value, Tensor) else value
        return
    for key, child in children:
        yield from _flat(child, f"{name}.{key}" if name else str(key))


# ---- formats, told by content ---------------------------------------------------------------------


def _reader(path: Path) -> Any:
    """The function that reads files of this kind."""
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(b"PK"):
        return _zip_reader(path)
    if head.startswith(b"\x80"):  # a pickle: PyTorch before 1.6
        return _read_torch
    if head.endswith(b"{") and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return _read_safetensors
    if TENSORFLOW.search(path.name):
        raise WrongWeights(
            f"{path}: part of a TensorFlow checkpoint; make an .npz of its variables first, "
            "docs/importing-weights.md has the three lines that do"
        )
    if _is_old_pickle(path):
        return _read_torch
    raise WrongWeights(f"{path}: not a checkpoint, starts with {head!r}; wanted {WANTED}")


def _is_old_pickle(path: Path) -> bool:
    """Whether it reads as a pickle of protocol 0 or 1, which have no mark at their beginning."""
    with path.open("rb") as file:
        try:
            for _ in islice(pickletools.genops(file), 1000):  # names operations, runs none
                pass
        except ValueError:  # no operation of a pickle, or the file ends before the pickle does
            return False
    return True


def _zip_reader(path: Path) -> Any:
    """PyTorch since 1.6 and NumPy both write zip archives, and downloads often are some."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise WrongWeights(f"{path}: damaged or cut off ({error}); get it again") from None
    if any(member.endswith("/data.pkl") for member in members):
        return _read_torch
    if members and all(member.endswith(".npy") for member in members):
        return _read_npz
    shown = ", ".join(members[:5]) or "nothing"
    raise WrongWeights(f"{path}: a zip archive with {shown}; unpack it and give a file from it")


def _read_torch(path: Path) -> Any:
    """Tensors, containers, numbers and command-line settings: anything else is refused before it is built."""
    import pickle

    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that are refused anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WrongWeights(
            f"{path}: damaged, or holds more than tensors, which is not executed here: {_first(error)}"
            + SAFELY
        ) from None
    except Exception as error:  # whatever a damaged file may raise
        raise WrongWeights(f"{path}: damaged or cut off ({_first(error)}); get it again") from None


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except Exception as error:  # whatever a damaged file may raise
        raise WrongWeights(f"{path}: damaged, or holds Python objects ({_first(error)})") from None
    return {
        key: torch.from_numpy(value) if value.dtype.kind in "fiub" else None for key, value in arrays.items()
    }


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise WrongWeights(f"{path}: not a readable safetensors file: {error}") from None


def _first(error: Exception) -> str:
    """The part of a message that says what was found."""
    text = " ".join(str(error).split())
    _, mark, reason = text.partition("WeightsUnpickler error: ")
    found = re.split(r" Please use| Check the documentation", reason if mark else text)[0]  # not our advice
    return f"{type(error).__name__}: {found[:160]}"
