"""CelebA-HQ (Karras et al., 2018) as CelebAMask-HQ packs it: 30,000 faces of 1024 pixels, parts of faces.

Pictures are named by their place in CelebA-HQ (`0.jpg` to `29999.jpg`) or by their file in CelebA
(`000004.jpg`); the mapping file tells one from the other. Labels are CelebAMask-HQ's own list, or CelebA's
through the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BadDataset
from .celeba import optional
from .frame import WHOLE
from .index import Index, first_named, lines_of, no_twice, one_of, pictures_below
from .labels import read_labels

PUBLISHED = 30_000
TRAIN, VALIDATION = 28_000, 500  # by place; the last 1,500 are the test split (AttGAN, SeCGAN, CooGAN)
FIRST = 1_000  # GradStyle's test set

PICTURES = (
    "CelebA-HQ-img",
    "CelebAMask-HQ/CelebA-HQ-img",
    "celeba-hq/CelebA-HQ-img",
    "CelebA-HQ",
    "celeba-hq",
)
MASKS = ("CelebAMask-HQ-mask-anno", "CelebAMask-HQ/CelebAMask-HQ-mask-anno")
LABELS = "CelebAMask-HQ-attribute-anno.txt"
MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
FOLDERS = ("", "CelebAMask-HQ", "celeba-hq", "CelebA-HQ")


@dataclass(frozen=True)
class Mapped:
    """A line of the mapping: place in CelebA-HQ and file in CelebA."""

    place: int
    file: str


def read_celebahq(root: Path, *, name: str, with_masks: bool) -> Index:
    """All of CelebA-HQ below `root`, in the order of CelebA-HQ."""
    folder = _pictures(root, name)
    mapping = _mapping(root)
    there = sorted(pictures_below(folder))
    labels = _labels(root, mapping, name)
    places = _places(folder, there, mapping)
    listed = sorted(labels.rows)
    files = tuple(places.get(place, f"{place}.jpg") for place in listed)
    order = np.array(listed, np.int64)
    return Index(
        name=name,
        root=root,
        folder=folder,
        ids=tuple(str(place) for place in listed),
        files=files,
        attributes=labels.names,
        labels=labels.values[[labels.rows[place] for place in listed]],
        splits={
            "train": np.flatnonzero(order < TRAIN),
            "validation": np.flatnonzero((order >= TRAIN) & (order < TRAIN + VALIDATION)),
            "test": np.flatnonzero(order >= TRAIN + VALIDATION),
            "first-1000": np.flatnonzero(order < FIRST),
        },
        frame=WHOLE,
        missing=frozenset(file for place, file in zip(listed, files, strict=True) if place not in places),
        unlisted=len(set(places) - set(listed)),
        published=PUBLISHED,
        masks=one_of(root, MASKS, "folder of part masks", name) if with_masks else None,
        notes=(labels.note,),
    )


def originals(mapping: Path) -> list[str]:
    """Ids in CelebA of the faces that suites of CelebA-HQ test on: splits `test` and `first-1000`."""
    tested = [one for one in read_mapping(mapping) if one.place < FIRST or one.place >= TRAIN + VALIDATION]
    return [Path(one.file).stem for one in tested]


# ---- the parts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """Labels by place in CelebA-HQ."""

    names: tuple[str, ...]
    values: np.ndarray  # (M, A) uint8
    rows: Mapping[int, int]  # place -> row of `values`
    note: str


def _pictures(root: Path, name: str) -> Path:
    if _is_numbered(root):
        return root
    return one_of(root, PICTURES, "folder of pictures", name)


def _is_numbered(folder: Path) -> bool:
    """The folder itself holds `0.jpg`, `00000.png` or `000004.jpg`."""
    return any(path.suffix in (".jpg", ".png") and path.stem.isdecimal() for path in folder.iterdir())


def _labels(root: Path, mapping: Sequence[Mapped] | None, name: str) -> Labels:
    """CelebAMask-HQ's list, or CelebA's through the mapping."""
    own = _beside(root, LABELS)
    if own is not None:
        files, names, values = read_labels(own)
        places = [_number(own, line, file) for line, file in enumerate(files, start=3)]
        no_twice([f"face {place}" for place in places], own, first_line=3)
        return Labels(
            names, values, {place: row for row, place in enumerate(places)}, f"labels of {own.name}"
        )
    celeba = optional(root, "list_attr_celeba.txt")
    if celeba is not None and mapping is not None:
        files, names, values = read_labels(celeba)
        found = {file: row for row, file in enumerate(files)}
        lacking = [one.file for one in mapping if one.file not in found]
        if lacking:
            raise BadDataset(
                f"{celeba}: {len(lacking)} files of {MAPPING} are not in it; get both files again:"
                f"\n  {first_named(lacking)}"
            )
        rows = {one.place: found[one.file] for one in mapping}
        return Labels(names, values, rows, f"CelebA's labels through {MAPPING}")
    if celeba is not None:
        raise BadDataset(
            f"{root}: CelebA's labels need {MAPPING} to say which face of CelebA-HQ is which "
            f"(faceedit-bench data where {name})"
        )
    wanted = " or ".join(str(Path(place) / LABELS) for place in FOLDERS[:2])
    raise BadDataset(
        f"{root}: no labels; wanted {wanted}, or list_attr_celeba.txt with {MAPPING} "
        f"(faceedit-bench data where {name})"
    )


def _mapping(root: Path) -> list[Mapped] | None:
    table = _beside(root, MAPPING)
    return None if table is None else read_mapping(table)


def read_mapping(table: Path) -> list[Mapped]:
    """`idx orig_idx orig_file` and a line for each face."""
    lines = lines_of(table)
    if lines[0].split() != ["idx", "orig_idx", "orig_file"]:
        raise BadDataset(
            f"{table}, line 1: wanted idx orig_idx orig_file, found {lines[0][:60]!r}; get it again"
        )
    found = []
    for line, text in enumerate(lines[1:], start=2):
        words = text.split()
        if len(words) != 3 or not words[0].isdecimal():
            raise BadDataset(
                f"{table}, line {line}: wanted a place, a number and a file of CelebA, found {text[:60]!r}; "
                "get it again"
            )
        found.append(Mapped(int(words[0]), words[2]))
    no_twice([str(one.place) for one in found], table, first_line=2)
    no_twice([one.file for one in found], table, first_line=2)
    return found


def _places(folder: Path, files: Sequence[str], mapping: Sequence[Mapped] | None) -> dict[int, str]:
    """Place in CelebA-HQ -> picture. Six digits are a file of CelebA, fewer a place."""
    by_file = {Path(one.file).stem: one.place for one in mapping or ()}
    found: dict[int, str] = {}
    for file in files:
        stem = Path(file).stem
        if not stem.isdecimal():
            raise BadDataset(
                f"{folder / file}: wanted a picture named by its number (0.jpg, or 000004.jpg as in CelebA); "
                "move others elsewhere"
            )
        place = _place(folder / file, stem, by_file)
        if place in found:
            raise BadDataset(
                f"{folder}: {found[place]} and {file} are both face {place} of CelebA-HQ; keep one of them"
            )
        found[place] = file
    return found


def _place(path: Path, stem: str, by_file: Mapping[str, int]) -> int:
    if len(stem) < 6:
        return int(stem)
    if stem not in by_file:
        why = f"{MAPPING} does not list it" if by_file else f"that needs {MAPPING}, which is not there"
        raise BadDataset(f"{path}: named as in CelebA, and {why}")
    return by_file[stem]


def _number(table: Path, line: int, file: str) -> int:
    stem = file.partition(".")[0]
    if not stem.isdecimal():
        raise BadDataset(
            f"{table}, line {line}: wanted a picture such as 0.jpg, found {file!r}; get it again"
        )
    return int(stem)


def _beside(root: Path, file: str) -> Path | None:
    places = (root / place / file for place in (*FOLDERS, "..", "Anno"))
    return next((place for place in places if place.exists()), None)
