"""A pack: a split of a data set, decoded, cropped and resized once: uint8 arrays mapped into memory.

    PACK/pack.json       what it holds, and sha256 of every part of every array; written last
    PACK/images.npy      (N, 3, S, S)        PACK/labels.npy  (N, A)
    PACK/regions.npy     (N, S, S), where the data set has parts of faces
    PACK/landmarks.npy   (N, 5, 2), where it has five points of each
    PACK/faces.json      id, identity and source hash of each face

The pack has the digest of the files it was made from, so a run over it is the same run as one over the files.
`packing.py` makes it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..contracts import Sample
from ..errors import BadDataset
from .photographs import digest_of

FORMAT = 1
IMAGES, REGIONS, LABELS, FACES, CARD = "images.npy", "regions.npy", "labels.npy", "faces.json", "pack.json"
LANDMARKS, FAILURES = "landmarks.npy", "failures.jsonl"


@dataclass(frozen=True)
class Part:
    """Faces [start, stop), written; hashes of what lies in the arrays, and of the files they came from."""

    start: int
    stop: int
    arrays: dict[str, str]  # file -> sha256 of these rows
    sources: list[str]  # sha256 of each face's files; "" if it is broken
    faults: dict[int, str]  # row -> why it cannot be used


class PackedFaces:
    """Faces of a pack (contracts.Samples); arrays stay on disk until they are used.

    `count` counts faces as they were asked for (0: all of them): those that were left out count, too, so
    that the pack gives the same faces as the files without the broken ones.
    """

    def __init__(self, folder: Path, card: Mapping[str, Any], count: int) -> None:
        self.folder, self.card = folder, card
        self.attributes: tuple[str, ...] = tuple(card["attributes"])
        self.decoder = f"packed by {card.get('decoder', 'Pillow')}"
        skipped = [one for one in _failures(folder, card) if one["row"] < count or not count]
        self.left_out: dict[str, str] = {one["id"]: one["reason"] for one in skipped}
        faces = json.loads((folder / FACES).read_text(encoding="utf-8"))
        here = count - len(skipped) if count else card["faces"]
        self.ids: list[str] = faces["ids"][:here]
        self.identities: list[str] | None = faces["identities"] and faces["identities"][:here]
        self.sources: list[str] = faces["sources"][:here]
        self.images = _mapped(folder / IMAGES)[:here]  # (N, 3, S, S) uint8
        self.labels = np.load(folder / LABELS)[:here]  # (N, A) uint8
        has_regions = (folder / REGIONS).exists()
        self.regions = _mapped(folder / REGIONS)[:here] if has_regions else None  # (N, S, S)
        points = folder / LANDMARKS
        self.landmarks = np.load(points)[:here] if points.exists() else None  # (N, 5, 2) float32

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        return Sample(
            self.ids[index],
            self.images[index],
            self.labels[index],
            identity=None if self.identities is None else self.identities[index],
            regions=None if self.regions is None else self.regions[index],
            landmarks=None if self.landmarks is None else self.landmarks[index],
        )

    def digest(self) -> str:
        """That of the files it was made from; the pack's own bytes are checked against its card first."""
        verify(self.folder, self.card)
        return digest_of(self.card["rule"], self.ids, self.labels, self.sources)

    def broken(self, workers: int | None = None) -> dict[str, str]:
        """None: what was broken is in `left_out` already."""
        return {}

    def without(self, left_out: Mapping[str, str]) -> PackedFaces:
        """The same; a pack leaves out what was broken when it was made, and nothing else."""
        assert set(left_out) <= set(self.left_out), "other faces than those that the pack leaves out"
        return self


def _failures(folder: Path, card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Id, reason and row of the faces that were left out."""
    if not card["skipped"]:
        return []
    lines = [json.loads(line) for line in (folder / FAILURES).read_text(encoding="utf-8").splitlines()]
    if len(lines) != card["skipped"] or not all("row" in line for line in lines):
        raise BadDataset(f"{folder / FAILURES}: does not name all {card['skipped']} faces; pack again")
    return lines


def _mapped(path: Path) -> np.ndarray:
    """An array that stays on disk; a plain one, since slices of a np.memmap are slow to make."""
    return np.asarray(np.load(path, mmap_mode="r"))


def is_pack(folder: Path) -> bool:
    """Whether `faceedit-bench data pack` made this folder."""
    return (folder / CARD).exists()


def open_pack(folder: Path, name: str, split: str, resolution: int, count: int) -> PackedFaces:
    """A pack, if it holds what is wanted."""
    card = read_card(folder)
    wanted = {"dataset": name, "split": split, "resolution": resolution}
    odd = [f"{key} {card[key]} instead of {value}" for key, value in wanted.items() if card[key] != value]
    if odd:
        raise BadDataset(
            f"{folder}: this pack has {', '.join(odd)}; make another with faceedit-bench data pack"
        )
    asked = card["faces"] + card["skipped"]
    if card["count"] and (count == 0 or count > asked):
        raise BadDataset(
            f"{folder}: this pack has the first {asked} faces of split {split!r}, wanted "
            f"{count or 'all'}; pack them, or ask for fewer with --limit"
        )
    if count > asked:
        raise BadDataset(f"{folder}: wanted {count} faces, found {asked}; ask for fewer with --limit {asked}")
    return PackedFaces(folder, card, count)


def read_card(folder: Path) -> dict[str, Any]:
    """What a pack says of itself."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if card["format"] == FORMAT:
            return dict(card)
        found = f"format {card['format']}"
    except (ValueError, KeyError, TypeError) as error:
        found = repr(error)
    raise BadDataset(
        f"{folder / CARD}: wanted a pack of format {FORMAT}, found {found}; pack again"
    ) from None


def verify(folder: Path, card: Mapping[str, Any]) -> None:
    """Compare every byte of a pack with the hashes on its card."""
    odd = [file for file, sha256 in card["sha256"].items() if file_hash(folder / file) != sha256]
    parts = [Part(one["start"], one["stop"], one["arrays"], [], {}) for one in card["parts"]]
    odd += [f"faces from {start} on" for start in wrong_parts(folder, parts)]
    if odd:
        raise BadDataset(
            f"{folder}: changed since it was packed ({', '.join(odd[:5])}); remove it and pack again"
        )


def wrong_parts(folder: Path, parts: list[Part]) -> list[int]:
    """Starts of parts whose rows on disk have other hashes than noted."""
    files = sorted({file for part in parts for file in part.arrays})
    arrays = {file: np.load(folder / file, mmap_mode="r") for file in files}

    def is_wrong(part: Part) -> bool:
        return any(
            hashlib.sha256(np.ascontiguousarray(arrays[file][part.start : part.stop]).data).hexdigest()
            != sha256
            for file, sha256 in part.arrays.items()
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [part.start for part, wrong in zip(parts, pool.map(is_wrong, parts), strict=True) if wrong]


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
