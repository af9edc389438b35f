"""Whether a bundle holds: everything that can be computed again is, and every fault is told."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import evaluate
from ..errors import BadDataset
from . import archive, inputs, pictures, protocol, record, recount, remeasure, rows
from .faults import Fault
from .layout import RECORD, ROWS
from .record import Claim


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
    return _claimed(told, claim, faults, files, suite, None if data is None else str(data), device)


def _claimed(
    told: Mapping[str, Any],
    claim: Claim,
    faults: list[Fault],
    files: Mapping[str, bytes],
    suite: str | None,
    data: str | None,
    device: str,
) -> Verdict:
    """The rest, of a record of the right shape."""
    foreign = protocol.faults(claim, suite)
    table, odd = rows.read(files[ROWS], claim)
    faults = [*faults, *foreign, *odd]
    if table is None or any(fault.part == "suite" for fault in foreign):
        return Verdict(told, faults)
    evaluate.set_numerics(claim.suite.threads)
    counted = recount.recount(claim, table)
    faults += counted.faults
    wanted = pictures.choice(files[ROWS], table)
    with tempfile.TemporaryDirectory() as folder:
        unpacked, odd = pictures.unpack(files, wanted, claim.suite.resolution, Path(folder))
        faults += [*odd, *pictures.copies(claim, unpacked)]
        measured, why = 0, ""
        try:
            faces = _faces(claim, data)
        except BadDataset as error:
            why = str(error)
        else:
            faults += inputs.faults(claim, faces, table, unpacked)
            if not foreign:
                again = remeasure.remeasure(
                    remeasure.setup_of(claim, data, device, unpacked), faces, unpacked, table
                )
                measured, faults = again.equal, [*faults, *again.faults]
    return Verdict(
        record=told,
        faults=faults,
        scores=counted.equal,
        rows=len(table),
        pictures=len(wanted),
        measured=measured,
        trusted=counted.trusted,
        unchecked=why,
    )


def _faces(claim: Claim, data: str | None) -> inputs.Faces:
    return inputs.faces_of(evaluate.open_samples(claim.suite, data), claim.identity.data.digest)
