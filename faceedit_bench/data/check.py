"""Everything of a data set read once: what is there, what is missing, broken or doubled, and its digests."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadDataset, BadImage
from ..progress import bar
from .images import read_image
from .index import Index, folder_given
from .masks import mask_files, part_of, read_regions
from .photographs import Reader, digest_of, files_of, hash_of
from .workers import over_spans

SPAN = 64  # faces a worker reads at a time
SHOWN = 1000  # names of each kind in a report; all are counted


@dataclass(frozen=True)
class Seen:
    """One face, read."""

    row: int
    sha256: str
    fault: str  # "" if it can be used
    width: int
    height: int
    parts: tuple[str, ...] = ()  # of the face that have a mask


@dataclass(frozen=True)
class Report:
    """What `data check` found."""

    name: str
    root: str
    faces: int
    attributes: tuple[str, ...]
    people: int | None
    splits: dict[str, int]  # name -> faces
    digests: dict[str, str]  # of splits that are whole
    sizes: dict[str, int]  # "178×218" -> pictures
    missing: list[str]  # listed, not there
    broken: list[str]  # cannot be read or used, with the reason
    doubles: list[list[str]]  # groups of ids with the same bytes
    unlisted: int
    counts: dict[str, int] = field(default_factory=dict)  # of the three lists, which may be cut
    positive: dict[str, float] = field(default_factory=dict)  # share of faces with each attribute
    rule: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    published: int = 0  # faces of the whole set; 0 where nobody published it
    masks: dict[str, int] = field(default_factory=dict)  # part of the face -> faces that have a mask of it

    @property
    def is_sound(self) -> bool:
        """Nothing is missing and nothing broken; doubles and unlisted pictures are no faults."""
        return not self.counts["missing"] and not self.counts["broken"]

    @property
    def is_part(self) -> bool:
        """Fewer faces are listed than the set has."""
        return self.faces < self.published


def check(read: Reader, name: str, root: Path, workers: int | None = None) -> Report:
    """Read every file of the data set below `root` once, with all cores and a progress bar."""
    begun = time.monotonic()
    folder = folder_given(root, name)
    if (folder / "pack.json").exists():
        raise BadDataset(
            f"{folder}: a pack, which checks itself when it is used; give the data set's own folder"
        )
    index = read(folder)
    present = [row for row, file in enumerate(index.files) if file not in index.missing]
    seen = read_rows(index, present, workers)
    missing = [file for file in index.files if file in index.missing]
    broken = [one.fault for _, one in sorted(seen.items()) if one.fault]
    doubles = _doubles(index, seen)
    return Report(
        name=name,
        root=str(root),
        faces=len(index.ids),
        attributes=index.attributes,
        people=None if index.identities is None else len(set(index.identities)),
        splits={split: len(rows) for split, rows in index.splits.items()},
        digests=_digests(index, seen),
        sizes=_sizes(seen),
        missing=missing[:SHOWN],
        broken=broken[:SHOWN],
        doubles=doubles[:SHOWN],
        unlisted=index.unlisted,
        counts={"missing": len(missing), "broken": len(broken), "doubles": len(doubles)},
        positive=_positive(index),
        rule=index.frame.rule,
        notes=index.notes,
        seconds=round(time.monotonic() - begun, 1),
        published=index.published,
        masks=_masks(seen),
    )


def read_rows(index: Index, rows: list[int], workers: int | None = None) -> dict[int, Seen]:
    """Read these faces with all cores: row -> what was seen."""
    found: dict[int, Seen] = {}
    with bar(f"reading {index.name}", len(rows)) as advance:
        for part in over_spans(_read_span, (index, rows), len(rows), SPAN, workers):
            found |= {one.row: one for one in part}
            advance(len(part))
    return found


def _read_span(context: tuple[Index, list[int]], start: int, stop: int) -> list[Seen]:
    index, rows = context
    return [_read(index, row) for row in rows[start:stop]]


def _read(index: Index, row: int) -> Seen:
    """Decode a face and its masks as a run would."""
    path = index.path(row)
    sha256 = hash_of(files_of(index, row))
    if isinstance(sha256, BadImage):
        return Seen(row, "", str(sha256), 0, 0)
    try:
        image = read_image(path)
        height, width = image.shape[1:]
        index.frame.square(height, width, str(path))
        if index.masks is None:
            return Seen(row, sha256, "", width, height)
        place = int(index.ids[row])
        read_regions(index.masks, place)
    except BadImage as error:
        return Seen(row, sha256, str(error), 0, 0)
    parts = tuple(part_of(mask) for mask in mask_files(index.masks, place))
    return Seen(row, sha256, "", width, height, parts)


# ---- adding up --------------------------------------------------------------------------------------


def _digests(index: Index, seen: dict[int, Seen]) -> dict[str, str]:
    """The digests that manifests will show: of every split of which all faces can be used."""
    found = {}
    for split, rows in index.splits.items():
        faces = [seen.get(int(row)) for row in rows]
        whole = [one.sha256 for one in faces if one is not None and not one.fault]
        if len(whole) == len(rows) and len(rows):
            ids = [index.ids[row] for row in rows]
            found[split] = digest_of(index.frame.rule, ids, index.labels[rows], whole)
    return found


def _sizes(seen: dict[int, Seen]) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for one in seen.values():
        if one.width:
            sizes[f"{one.width}×{one.height}"] += 1
    return dict(sorted(sizes.items(), key=lambda pair: -pair[1]))


def _doubles(index: Index, seen: dict[int, Seen]) -> list[list[str]]:
    """Ids of faces whose files have the same bytes."""
    same: dict[str, list[str]] = defaultdict(list)
    for row, one in sorted(seen.items()):
        if one.sha256:
            same[one.sha256].append(index.ids[row])
    return [ids for ids in same.values() if len(ids) > 1]


def _masks(seen: dict[int, Seen]) -> dict[str, int]:
    return dict(Counter(part for one in seen.values() for part in one.parts).most_common())


def _positive(index: Index) -> dict[str, float]:
    if not len(index.labels):
        return {}
    shares: Any = np.round(index.labels.mean(axis=0), 4)
    return dict(zip(index.attributes, shares.tolist(), strict=True))
