"""Labeled Faces in the Wild (Huang et al., 2007): 13,233 photographs of 250 pixels of 5,749 people.

`lfw/Name_Surname/Name_Surname_0001.jpg`, plain, funneled or deep-funneled. `pairs.txt` are the ten folds of
the verification protocol; `lfw_attributes.txt` (Kumar et al., 2009) holds 73 real values, positive where the
attribute is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BadDataset
from .attributes import LFW
from .frame import LFW_178
from .index import Index, first_named, lines_of, no_twice, one_of, pictures_below

PICTURES = ("lfw", "lfw_funneled", "lfw-funneled", "lfw-deepfunneled", "lfw-deepfunneled/lfw-deepfunneled")
LABELLED = 13_143  # faces that lfw_attributes.txt lists of the 13,233
RENAMED = {"5 o' Clock Shadow": "5_o_Clock_Shadow", "5 o Clock Shadow": "5_o_Clock_Shadow"}


@dataclass(frozen=True)
class Pair:
    """A question of the verification protocol: are these two the same person?"""

    fold: int  # from 0
    first: str  # ids
    second: str
    same: bool


def read_lfw(root: Path, *, name: str) -> Index:
    """All of LFW below `root`, by name and number. Pictures without labels are left out and counted."""
    folder = root if _is_lfw(root) else one_of(root, PICTURES, "folder with a folder per person", name)
    there = sorted(pictures_below(folder))
    _check_names(folder, there)
    table = _beside(root, folder, "lfw_attributes.txt", name)
    listed, attributes, values = read_attributes(table)
    by_id = {Path(file).stem: file for file in there}
    ids = sorted(listed)
    rows = {one: row for row, one in enumerate(listed)}
    files = tuple(by_id.get(one, f"{one[:-5]}/{one}.jpg") for one in ids)
    splits = {"all": np.arange(len(ids))}
    notes = ["labels are the sign of lfw_attributes.txt, a classifier's guess"]
    pairs = _optional(root, folder, "pairs.txt")
    if pairs is not None:
        asked = {one for pair in read_pairs(pairs) for one in (pair.first, pair.second)}
        splits["pairs"] = np.array([row for row, one in enumerate(ids) if one in asked], np.int64)
        without = sorted(asked - set(ids))
        if without:
            first = ", ".join(without[:3]) + (", …" if len(without) > 3 else "")
            notes.append(
                f"{len(without)} of {len(asked)} pictures of pairs.txt have no labels; left out: {first}"
            )
    return Index(
        name=name,
        root=root,
        folder=folder,
        ids=tuple(ids),
        files=files,
        attributes=attributes,
        labels=values[[rows[one] for one in ids]],
        splits=splits,
        frame=LFW_178,
        missing=frozenset(file for one, file in zip(ids, files, strict=True) if one not in by_id),
        unlisted=len(set(by_id) - set(ids)),
        published=LABELLED,
        identities=tuple(one[:-5] for one in ids),
        notes=tuple(notes),
    )


def read_attributes(path: Path) -> tuple[list[str], tuple[str, ...], np.ndarray]:
    """Ids, names of the attributes that CelebA has too, and labels (N, A) uint8: 1 where a value is positive.

    Tab-separated; a comment, then `#`, `person`, `imagenum` and the names.
    """
    lines = lines_of(path)
    header = next((number for number, text in enumerate(lines[:5]) if "imagenum" in text.split("\t")), None)
    if header is None:
        raise BadDataset(
            f"{path}, lines 1 to 5: no header with person, imagenum and attributes between tabs; "
            "this is not lfw_attributes.txt as published; get it again"
        )
    titles = [
        RENAMED.get(title, title.replace(" ", "_")) for title in lines[header].strip("# \t\n").split("\t")
    ]
    lacking = [title for title in LFW if title not in titles]
    if lacking:
        raise BadDataset(
            f"{path}, line {header + 1}: lacks {', '.join(lacking[:5])}; found {len(titles) - 2} attributes, "
            "wanted the 73 as published; get it again"
        )
    columns = {title: titles.index(title) for title in LFW}
    ids, values = [], []
    for line, text in enumerate(lines[header + 1 :], start=header + 2):
        words = text.rstrip("\t").split("\t")
        if len(words) != len(titles) or not words[1].isdecimal():
            raise BadDataset(
                f"{path}, line {line}: wanted a person, a number and {len(titles) - 2} values between tabs, "
                f"found {len(words)} fields; get it again"
            )
        ids.append(_id(words[0], words[1]))
        values.append([_value(path, line, title, words[column]) > 0 for title, column in columns.items()])
    no_twice(ids, path, first_line=header + 2)
    return ids, tuple(columns), np.array(values, np.uint8).reshape(len(ids), len(columns))


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of `pairs.txt`: folds and size, then for each fold so many pairs of one person and of two."""
    lines = lines_of(path)
    head = lines[0].split()
    if len(head) != 2 or not all(word.isdecimal() for word in head):
        raise BadDataset(
            f"{path}, line 1: wanted the numbers of folds and of pairs such as '10 300', found {lines[0]!r}; "
            "get it again"
        )
    folds, size = int(head[0]), int(head[1])
    if len(lines) - 1 != 2 * folds * size:
        raise BadDataset(
            f"{path}, line 1: says {folds} folds of 2×{size} pairs, found {len(lines) - 1} lines; "
            "get it again"
        )
    pairs = []
    for line, text in enumerate(lines[1:], start=2):
        fold, place = divmod(line - 2, 2 * size)
        words = text.split("\t") if "\t" in text else text.split()
        same = place < size
        numbers = words[1:] if same else words[1::2]
        if len(words) != (3 if same else 4) or not all(number.isdecimal() for number in numbers):
            wanted = "a name and two numbers" if same else "a name and a number, twice"
            raise BadDataset(f"{path}, line {line}: wanted {wanted}, found {text!r}; get it again")
        first, second = (words[0], words[1]), (words[0] if same else words[2], words[-1])
        pairs.append(Pair(fold, _id(*first), _id(*second), same))
    return pairs


