"""Whether runs may stand on one page, and what a reader should know where they do."""

from __future__ import annotations

from collections.abc import Sequence

from ..store import comparable
from ..store.folder import RunFolder
from .material import Run


def check(runs: Sequence[Run]) -> None:
    """ResultsError with every difference of the first two runs that were not measured alike."""
    first, *others = (RunFolder(run.path) for run in runs)
    for other in others:
        comparable.check(first, other, face_by_face=False)


def notes(runs: Sequence[Run]) -> list[str]:
    """What differs between comparable runs and a reader should know."""
    found = []
    if len({run.identity["data"].get("digest") for run in runs}) > 1:
        found.append(
            "The drawn faces were drawn on different machines: equal within one grey level, not to the bit."
        )
    numerics = {
        str(sorted(run.identity.get("numerics", {}).items())): run.identity.get("numerics", {})
        for run in runs
    }
    if len(numerics) > 1:
        told = "; ".join(", ".join(f"{k} {v}" for k, v in sorted(one.items())) for one in numerics.values())
        found.append(f"Numerics differ between runs ({told}): last digits may, too.")
    devices = {str(run.cost["device"]) for run in runs if run.cost.get("device")}
    if len(devices) > 1:
        found.append(f"Time and memory were measured on different devices: {'; '.join(sorted(devices))}.")
    return found
