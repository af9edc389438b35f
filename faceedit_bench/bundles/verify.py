"""Whether a bundle holds: everything that can be computed again is, and every fault is told."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import evaluate
from ..errors import BadDataset
from . import archive, inputs, pictures, protocol, record, recount, remeasure, rows
from .faults import Fault
from .layout import RECORD, ROWS
from .record import Claim

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """What was found. `unchecked` says why faces and pictures could not be compared with the suite's own."""

    record: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)
    scores: int = 0  # of the record, equal to what the rows give
    rows: int = 0
    pictures: int = 0
    measured: int = 0  # scores of single pictures, equal to those of the rows
    trusted: tuple[str, ...] = ()  # metrics that rows and pictures say nothing of
    unchecked: str = ""

    @property
    def holds(self) -> bool:
        return not self.faults


def verify(
    path: Path, *, suite: str | None = None, data: str | Path | None = None, device: str = "cpu"
) -> Verdict:
    """Check a bundle; raises only for what is not the bundle's fault.

    Args:
        suite: file of the suite, if it is not one of the package's.
        data: folder of the data set, for those that are not embedded; without it pictures are only looked at.
        device: where judges run.
    """
    files, faults = archive.read(path)
    if faults:
        return Verdict({}, faults)
    names = [name for name in files if RECORD.fullmatch(name)]
    if len(names) != 1 or ROWS not in files:
        found = ", ".join(sorted(names) + [ROWS] * (ROWS in files)) or "neither"
        return Verdict({}, [Fault("archive", "files", f"one <run id>.json and {ROWS}", found)])
    told, claim, faults = record.read(names[0], files[names[0]])
    if claim is None:
        return Verdict(told, faults)
    foreign = protocol.faults(claim, suite)
    table, odd = rows.read(files[ROWS], claim)
    faults = [*faults, *foreign, *(protocol.of_fingerprints(claim) if not foreign else ()), *odd]
    if table is None or any(fault.part == "suite" for fault in foreign):
        return Verdict(told, faults)
    evaluate.set_numerics(claim.suite.threads)
    counted = recount.recount(claim, table)
    seen = _look(files, claim, table, None if data is None else str(data), None if foreign else device)
    return Verdict(
        record=told,
        faults=[*faults, *counted.faults, *seen.faults],
        scores=counted.equal,
        rows=len(table),
        pictures=seen.pictures,
        measured=seen.measured,
        trusted=counted.trusted,
        unchecked=seen.unchecked,
    )


@dataclass(frozen=True)
class _Seen:
    """What the pictures tell; as in Verdict."""

    faults: list[Fault]
    pictures: int
    measured: int = 0
    unchecked: str = ""


def _look(
    files: Mapping[str, bytes], claim: Claim, table: pd.DataFrame, data: str | None, device: str | None
) -> _Seen:
    """Pictures against rows and the suite's faces; `device` None: the judges are others, so none is asked."""
    wanted = pictures.choice(files[ROWS], table)
    with tempfile.TemporaryDirectory() as folder:
        unpacked, odd = pictures.unpack(files, wanted, claim.suite.resolution, Path(folder))
        faults = [*odd, *pictures.copies(claim, unpacked)]
        try:
            samples = evaluate.open_samples(claim.suite, data)
        except BadDataset as error:
            return _Seen(faults, len(wanted), unchecked=str(error))
        faces = inputs.faces_of(samples, claim.identity.data.digest)
        faults += inputs.faults(claim, faces, table, unpacked)
        if device is None:
            return _Seen(faults, len(wanted))
        setup = remeasure.setup_of(claim, data, device, unpacked)
        again = remeasure.remeasure(setup, faces, unpacked, table)
        return _Seen([*faults, *again.faults], len(wanted), again.equal)
