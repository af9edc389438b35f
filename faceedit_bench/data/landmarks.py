"""Five points of every face as CelebA lists them: eyes, nose, corners of the mouth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import BadDataset
from .index import first_named, lines_of, no_twice

ALIGNED, IN_THE_WILD = "list_landmarks_align_celeba.txt", "list_landmarks_celeba.txt"
NAMES = tuple(
    f"{part}_{axis}"
    for part in ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
    for axis in ("x", "y")
)
HEAD = 2  # lines before the first face


def read_landmarks(path: Path, files: Sequence[str]) -> np.ndarray:
    """(N, 5, 2) int16: x and y of the points of `files`, in pixels of the picture as it is published.

    Left is the picture's left. The list has a count, ten names, and a line for each face: file, ten numbers.
    """
    lines = lines_of(path)
    rows = lines[HEAD:]
    if not lines[0].strip().isdecimal() or int(lines[0]) != len(rows):
        raise BadDataset(
            f"{path}, line 1: wanted the number of faces, of which {len(rows)} have a line, found "
            f"{lines[0][:60]!r}; the file was cut off or edited, get it again"
        )
    if len(lines) < HEAD or tuple(lines[1].split()) != NAMES:
        raise BadDataset(
            f"{path}, line 2: wanted {' '.join(NAMES)}, found {' '.join(lines[1:2])[:80]!r}; get it again"
        )
    listed = [row.partition(" ")[0] for row in rows]
    no_twice(listed, path, first_line=HEAD + 1)
    place = {file: row for row, file in enumerate(listed)}
    if unknown := [file for file in files if file not in place]:
        raise BadDataset(
            f"{path}: {len(unknown)} pictures of list_attr_celeba.txt are not in it; get both files again:"
            f"\n  {first_named(unknown)}"
        )
    return _points(path, rows)[[place[file] for file in files]]


def _points(path: Path, rows: Sequence[str]) -> np.ndarray:
    """All lines at once; only if something is amiss, line by line to say where."""
    try:
        numbers = np.loadtxt([row.partition(" ")[2] for row in rows], np.int16, comments=None, ndmin=2)
    except ValueError:
        raise _fault(path, rows) from None
    if numbers.shape != (len(rows), len(NAMES)):
        raise _fault(path, rows)
    points = numbers.reshape(-1, 5, 2)
    if not np.ptp(points, axis=1).any(axis=1).all():
        raise _fault(path, rows)
    return points


def _fault(path: Path, rows: Sequence[str]) -> BadDataset:
    """The first line that is amiss."""
    for line, row in enumerate(rows, start=HEAD + 1):
        file, _, rest = row.partition(" ")
        values, where = rest.split(), f"{path}, line {line} ({file})"
        if len(values) != len(NAMES):
            return BadDataset(
                f"{where}: wanted {len(NAMES)} numbers, found {len(values)}; get the file again"
            )
        for name, value in zip(NAMES, values, strict=True):
            if not value.removeprefix("-").isdecimal() or abs(int(value)) > np.iinfo(np.int16).max:
                return BadDataset(
                    f"{where}, column {name}: wanted a place in pixels, found {value!r}; get the file again"
                )
        if len(set(zip(values[::2], values[1::2], strict=True))) == 1:
            return BadDataset(f"{where}: all five points lie at {values[0]}, {values[1]}; get the file again")
    raise AssertionError("either all lines are points of faces or one of them is not")
