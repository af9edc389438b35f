"""Photographs of a data set as Samples: read when asked for, cropped and resized by the set's rule."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..contracts import Sample, Samples
from ..errors import BadImage
from .images import read_image
from .index import Index, first_named, folder_given
from .masks import mask_files, read_regions

Reader = Callable[[Path], Index]


class Photographs:
    """Some rows of an index at one resolution (contracts.Samples)."""

    def __init__(self, index: Index, rows: np.ndarray, resolution: int) -> None:
        self.index, self.rows, self.resolution = index, rows, resolution
        self.attributes = index.attributes

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> Sample:
        return read_sample(self.index, int(self.rows[position]), self.resolution)

    def digest(self) -> str:
        """sha256 over the cropping rule, ids, labels and files, in order; reads every file once."""
        from ..progress import bar

        files = [files_of(self.index, int(row)) for row in self.rows]
        with (
            bar(f"reading {self.index.name} for its digest", len(files)) as advance,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            hashes = []
            for found in pool.map(sound_hash, files):
                hashes.append(found)
                advance(1)
        broken = [str(found) for found in hashes if isinstance(found, BadImage)]
        if broken:
            raise BadImage(
                f"{len(broken)} of {len(files)} pictures cannot be read; get them again, or pack the data "
                f"set without them (faceedit-bench data pack --skip-bad):\n  {first_named(broken)}"
            )
        ids = [self.index.ids[row] for row in self.rows]
        return digest_of(
            self.index.frame.rule, ids, self.index.labels[self.rows], [str(one) for one in hashes]
        )


def open_photographs(
    read: Reader, name: str, root: Path | None, split: str, resolution: int, count: int
) -> Samples:
    """A split of the data set below `root`, or of a pack of it that `faceedit-bench data pack` made."""
    from . import packed

    folder = folder_given(root, name)
    if packed.is_pack(folder):
        return packed.open_pack(folder, name, split, resolution, count)
    index = read(folder)
    return Photographs(index, index.rows(split, count), resolution)


# ---- one face ---------------------------------------------------------------------------------------


def read_sample(index: Index, row: int, resolution: int) -> Sample:
    """One face, cropped and resized, with its parts where the data set has them."""
    path = index.path(row)
    return Sample(
        id=index.ids[row],
        image=index.frame.cut(read_image(path), resolution, str(path)),
        labels=index.labels[row],
        identity=None if index.identities is None else index.identities[row],
        regions=None
        if index.masks is None
        else index.frame.cut_regions(read_regions(index.masks, int(index.ids[row])), resolution),
    )


def files_of(index: Index, row: int) -> list[Path]:
    """The files that make a face: its picture, then its masks."""
    masks = [] if index.masks is None else mask_files(index.masks, int(index.ids[row]))
    return [index.path(row), *masks]


def sound_hash(files: Sequence[Path]) -> str | BadImage:
    """sha256 of the files of a face, or why one of them is no whole picture."""
    total = hashlib.sha256()
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            return BadImage(f"{path}: {error.strerror}")
        if not _ends_well(content):
            try:
                read_image(path)
            except BadImage as error:
                return error
        total.update(content)
    return total.hexdigest()


def _ends_well(content: bytes) -> bool:
    """A JPEG or PNG that ends with its end mark was not cut off; others are decoded to see."""
    return (content[:2] == b"\xff\xd8" and content[-2:] == b"\xff\xd9") or (
        content[:4] == b"\x89PNG" and b"IEND" in content[-12:]
    )


def digest_of(rule: str, ids: Sequence[str], labels: np.ndarray, hashes: Sequence[str]) -> str:
    """What makes two copies of a data set the same: how it is cut, who is in it, and the files' content."""
    total = hashlib.sha256(rule.encode() + b"\0")
    for one, row, content in zip(ids, np.ascontiguousarray(labels), hashes, strict=True):
        total.update(one.encode() + b"\0" + row.tobytes() + content.encode())
    return total.hexdigest()


# ---- the data sets, by name -------------------------------------------------------------------------


def reader(name: str) -> Reader:
    """What reads the index of a built-in data set of photographs."""
    from . import celeba, celebahq, ffhq, lfw, tables
    from .frame import CENTRE_178, OFFSET_170

    readers: dict[str, Reader] = {
        "celeba": functools.partial(celeba.read_celeba, name=name, frame=CENTRE_178),
        "celeba-170": functools.partial(celeba.read_celeba, name=name, frame=OFFSET_170),
        "celebahq": functools.partial(celebahq.read_celebahq, name=name, with_masks=False),
        "celebamask-hq": functools.partial(celebahq.read_celebahq, name=name, with_masks=True),
        "lfw": functools.partial(lfw.read_lfw, name=name),
        "ffhq": functools.partial(ffhq.read_ffhq, name=name),
        "folder-csv": functools.partial(tables.read_folder_csv, name=name),
        "imagefolder": functools.partial(tables.read_imagefolder, name=name),
    }
    return readers[name]
