"""Arrays of a shard's file: those that are equal are written once, long rows are read when they are used.

Several metrics keep the same answers of a judge (fid, kid and precision the same features), and they are
most of what a run stores: 8 KB a picture for 2048 numbers. Which name stands for which others is written in
the entry `same`, JSON of name -> name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .files import write

SAME = "same"  # the entry; metrics' names have a /
LONG = 256  # bytes of a row from which on it stays in the file until it is used


@dataclass(frozen=True)
class InFile:
    """An array (N, ...) that lies in a file; NumPy takes it for an array, and reads it each time."""

    path: Path
    name: str
    rows: np.ndarray  # (N,) which of the file's

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: np.ndarray) -> InFile:
        """Some of the rows, by a mask (N,) or by their places."""
        return replace(self, rows=self.rows[chosen])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        from safetensors import safe_open

        with safe_open(self.path, framework="numpy") as file:
            whole = file.get_tensor(self.name)
        found = whole if len(self.rows) == len(whole) else whole[self.rows]
        return found if dtype is None else found.astype(dtype)


def distinct(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays as they are written: contiguous, of equal ones the first, and which stand for which."""
    written: dict[str, np.ndarray] = {}
    first: dict[tuple[object, ...], str] = {}
    same: dict[str, str] = {}
    for name, array in arrays.items():
        written[name] = np.ascontiguousarray(array)
        if not _is_long(array.shape, array.dtype.itemsize):
            continue
        content = (array.dtype.str, array.shape, hashlib.sha256(written[name].data).digest())
        if first.setdefault(content, name) != name:
            same[name] = first[content]
            del written[name]
    if same:
        written[SAME] = np.frombuffer(json.dumps(same).encode(), np.uint8)
    return written


def save(path: Path, run: str, arrays: Mapping[str, np.ndarray]) -> None:
    """A file of arrays that belongs to `run`, written whole or not at all."""
    from safetensors.numpy import save_file

    written = distinct(arrays)
    write(path, lambda temporary: save_file(written, temporary, metadata={"run": run}))


def read(path: Path, wanted: Callable[[str], bool], *, lazily: bool = False) -> tuple[str, dict[str, Any]]:
    """Whose file it is, and its arrays whose names are wanted; `lazily` those of long rows as InFile."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        stored = set(file.keys())
        same = json.loads(file.get_tensor(SAME).tobytes()) if SAME in stored else {}
        places = {name: name for name in stored - {SAME}} | same
        found: dict[str, Any] = {}
        for name in sorted(filter(wanted, places)):
            part = file.get_slice(places[name])
            shape = part.get_shape()
            if lazily and _is_long(shape, 4):
                found[name] = InFile(path, places[name], np.arange(shape[0]))
            else:
                found[name] = file.get_tensor(places[name])
        return (file.metadata() or {}).get("run", ""), found


def _is_long(shape: Any, itemsize: int) -> bool:
    return len(shape) == 2 and shape[1] * itemsize >= LONG
