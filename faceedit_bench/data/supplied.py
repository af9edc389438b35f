"""Edited pictures that any program made: where each lies, all of them checked before anything is scored."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Formatter

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..contracts import Samples
from ..errors import BadConfig, BadDataset, BadImage, NoFace
from ..suite import Suite
from .images import SUFFIXES, read_image

LOSSLESS = ("PNG", "BMP", "TIFF", "PPM")  # formats as Pillow calls them
FIELDS = ("edit", "id", "stem")
NAMED = 1000  # files named under each fault
MISSING, BROKEN, SIZE, COLOUR, LOSSY = (
    "missing",
    "cannot be read",
    "wrong size",
    "not 8-bit RGB",
    "lossy, which shifts scores (give --allow-lossy if there is nothing better)",
)


@dataclass(frozen=True)
class Supplied:
    """Pattern of paths: `{edit}` an edit's name, `{id}` a face's id, `{stem}` that id without .jpg."""

    pattern: str
    left_out: tuple[str, ...] = ()  # ids of faces that were not edited, because none was found

    @classmethod
    def kept(cls, folder: Path, left_out: tuple[str, ...] = ()) -> Supplied:
        """The pictures that a run kept in `folder`."""
        start = str(folder.absolute()).replace("{", "{{").replace("}", "}}")
        return cls(f"{start}/{{edit}}/{{id}}.png", left_out)

    def place(self, edit: str, face: str) -> Path:
        """Where a picture lies."""
        path = PurePosixPath(face)
        stem = str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else face
        return Path(self.pattern.format(edit=edit, id=face, stem=stem))

    def given(self, edit: str, faces: Sequence[str]) -> np.ndarray:
        """(B, 3, H, W) uint8."""
        if gone := [face for face in faces if face in self.left_out]:
            raise NoFace("left out when it was edited", gone[0])
        return np.stack([read_image(self.place(edit, face)) for face in faces])


@dataclass(frozen=True)
class Fault:
    """A file that cannot be scored."""

    edit: str
    path: Path
    what: str  # one of the words above
    found: str = ""


def read_pattern(text: str, edits: int) -> Supplied:
    """A pattern that tells every picture of a suite with so many edits apart."""
    example = "for example --edited 'mine/{edit}/{id}.png'"
    try:
        fields = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise BadConfig(f"--edited {text!r}: {error}; {example}") from None
    if unknown := [name for name in fields if name not in FIELDS]:
        raise BadConfig(
            f"--edited {text!r}: {{{unknown[0]}}} means nothing; wanted {{edit}}, {{id}} or {{stem}}"
        )
    if not {"id", "stem"} & set(fields):
        raise BadConfig(f"--edited {text!r}: wanted {{id}} or {{stem}} in it, the id of each face; {example}")
    if edits > 1 and "edit" not in fields:
        raise BadConfig(
            f"--edited {text!r}: wanted {{edit}} in it, as the suite has {edits} edits; {example}"
        )
    return Supplied(text)


def check(supplied: Supplied, suite: Suite, samples: Samples, *, lossy: bool) -> str:
    """sha256 over the content of every picture, in the suite's order; or an error that lists every fault."""
    from ..progress import bar

    faces = list(ids_of(samples))
    asked = [(edit.name, supplied.place(edit.name, face)) for edit in suite.edits for face in faces]
    _no_two_alike(supplied, asked)
    total, faults = hashlib.sha256(), []
    with (
        bar("checking the edited pictures", len(asked)) as advance,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for found in pool.map(lambda pair: looked_at(pair[0], pair[1], suite.resolution, lossy), asked):
            advance(1)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                total.update(found)
    if faults:
        raise BadDataset(_told(supplied, suite, faults, len(faces)))
    return total.hexdigest()


def ids_of(samples: Samples) -> Iterator[str]:
    """Of every face that the data set can give; runs leave out the others. Read from files only where the
    data set does not list its `ids`."""
    if hasattr(samples, "ids"):
        yield from samples.ids
        return
    for position in range(len(samples)):
        try:
            yield samples[position].id
        except NoFace:
            continue


def _no_two_alike(supplied: Supplied, asked: Sequence[tuple[str, Path]]) -> None:
    taken: set[Path] = set()
    for edit, path in asked:
        if path in taken:
            raise BadConfig(
                f"--edited {supplied.pattern!r}: two faces of edit {edit!r} would both be {path}; use {{id}}"
            )
        taken.add(path)


def looked_at(edit: str, path: Path, side: int, lossy: bool) -> bytes | Fault:
    """Hash of the pixels, or what is wrong with the file."""
    if not path.is_file():
        return Fault(edit, path, MISSING)
    try:
        with Image.open(path) as file:
            kind, mode, size = str(file.format), _mode(file), file.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return Fault(edit, path, BROKEN, "not a picture")
    if mode != "RGB":
        return Fault(edit, path, COLOUR, mode)
    if size != (side, side):
        return Fault(edit, path, SIZE, f"{size[0]}×{size[1]}")
    if kind not in LOSSLESS and not lossy:
        return Fault(edit, path, LOSSY, kind)
    try:
        return hashlib.sha256(read_image(path).tobytes()).digest()
    except BadImage as error:
        return Fault(edit, path, BROKEN, str(error).removeprefix(f"{path}: "))


def _mode(file: Image.Image) -> str:
    """Colours as Pillow calls them; RGB only where each has eight bits and none is transparent."""
    if any(";16" in str(tile[3]) for tile in getattr(file, "tile", [])):
        return f"{file.mode} of 16 bits"
    return f"{file.mode} with a transparent colour" if "transparency" in file.info else file.mode


def _told(supplied: Supplied, suite: Suite, faults: Sequence[Fault], faces: int) -> str:
    """Every fault, kind by kind; an edit of which nothing is there is one line."""
    side = suite.resolution
    head = (
        f"{len(faults)} of {faces * len(suite.edits)} pictures {supplied.pattern} cannot be scored; wanted "
        f"8-bit RGB PNG of {side}×{side} pixels for every edit of suite {suite.name!r}. Nothing was started:"
    )
    lines = [head]
    absent = {
        edit.name
        for edit in suite.edits
        if faces > 1 and sum(one.what == MISSING and one.edit == edit.name for one in faults) == faces
    }
    for edit in [edit.name for edit in suite.edits if edit.name in absent]:
        first = next(one.path for one in faults if one.edit == edit)
        lines.append(f"  edit {edit}: all {faces} missing, {first} and so on")
    for what in (MISSING, BROKEN, SIZE, COLOUR, LOSSY):
        of_kind = [one for one in faults if one.what == what and one.edit not in absent]
        lines += [f"  {what} ({len(of_kind)}):"] if of_kind else []
        lines += [f"    {one.path}" + (f": {one.found}" if one.found else "") for one in of_kind[:NAMED]]
        lines += [f"    and {len(of_kind) - NAMED} more"] if len(of_kind) > NAMED else []
    return "\n".join(lines)
