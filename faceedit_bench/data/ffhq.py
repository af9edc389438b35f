"""FFHQ (Karras et al., 2019): 70,000 faces of 1024 pixels, or their 128-pixel thumbnails; no labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BadDataset
from .frame import WHOLE
from .index import Index, one_of, pictures_below

PUBLISHED = 70_000
TRAIN = 60_000  # the last 10,000 are the validation split
PICTURES = ("images1024x1024", "ffhq/images1024x1024")
THUMBNAILS = ("thumbnails128x128", "ffhq/thumbnails128x128")


def read_ffhq(root: Path, *, name: str) -> Index:
    """All of FFHQ below `root`: the large pictures where they are there, else the thumbnails."""
    folder = root if root.name in (PICTURES[0], THUMBNAILS[0]) else _pictures(root, name)
    files: dict[int, str] = {}
    for file in sorted(pictures_below(folder)):
        stem = Path(file).stem
        if not stem.isdecimal():
            raise BadDataset(
                f"{folder / file}: wanted a numbered picture such as 00000/00000.png; move it away"
            )
        if int(stem) in files:
            raise BadDataset(f"{folder}: {files[int(stem)]} and {file} are both face {int(stem)}; keep one")
        files[int(stem)] = file
    if not files:
        raise BadDataset(f"{folder}: no pictures in it; wanted 00000/00000.png and so on (data where ffhq)")
    numbers = np.array(sorted(files))
    return Index(
        name=name,
        root=root,
        folder=folder,
        ids=tuple(f"{number:05d}" for number in numbers),
        files=tuple(files[number] for number in numbers),
        attributes=(),
        labels=np.zeros((len(numbers), 0), np.uint8),
        splits={"train": np.flatnonzero(numbers < TRAIN), "validation": np.flatnonzero(numbers >= TRAIN)},
        frame=WHOLE,
        published=PUBLISHED,
        notes=(f"pictures of {folder.name}",),
    )


def _pictures(root: Path, name: str) -> Path:
    return one_of(root, (*PICTURES, *THUMBNAILS), "folder of pictures", name)
