"""Stored numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ResultsError


@dataclass(frozen=True)
class Score:
    """One stored number."""

    metric: str
    version: str
    edit: str  # an edit's name, or "all"
    value: float | None  # None: undefined, for the reason below
    low: float | None
    high: float | None
    n: int
    kind: str  # how the interval was made: "bootstrap 95 %", "spread", "none"
    reason: str = ""
    fingerprint: str = ""  # of what made it (store.fingerprint); stored since there are any

    def entry(self) -> dict[str, Any]:
        """As it is stored: with a reason and a fingerprint only where there is one."""
        optional = ("reason", "fingerprint")
        return {key: value for key, value in asdict(self).items() if key not in optional or value}


def from_entries(entries: Any, path: Path) -> list[Score]:
    """Scores as they are stored in the file `path`, or an error that names it."""
    try:
        return [Score(**entry) for entry in entries]
    except TypeError as error:
        raise ResultsError(
            f"{path}: damaged ({error}); delete this file and give the same command again"
        ) from None


def metric_of(score: str) -> str:
    """`tarr` of `tarr.add`, `leakage` of `leakage/Bald`."""
    return score.partition(".")[0].partition("/")[0]
