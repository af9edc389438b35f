"""The small fixed set of pictures that every run keeps, and the sheet made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .contracts import Samples
from .data.images import write_png
from .sheet import sheet
from .store.folder import write
from .suite import Shard, Suite


def write_pictures(
    folder: Path, suite: Suite, samples: Samples, shards: Sequence[Shard], pictures: Mapping[int, np.ndarray]
) -> None:
    """`<sample>/<edit>.png` for the first samples of the suite, and `sheet.png` with a row for each."""
    kept: dict[str, np.ndarray] = {
        suite.edits[shard.edit].name: pictures[shard.number] for shard in shards if shard.start == 0
    }
    count = len(next(iter(kept.values())))
    rows, titles = [], []
    for index in range(count):
        sample = samples[index]
        row = [sample.image, *(edits[index] for edits in kept.values())]
        for name, picture in zip(["source", *kept], row, strict=True):
            place = folder / f"{index:02d}"
            place.mkdir(exist_ok=True)
            write_png(place / f"{name}.png", picture)
        rows.append(row)
        titles.append(sample.id)
    image = sheet(rows, ["source", *kept], titles)
    write(folder / "sheet.png", lambda path: image.save(path, format="PNG"))
