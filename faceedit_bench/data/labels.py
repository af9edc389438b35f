"""Label lists as CelebA writes them: a count, the names, then a line per face: file, 40 values in {−1, 1}."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import BadDataset
from .attributes import FORTY
from .index import lines_of, no_twice

HEAD = 2  # lines before the first face
BLOCK = 4096  # lines taken apart at a time


def read_labels(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """File names (N), attribute names (A) and labels (N, A) uint8 in {0, 1}; errors name line and column."""
    lines = lines_of(path)
    names = _names(path, lines)
    rows = lines[HEAD:]
    if int(lines[0]) != len(rows):
        raise BadDataset(
            f"{path}, line 1: says {int(lines[0])} faces, found {len(rows)} lines of labels; "
            "the file was cut off or edited, get it again"
        )
    files = tuple(row.partition(" ")[0] for row in rows)
    no_twice(files, path, first_line=HEAD + 1)
    return files, names, _values(path, rows, names)


def _names(path: Path, lines: Sequence[str]) -> tuple[str, ...]:
    if not lines[0].strip().isdecimal():
        raise BadDataset(
            f"{path}, line 1: wanted the number of faces, found {lines[0][:60]!r}; "
            "this is not the list as CelebA publishes it; get the file again"
        )
    names = tuple(lines[1].split()) if len(lines) > 1 else ()
    lacking = sorted(set(FORTY) - set(names))
    unknown = sorted(set(names) - set(FORTY))
    if lacking or unknown or len(names) != len(FORTY):
        faults = [f"lacks {', '.join(lacking[:5])}"] * bool(lacking)
        faults += [f"has {', '.join(unknown[:5])}"] * bool(unknown)
        raise BadDataset(
            f"{path}, line 2: wanted CelebA's {len(FORTY)} attribute names, found {len(names)}"
            + "".join(f"; it {fault}" for fault in faults)
            + "; get the file again"
        )
    return names


def _values(path: Path, rows: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Many lines at once; only if something is amiss, line by line to say where."""
    values = np.empty((len(rows), len(names)), np.uint8)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        words = " ".join(row.partition(" ")[2] for row in part).split()
        if len(words) != len(part) * len(names) or not set(words) <= {"1", "-1"}:
            raise _fault(path, rows, names)
        flat = np.fromiter(map("1".__eq__, words), np.uint8, len(words))
        values[start : start + len(part)] = flat.reshape(len(part), len(names))
    return values


def _fault(path: Path, rows: Sequence[str], names: Sequence[str]) -> BadDataset:
    """The first line that is amiss."""
    for line, row in enumerate(rows, start=HEAD + 1):
        file, _, rest = row.partition(" ")
        values = rest.split()
        if len(values) != len(names):
            return BadDataset(
                f"{path}, line {line} ({file}): wanted {len(names)} labels, found {len(values)}; "
                "get the file again"
            )
        for name, value in zip(names, values, strict=True):
            if value not in ("1", "-1"):
                return BadDataset(
                    f"{path}, line {line} ({file}), column {name}: wanted 1 or -1, found {value!r}; "
                    "get the file again"
                )
    raise AssertionError("either all values are labels or one of them is not")
