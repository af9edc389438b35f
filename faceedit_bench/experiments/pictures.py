"""The experiment's pictures on disk, in parts that are written whole: a killed preparation goes on.

work/<set>/0003.npy    (n, V, 3, S, S) uint8: pictures in V versions
work/<set>/0003.json   who and what they show, row by row
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..contracts import DatasetSpec, Samples
from ..errors import BadDataset, ResultsError
from ..store.files import read_json, write, write_json

PART = 200  # pictures


@dataclass(frozen=True)
class Source:
    """A data set as a worker opens it. `spec` travels by its name."""

    dataset: str
    split: str
    root: Path | None
    resolution: int
    count: int

    @property
    def where(self) -> str:
        return f"{self.dataset} {self.split}"


def spec_of(name: str) -> DatasetSpec:
    """`drawn-people`, which belongs to the experiments, or a data set of the catalog."""
    from ..catalog import catalog
    from . import drawn_people

    return drawn_people.SPEC if name == drawn_people.NAME else catalog().dataset(name)


@functools.lru_cache(maxsize=4)
def opened(source: Source) -> Samples:
    """The data set; what it says about its folder, it says with the option that names it here."""
    spec = spec_of(source.dataset)
    try:
        samples = spec.open(source.root, source.split, source.resolution, source.count)
    except BadDataset as error:
        if source.root is not None:
            raise
        raise BadDataset(
            f"give the folder of {source.dataset} with --root {source.dataset}=DIR ({error})"
        ) from None
    if len(samples) == 0 or samples[0].identity is None:
        raise BadDataset(
            f"{source.where}: does not say who is who; verification wants people. drawn-people, celeba with "
            "identity_CelebA.txt, and lfw do, and so may a data set of your own (Sample.identity)"
        )
    return samples


class Pictures:
    """One set of the experiment, all parts of it (memory maps)."""

    def __init__(self, folder: Path, where: str) -> None:
        self.where = where
        self.parts = [np.load(path, mmap_mode="r") for path in sorted(folder.glob("[0-9]*.npy"))]
        rows = [row for path in sorted(folder.glob("[0-9]*.json")) for row in read_json(path)["rows"]]
        if len(rows) != sum(len(part) for part in self.parts):
            raise ResultsError(f"{folder}: pictures and rows do not match; delete this folder and run again")
        self.ids = [row["id"] for row in rows]
        self.people = [row["person"] for row in rows]
        self.labels = np.array([row["labels"] for row in rows], np.uint8)  # (N, A)
        self.without = {key: why for path in sorted(folder.glob("*.json")) for key, why in _without(path)}

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int] | np.ndarray, versions: Sequence[int] | np.ndarray) -> Tensor:
        """(B, 3, S, S) uint8: pictures `rows`, each in one of its versions."""
        chosen = [
            self.parts[row // PART][row % PART, version] for row, version in zip(rows, versions, strict=True)
        ]
        return torch.from_numpy(np.stack(chosen))

    def rates(self, known: Sequence[str], attributes: Sequence[str]) -> dict[str, float]:
        """Share of the pictures that show each attribute."""
        return {
            name: float(self.labels[:, list(known).index(name)].mean())
            for name in attributes
            if name in known
        }


def _without(path: Path) -> list[tuple[str, str]]:
    return list(read_json(path)["without"].items())


# ---- writing --------------------------------------------------------------------------------------


def spans(count: int) -> list[range]:
    """Positions of each part."""
    return [range(start, min(start + PART, count)) for start in range(0, count, PART)]


def missing(folder: Path, count: int) -> list[int]:
    """Numbers of the parts that are not there yet."""
    return [number for number in range(len(spans(count))) if not (folder / f"{number:04d}.npy").exists()]


def put(
    folder: Path, number: int, images: np.ndarray, rows: list[dict[str, Any]], without: dict[str, str]
) -> None:
    """Store a part: who they are first, pictures last; the pictures' presence means the part is done."""
    write_json(folder / f"{number:04d}.json", {"rows": rows, "without": without})
    write(folder / f"{number:04d}.npy", lambda path: _save(path, images))


def _save(path: Path, images: np.ndarray) -> None:
    with path.open("wb") as file:  # np.save would add a suffix to the name
        np.save(file, images)
