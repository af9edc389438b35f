"""Packed pictures: uint8 arrays in plain .npy files, memory-mapped, with a digest of their content.

A pack is made in a temporary folder and renamed when whole, so a reader never sees half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from .. import folders
from ..errors import BadDataset

Arrays = Mapping[str, np.ndarray]


def read(folder: Path) -> dict[str, np.ndarray]:
    """Memory-mapped arrays by name."""
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}


def digest(folder: Path) -> str:
    """sha256 over names and content of the arrays, checked against what was recorded at packing."""
    recorded = json.loads((folder / "pack.json").read_text())["digest"]
    found = _digest(read(folder))
    if found != recorded:
        raise BadDataset(
            f"{folder}: wanted content {recorded[:16]}, found {found[:16]}; delete this folder, it is remade"
        )
    return found


def make(
    folder: Path,
    shapes: Mapping[str, tuple[int, ...]],
    parts: Iterable[tuple[slice, Arrays]],
    progress: Callable[[int], None],
) -> None:
    """Fill arrays of `shapes` (uint8) from `parts` as they come, and put the pack in place."""
    make_folder(folder.parent)
    check_room(folder.parent, sum(int(np.prod(shape)) for shape in shapes.values()))
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        arrays = {
            name: np.lib.format.open_memmap(temporary / f"{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
            for name, shape in shapes.items()
        }
        for place, part in parts:
            for name, values in part.items():
                arrays[name][place] = values
            progress(place.stop - place.start)
        for array in arrays.values():
            array.flush()
        (temporary / "pack.json").write_text(json.dumps({"digest": _digest(arrays)}))
        if not folder.exists():
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _digest(arrays: Arrays) -> str:
    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].shape}".encode())
        total.update(np.ascontiguousarray(arrays[name]).data)
    return total.hexdigest()


def make_folder(folder: Path) -> None:
    """The folder that packs are written into; BadDataset where it cannot be."""
    try:
        folders.make(folder)
    except OSError as error:
        raise BadDataset(
            f"{folder}: no pack can be written there ({error.strerror}); choose another folder, "
            "for the cache with FACEEDIT_CACHE"
        ) from None


def check_room(folder: Path, wanted: int) -> None:
    """Refuse to start what the disk cannot hold."""
    free = shutil.disk_usage(folder).free
    if free < wanted * 1.1:
        raise BadDataset(
            f"{folder}: wanted {wanted >> 20} MiB of free disk for the pack, found {free >> 20} MiB; "
            "make room, or move the cache with FACEEDIT_CACHE"
        )
