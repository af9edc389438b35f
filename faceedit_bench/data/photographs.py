"""Photographs of a data set as Samples: read when asked for, cropped and resized by the set's rule."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..contracts import Sample, Samples
from ..errors import BadImage
from .images import decoder, read_image
from .index import Index, first_named, folder_given, without_folder
from .masks import mask_files, read_regions

Reader = Callable[[Path], Index]


class Photographs:
    """Some faces of a split at one resolution, read when they are asked for (contracts.Samples)."""

    def __init__(
        self,
        index: Index,
        split: str,
        resolution: int,
        count: int = 0,
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        self.index, self.split, self.resolution, self.count = index, split, resolution, count
        self.attributes, self.decoder = index.attributes, decoder()
        self.left_out = dict(left_out or {})  # id -> why it cannot be used
        rows = index.rows(split, count)
        self.rows = np.array([row for row in rows.tolist() if index.ids[row] not in self.left_out], np.int64)
        self.ids = [index.ids[row] for row in self.rows.tolist()]
        self._hashes: list[str] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: int) -> Sample:
        return read_sample(self.index, int(self.rows[position]), self.resolution)

    @property
    def labels(self) -> np.ndarray:
        """(N, A) uint8."""
        return self.index.labels[self.rows]

    @property
    def landmarks(self) -> np.ndarray | None:
        """(N, 5, 2) float32 in pixels of the pictures as they are given; None where they are not known."""
        points = self.index.landmarks
        return None if points is None else self.index.frame.cut_points(points[self.rows], self.resolution)

    def picture(self, position: int) -> np.ndarray:
        """(3, S, S) uint8."""
        return read_picture(self.index, int(self.rows[position]), self.resolution)

    def regions_of(self, position: int) -> np.ndarray:
        """(S, S) uint8 parts of a face; for data sets that have them."""
        return read_parts(self.index, int(self.rows[position]), self.resolution)

    def digest(self) -> str:
        """sha256 over the cropping rule, ids, labels and files, in order; reads every file once."""
        if self._hashes is None:
            self._hashes = self._read_hashes()
        return digest_of(self.index.frame.rule, self.ids, self.labels, self._hashes)

    def _read_hashes(self) -> list[str]:
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
            raise BadImage(told(broken, len(files)))
        return [str(one) for one in hashes]

    def broken(self, workers: int | None = None) -> dict[str, str]:
        """Id -> what is wrong, of faces that cannot be used; decodes every picture once, with all cores."""
        from .check import read_rows

        seen = read_rows(self.index, self.rows.tolist(), workers)
        return {
            face: without_folder(seen[row].fault, face)
            for face, row in zip(self.ids, self.rows.tolist(), strict=True)
            if seen[row].fault
        }

    def without(self, left_out: Mapping[str, str]) -> Photographs:
        """The same without some faces (id -> why)."""
        if set(left_out) <= set(self.left_out):
            return self
        every = {**self.left_out, **left_out}
        if set(left_out) >= set(self.ids):
            raise BadImage(told([f"{face}: {why}" for face, why in left_out.items()], len(self)))
        return Photographs(self.index, self.split, self.resolution, self.count, every)


def told(broken: Sequence[str], faces: int) -> str:
    """That pictures are broken, which, and what to do."""
    return (
        f"{len(broken)} of {faces} pictures cannot be read; get them again, or leave them out with "
        f"--skip-bad:\n  {first_named(broken)}"
    )


def open_photographs(
    read: Reader, name: str, root: Path | None, split: str, resolution: int, count: int
) -> Samples:
    """A split of the data set below `root`, or of a pack of it that `faceedit-bench data pack` made."""
    from . import packed

    folder = folder_given(root, name)
    if packed.is_pack(folder):
        return packed.open_pack(folder, name, split, resolution, count)
    return Photographs(read(folder), split, resolution, count)


# ---- one face ---------------------------------------------------------------------------------------


def read_sample(index: Index, row: int, resolution: int) -> Sample:
    """One face, cropped and resized, with its parts where the data set has them."""
    return Sample(
        id=index.ids[row],
        image=read_picture(index, row, resolution),
        labels=index.labels[row],
        identity=None if index.identities is None else index.identities[row],
        regions=None if index.masks is None else read_parts(index, row, resolution),
        landmarks=None
        if index.landmarks is None
        else index.frame.cut_points(index.landmarks[row], resolution),
    )


def read_picture(index: Index, row: int, resolution: int) -> np.ndarray:
    """(3, resolution, resolution) uint8: its picture."""
    path = index.path(row)
    return index.frame.cut(read_image(path), resolution, str(path))


def read_parts(index: Index, row: int, resolution: int) -> np.ndarray:
    """(resolution, resolution) uint8 region classes, of its masks."""
    assert index.masks is not None, "asked of data sets with masks"
    return index.frame.cut_regions(read_regions(index.masks, int(index.ids[row])), resolution)


def files_of(index: Index, row: int) -> list[Path]:
    """The files that make a face: its picture, then its masks."""
    masks = [] if index.masks is None else mask_files(index.masks, int(index.ids[row]))
    return [index.path(row), *masks]


def sound_hash(files: Sequence[Path]) -> str | BadImage:
    """sha256 of the files of a face, or why one of them is no whole picture."""
    return hash_of(files, look=True)


def hash_of(files: Sequence[Path], *, look: bool = False) -> str | BadImage:
    """sha256 of the files of a face, or why one of them cannot be read; with `look`, or is no whole picture,
    which is found out anyway where they are decoded too."""
    total = hashlib.sha256()
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return BadImage(f"{path}: no such file; get it again")
        except OSError as error:
            return BadImage(f"{path}: {error.strerror}")
        if look and not _ends_well(content):
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
    from . import celeba, celebahq, ffhq, folder, lfw, tables
    from .frame import CENTRE_178, OFFSET_170

    readers: dict[str, Reader] = {
        "celeba": functools.partial(celeba.read_celeba, name=name, frame=CENTRE_178),
        "celeba-170": functools.partial(celeba.read_celeba, name=name, frame=OFFSET_170),
        "celebahq": functools.partial(celebahq.read_celebahq, name=name, with_masks=False),
        "celebamask-hq": functools.partial(celebahq.read_celebahq, name=name, with_masks=True),
        "lfw": functools.partial(lfw.read_lfw, name=name),
        "ffhq": functools.partial(ffhq.read_ffhq, name=name),
        "folder": functools.partial(folder.read_folder, name=name),
        "folder-csv": functools.partial(tables.read_folder_csv, name=name),
        "imagefolder": functools.partial(tables.read_imagefolder, name=name),
    }
    return readers[name]
