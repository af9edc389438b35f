"""Packed pictures: uint8 arrays in plain .npy files, memory-mapped, with a digest of their content.

A pack is made in a temporary folder and renamed when whole, so a reader never sees half of one.
"""

from __future__ import annotations

import errno
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

MOVE_CACHE = "move the cache with FACEEDIT_CACHE"
"""What a person can do about a pack that the toolkit made where it keeps things."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
    make_folder(folder.parent, MOVE_CACHE)
    check_room(folder.parent, sum(int(np.prod(shape)) for shape in shapes.values()), MOVE_CACHE)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        arrays = {name: zeros(temporary / f"{name}.npy", shape, MOVE_CACHE) for name, shape in shapes.items()}
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


def make_folder(folder: Path, remedy: str) -> None:
    """The folder that packs are written into; BadDataset where it cannot be."""
    try:
        folders.make(folder)
    except OSError as error:
        raise BadDataset(f"{folder}: no pack can be written there ({error.strerror}); {remedy}") from None


def check_room(folder: Path, wanted: int, remedy: str) -> None:
    """Refuse to start what the disk cannot hold."""
    free = shutil.disk_usage(folder).free
    if free < wanted * 1.1:
        raise BadDataset(
            f"{folder}: wanted {wanted / 2**20:,.1f} MiB of free disk for the pack, found "
            f"{free / 2**20:,.1f} MiB; make room, or {remedy}"
        )


def zeros(path: Path, shape: tuple[int, ...], remedy: str) -> np.memmap:
    """A mapped array of uint8 that has its room on the disk: writing into one without it, when the disk has
    become full, ends the process with a signal."""
    try:
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        _take_room(path)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno not in _FULL:
            raise
        raise BadDataset(
            f"{path}: wanted {int(np.prod(shape)) / 2**20:,.1f} MiB for it ({error.strerror}); make room, or "
            f"{remedy}"
        ) from None
    return array


def _take_room(path: Path) -> None:
    """Of the file's length, where the system and its disk can; macOS cannot."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
