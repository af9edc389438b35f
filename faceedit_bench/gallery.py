"""The small fixed set of pictures that every run keeps, and the sheet made of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from .contracts import Samples
from .data.images import write_png
from .sheet import sheet
from .store.files import write
from .store.shards import StoredShard
from .suite import Shard, Suite

Explained = Sequence[tuple[str, np.ndarray]]  # name, (K, 3, H, W) uint8


def write_pictures(
    folder: Path,
    suite: Suite,
    samples: Samples,
    shards: Sequence[Shard],
    stored: Mapping[int, StoredShard],
    unusable: Collection[int] = (),
) -> None:
    """`<sample>/<edit>.png` for the first samples of the suite, and `sheet.png` with a row for each.

    What a method shows of how it edits is `<sample>/<edit>@<name>.png`, and stands under the edits, in rows
    of its own.
    """
    first = {suite.edits[shard.edit].name: stored[shard.number] for shard in shards if shard.start == 0}
    explained: list[Explained] = [list(shard.explained.items()) for shard in first.values()]
    below = max(map(len, explained))  # rows of explanations under each face
    rows, titles = [], []
    for index in range(len(next(iter(first.values())).pictures)):
        if index in unusable:
            continue
        sample = samples[index]
        place = folder / f"{index:02d}"
        place.mkdir(exist_ok=True)
        pictures = {"source": sample.image, **{name: shard.pictures[index] for name, shard in first.items()}}
        pictures |= {
            f"{name}@{what}": picture[index]
            for name, shard in first.items()
            for what, picture in shard.explained.items()
        }
        for name, picture in pictures.items():
            write_png(place / f"{name}.png", picture)
        rows.append([sample.image, *(shard.pictures[index] for shard in first.values())])
        titles.append(sample.id)
        for line in range(below):
            nothing = np.full_like(sample.image, 255)
            shown = [one[line][1][index] if line < len(one) else nothing for one in explained]
            rows.append([nothing, *shown])
            titles.append(_title(explained, line))
    if rows:
        image = sheet(rows, ["source", *first], titles)
        write(folder / "sheet.png", lambda path: image.save(path, format="PNG"))


def _title(explained: Sequence[Explained], line: int) -> str:
    """What the names of a row have in common: `attention` of attention-Bald, attention-Bangs, …"""
    names = sorted({shown[line][0] for shown in explained if line < len(shown)})
    return os.path.commonprefix(names).rstrip("-_") or " / ".join(names)  # noqa: RUF071  (of words)
