"""The pictures in a bundle: those that its rows chose, of the suite's size, and no copies of their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..data.images import read_image
from ..data.supplied import Fault as Odd
from ..data.supplied import Supplied, looked_at
from .choice import chosen
from .faults import Fault, shortened
from .layout import PICTURES, SOURCE, picture_name, with_sources
from .record import Claim

COPY = "copy"  # the method that returns its input
Chosen = Sequence[tuple[str, str]]  # edit, face


@dataclass(frozen=True)
class Unpacked(Supplied):
    """Pictures of a bundle, in files whose names are ours."""

    places: Mapping[tuple[str, str], Path] = field(default_factory=dict, hash=False)

    def place(self, edit: str, face: str) -> Path:
        return self.places[edit, face]


def choice(rows_file: bytes, rows: pd.DataFrame) -> list[tuple[str, str]]:
    """The pictures (edit, face) that these rows want."""
    by_edit = rows.groupby("edit", sort=False)["sample"]
    return chosen(rows_file, {str(edit): list(faces) for edit, faces in by_edit})


def unpack(
    files: Mapping[str, bytes], wanted: Chosen, side: int, folder: Path
) -> tuple[Unpacked, list[Fault]]:
    """Write the pictures that are wanted into `folder`; what is absent, odd or too much is a fault."""
    named = {picture_name(*pair): pair for pair in with_sources(wanted)}
    there = {name for name in files if name.startswith(f"{PICTURES}/")}
    faults = [
        *(_fault(name, "a picture that the rows chose", "none") for name in named if name not in there),
        *(_fault(name, "only pictures that the rows chose", "another") for name in sorted(there - {*named})),
    ]
    places = {}
    for number, name in enumerate(sorted(there & {*named})):
        path = folder / f"{number}.png"
        path.write_bytes(files[name])
        odd = looked_at(named[name][0], path, side, lossy=False)
        if isinstance(odd, Odd):
            found = f"{odd.what} {odd.found}".replace(str(path), "the file").strip()
            faults.append(_fault(name, f"8-bit RGB PNG of {side}×{side} pixels", found))
        else:
            places[named[name]] = path
    return Unpacked("", places=places), faults


def _fault(name: str, wanted: str, found: str) -> Fault:
    return Fault("pictures", shortened(name), wanted, shortened(found))


def copies(claim: Claim, unpacked: Unpacked) -> list[Fault]:
    """Edited pictures that are their inputs to the bit, though something was asked for.

    One may be: a method that paints inside a mask finds nothing to paint. More than half of them are copies.
    `copy` must copy.
    """
    asked = {edit.name for edit in claim.suite.edits if not edit.is_reconstruction}
    pairs = [pair for pair in unpacked.places if pair[0] in asked and (SOURCE, pair[1]) in unpacked.places]
    same = [pair for pair in pairs if _is_copy(unpacked, *pair)]
    if claim.identity.method.name == COPY:
        return [
            Fault("copies", picture_name(*pair), "the input, as the method is `copy`", "another picture")
            for pair in pairs
            if pair not in same
        ]
    if 2 * len(same) <= len(pairs):
        return []
    wanted = f"what {claim.identity.method.name} made of the input"
    return [Fault("copies", picture_name(*pair), wanted, "the input itself") for pair in same]


def _is_copy(unpacked: Unpacked, edit: str, face: str) -> bool:
    before, after = (read_image(unpacked.place(part, face)) for part in (SOURCE, edit))
    return np.array_equal(before, after)
