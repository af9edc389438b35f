"""Whether a bundle's faces are the suite's own: names of all, pictures of those that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..catalog import catalog
from ..contracts import Samples
from ..data.images import read_image
from ..errors import NoFace
from .faults import Fault, shortened
from .layout import SOURCE, picture_name
from .pictures import Unpacked
from .record import Claim

GREY_LEVEL = 1  # by which faces drawn on two machines may differ


@dataclass(frozen=True)
class Faces:
    """The suite's faces as they are here."""

    samples: Samples
    positions: Mapping[str, int]  # by id
    same: bool  # as those that were edited, to the bit; drawn faces may differ by a grey level


def faces_of(samples: Samples, digest: str) -> Faces:
    """`digest` is that of the faces that were edited."""
    return Faces(samples, _positions(samples), samples.digest() == digest)


def _positions(samples: Samples) -> dict[str, int]:
    """Id -> position, of every face that the data set can give."""
    if hasattr(samples, "ids"):
        return {face: position for position, face in enumerate(samples.ids)}
    found = {}
    for position in range(len(samples)):
        try:
            found[samples[position].id] = position
        except NoFace:
            continue
    return found


def faults(claim: Claim, faces: Faces, rows: pd.DataFrame, unpacked: Unpacked) -> list[Fault]:
    """Rows of other faces, and pictures that are not the suite's."""
    return [*_of_data(claim, faces), *_of_rows(claim, faces, rows), *_of_pictures(faces, unpacked)]


def _of_data(claim: Claim, faces: Faces) -> Iterator[Fault]:
    told = claim.identity.data
    if told.count != len(faces.samples):
        yield Fault("inputs", "number of faces", str(len(faces.samples)), str(told.count))
    if not faces.same and catalog().dataset(claim.suite.dataset).faces != "drawn":
        yield Fault("inputs", f"digest of {told.name}", faces.samples.digest(), shortened(told.digest))


def _of_rows(claim: Claim, faces: Faces, rows: pd.DataFrame) -> Iterator[Fault]:
    """Every face of the suite has its rows, in the suite's order, but for those that were left out."""
    left_out = {entry.get("sample") for entry in claim.faces.unusable}
    wanted = [face for face in faces.positions if face not in left_out]
    found = list(rows["sample"].drop_duplicates())
    if found == wanted:
        return
    foreign = [face for face in found if face not in faces.positions]
    absent = sorted(set(wanted) - set(found))
    odd = f"{shortened(foreign[0])} and so on" if foreign else "others or another order"
    lacking = f", {len(absent)} absent" if absent else ""
    yield Fault("inputs", "faces of the rows", f"the suite's {len(wanted)}", f"{odd}{lacking}")


def _of_pictures(faces: Faces, unpacked: Unpacked) -> Iterator[Fault]:
    most = 0 if faces.same else GREY_LEVEL
    for edit, face in unpacked.places:
        if edit != SOURCE or face not in faces.positions:
            continue
        here = faces.samples[faces.positions[face]].image.astype(np.int16)
        apart = int(np.abs(here - read_image(unpacked.place(edit, face))).max())
        if apart > most:
            found = f"one that differs by up to {apart} grey levels"
            yield Fault("inputs", picture_name(edit, face), "the suite's own picture", found)
