"""The embedded data set `drawn-faces`: people drawn from numbers, packed once in the user's cache folder.

Splits are disjoint ranges of identity seeds. The test split also packs the truth of every single flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from .. import folders
from ..contracts import Sample
from ..errors import BadDataset, UnknownName
from ..suite import THIRTEEN, target_labels
from . import drawn, pack
from .workers import over_spans

FIRST_SEED = {"train": 1_000_000, "validation": 2_000_000, "test": 3_000_000}
DEFAULT_COUNT = {"train": 4000, "validation": 500, "test": 1000}
MOST = 1_000_000  # identities in a split
CONFLICTS = "drawn"
CHUNK = 10  # identities a worker draws at a time
FEW = 50  # identities below which starting workers costs more than it saves


class DrawnFaces:
    """A packed range of drawn people (contracts.Samples)."""

    attributes: tuple[str, ...] = THIRTEEN

    def __init__(self, folder: Path, split: str, resolution: int) -> None:
        self.folder, self.resolution = folder, resolution
        self.first = FIRST_SEED[split]
        arrays = pack.read(folder)
        self.images = arrays["images"]  # (N, 3, H, W) uint8
        self.labels = arrays["labels"]  # (N, A) uint8
        self.regions = arrays["regions"]  # (N, H, W) uint8
        self.truths = arrays.get("truths")  # (N, A, 3, H, W) uint8: one flip each, under the conflict rule

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        name = str(self.first + index)
        return Sample(
            name,
            self.images[index],
            self.labels[index],
            identity=name,
            regions=self.regions[index],
            landmarks=self.landmarks[index],
        )

    @cached_property
    def landmarks(self) -> np.ndarray:
        """(N, 5, 2) float32: where eyes, nose and mouth were drawn."""
        seeds = range(self.first, self.first + len(self))
        return drawn.five_points(seeds, torch.from_numpy(np.array(self.labels)), self.resolution).numpy()

    def digest(self) -> str:
        return pack.digest(self.folder)

    def truth(self, index: int, target: Sequence[int]) -> np.ndarray:
        """(3, H, W) uint8: the same person with exactly the labels `target`."""
        labels = [int(value) for value in self.labels[index]]
        if list(target) == labels:
            return self.images[index]
        if self.truths is not None:
            for column, flipped in enumerate(_single_flips(labels)):
                if flipped == list(target):
                    return self.truths[index, column]
        return _draw([self.first + index], [list(target)], self.resolution)[0][0]


def open_drawn(root: Path | None, split: str, resolution: int, count: int) -> DrawnFaces:
    """The first `count` people of a split (0: its usual number), drawn now if the cache lacks them."""
    if root is not None:
        raise BadDataset(f"drawn-faces is embedded and reads no folder; leave {root} out")
    if split not in FIRST_SEED:
        raise UnknownName("split of drawn-faces", split, FIRST_SEED)
    count = count or DEFAULT_COUNT[split]
    if not 1 <= count <= MOST or resolution < 16:
        raise BadDataset(
            f"drawn-faces: wanted 1 to {MOST} faces of at least 16 px, found {count} of {resolution} px"
        )
    folder = folders.cache() / "drawn-faces" / f"v{drawn.VERSION}-{split}-{resolution}px-{count}"
    if not folder.exists():
        _fill(folder, split, resolution, count)
    return DrawnFaces(folder, split, resolution)


def _fill(folder: Path, split: str, size: int, count: int) -> None:
    """Draw a range of people with all cores, with a progress bar."""
    from ..progress import bar

    with_truths = split == "test"
    shapes: dict[str, tuple[int, ...]] = {
        "images": (count, 3, size, size),
        "labels": (count, len(THIRTEEN)),
        "regions": (count, size, size),
    }
    if with_truths:
        shapes["truths"] = (count, len(THIRTEEN), 3, size, size)
    asked = FIRST_SEED[split], size, with_truths
    with bar(f"drawing {split} faces at {size} px", count) as advance:
        parts = over_spans(_draw_part, asked, count, CHUNK, few=FEW)
        pack.make(folder, shapes, parts, advance)


def _draw_part(asked: tuple[int, int, bool], start: int, stop: int) -> tuple[slice, pack.Arrays]:
    """People [start, stop) of a split, with their truths if asked."""
    first, size, with_truths = asked
    torch.set_num_threads(1)
    seeds = list(range(first + start, first + stop))
    labels = drawn.labels(seeds).tolist()
    images, regions = _draw(seeds, labels, size)
    arrays = {"images": images, "regions": regions, "labels": np.array(labels, np.uint8)}
    if with_truths:
        pictures = [
            _draw([seed] * len(THIRTEEN), _single_flips(row), size)[0]
            for seed, row in zip(seeds, labels, strict=True)
        ]
        arrays["truths"] = np.stack(pictures)
    return slice(start, stop), arrays


def _single_flips(labels: Sequence[int]) -> list[list[int]]:
    return [target_labels(labels, (name,), THIRTEEN, CONFLICTS)[0] for name in THIRTEEN]


def _draw(seeds: list[int], labels: list[list[int]], size: int) -> tuple[np.ndarray, np.ndarray]:
    drawing = drawn.draw(seeds, torch.tensor(labels, dtype=torch.uint8), size)
    return drawing.images.numpy(), drawing.regions.numpy()
