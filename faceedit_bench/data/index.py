"""What the files of a data set say, before a picture is opened: ids, places, labels, splits."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BadDataset, UnknownName
from .frame import Frame
from .images import SUFFIXES

NAMED = 10  # files named in an error; the rest is counted


@dataclass(frozen=True)
class Index:
    """Every face that a data set lists, in its order. Small enough to send to a worker process."""

    name: str  # of the data set
    root: Path  # as the user gave it
    folder: Path  # of the pictures
    ids: tuple[str, ...]  # N
    files: tuple[str, ...]  # N, relative to `folder`
    attributes: tuple[str, ...]  # names of the A label columns
    labels: np.ndarray  # (N, A) uint8 in {0, 1}
    splits: Mapping[str, np.ndarray]  # name -> rows in the split's order
    frame: Frame
    missing: frozenset[str] = frozenset()  # of `files`: listed, but not there
    unlisted: int = 0  # pictures in `folder` that nothing lists
    published: int = 0  # faces that the whole set lists; 0 where nobody published it
    identities: tuple[str, ...] | None = None  # N
    masks: Path | None = None  # folder of part masks (faceedit_bench.data.masks)
    landmarks: np.ndarray | None = None  # (N, 5, 2) x and y in pixels of the files (see landmarks.py)
    notes: tuple[str, ...] = ()  # what `data check` tells besides

    def rows(self, split: str, count: int = 0) -> np.ndarray:
        """Rows of a split, all pictures present: the first `count`, or all if 0."""
        if split not in self.splits:
            raise UnknownName(f"split of {self.name}", split, self.splits)
        rows = self.splits[split]
        if len(rows) == 0:
            filled = ", ".join(f"{name} ({len(found)})" for name, found in self.splits.items() if len(found))
            raise BadDataset(f"{self.root}: split {split!r} of {self.name} has no faces here; found {filled}")
        if count > len(rows):
            raise BadDataset(
                f"{self.root}: wanted the first {count} faces of split {split!r} of {self.name}, found "
                f"{len(rows)}; get the whole set, or ask for fewer with --limit {len(rows)}"
            )
        rows = rows[: count or None]
        absent = [self.files[row] for row in rows if self.files[row] in self.missing] if self.missing else []
        if absent:
            raise BadDataset(
                f"{self.folder}: {len(absent)} of {len(rows)} listed pictures are not there; get them again "
                f"(faceedit-bench data where {self.name}):\n  {first_named(absent)}"
            )
        return rows

    def path(self, row: int) -> Path:
        """Of the picture."""
        return self.folder / self.files[row]


# ---- reading what is on disk ----------------------------------------------------------------------


def first_named(names: Sequence[str]) -> str:
    """The first few, one a line, and how many more."""
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return "\n  ".join([*names[:NAMED], *more])


def without_folder(fault: str, face: str) -> str:
    """`truncated` of `/home/ann/celeba/000001.jpg: truncated`: records tell of no machine. The file's name
    stays where it is not that of the face."""
    place, colon, why = fault.partition(": ")
    name = Path(place)
    return why if colon and face in (name.stem, name.name) else f"{name.name}{colon}{why}"


def folder_given(root: Path | None, name: str) -> Path:
    """The data set's folder; the error says how to name it."""
    if root is None:
        raise BadDataset(
            f"data set {name!r} wants the folder that it lies in: give it with --data DIR "
            f"(faceedit-bench data where {name} tells how to get it)"
        )
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing there"
        hint = "; unpack it and give the folder" if root.suffix.lower() in ARCHIVES else ""
        raise BadDataset(f"{root}: wanted the folder of data set {name!r}, found {found}{hint}")
    return root


ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".7z", ".001"})


def one_of(root: Path, places: Sequence[str], what: str, name: str) -> Path:
    """The first of `places` below `root` that exists; otherwise an error says where it was looked for."""
    for place in places:
        if (root / place).exists():
            return root / place
    packed = [found for place in places if (found := _packed_beside(root / place))]
    if packed:
        raise BadDataset(f"{root}: {what} is still packed in {packed[0]}; unpack it there")
    looked = "\n  ".join(places)
    raise BadDataset(
        f"{root}: no {what}; wanted one of these below it (faceedit-bench data where {name}):\n  {looked}"
    )


def _packed_beside(place: Path) -> Path | None:
    """`img_align_celeba.zip` where `img_align_celeba` is wanted."""
    if not place.parent.is_dir():
        return None
    beside = (path for path in place.parent.iterdir() if path.suffix.lower() in ARCHIVES)
    return next((path for path in sorted(beside) if path.name.split(".")[0] == place.name), None)


def lines_of(path: Path) -> list[str]:
    """Lines of a text file, without the empty ones at its end."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadDataset(f"{path}: not a text file in UTF-8 ({error}); get it again") from None
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise BadDataset(f"{path}: the file is empty; get it again")
    return lines


def pictures_below(folder: Path) -> set[str]:
    """Relative paths of every picture file, hidden ones left out."""
    found = set()
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        relative = os.path.relpath(place, folder).replace(os.sep, "/")
        prefix = "" if relative == "." else f"{relative}/"
        found |= {
            prefix + name
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES
        }
    return found


def no_twice(names: Sequence[str], path: Path, first_line: int) -> None:
    """Refuse an id that a list names twice; `first_line` is the line of the first name."""
    if len(set(names)) == len(names):
        return
    seen: dict[str, int] = {}
    for line, name in enumerate(names, start=first_line):
        if name in seen:
            raise BadDataset(
                f"{path}, line {line}: {name} is listed again; line {seen[name]} has it already. "
                "Each picture is listed once"
            )
        seen[name] = line