# ---- the parts --------------------------------------------------------------------------------------


def _is_lfw(folder: Path) -> bool:
    """A folder per person, with pictures named after the person."""
    people = (path for path in sorted(folder.iterdir()) if path.is_dir())
    return any((one / f"{one.name}_0001.jpg").exists() for one in people)


def _id(person: str, number: str) -> str:
    return f"{person.replace(' ', '_')}_{int(number):04d}"


def _value(path: Path, line: int, title: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadDataset(
            f"{path}, line {line}, column {title}: wanted a number, found {word!r}; get it again"
        )
    return value


def _check_names(folder: Path, files: Sequence[str]) -> None:
    by_id: dict[str, str] = {}
    for file in files:
        if (first := by_id.setdefault(Path(file).stem, file)) != file:
            raise BadDataset(f"{folder}: {first} and {file} are both {Path(file).stem}; keep one")
    odd = [file for file in files if Path(file).stem[:-5] != Path(file).parent.name]
    if odd:
        raise BadDataset(
            f"{folder}: {len(odd)} pictures are not named as Name_Surname/Name_Surname_0001.jpg; "
            f"move them away:\n  {first_named(odd)}"
        )


def _beside(root: Path, folder: Path, file: str, name: str) -> Path:
    found = _optional(root, folder, file)
    if found is None:
        raise BadDataset(
            f"{root}: no {file}; wanted it there or beside the pictures (faceedit-bench data where {name})"
        )
    return found


def _optional(root: Path, folder: Path, file: str) -> Path | None:
    places = (place / file for place in dict.fromkeys((root, folder, folder.parent)))
    return next((place for place in places if place.exists()), None)
