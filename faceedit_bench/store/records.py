"""A complete run as one JSON record, for leaderboards and for passing on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..manifest import plain
from .folder import RunFolder

FORMAT = 1


def export(path: Path) -> dict[str, Any]:
    """The record of the run in folder `path`; the run must be complete."""
    folder = RunFolder(path)
    scores = [score.entry() for score in folder.scores()]
    manifest, suite, later = folder.manifest, folder.suite(), folder.rescored()
    return {
        "format": FORMAT,
        "id": manifest.id,
        "manifest": plain(manifest),
        "scores": scores,
        "cost": folder.cost(),
        "faces": folder.faces(),
        **({} if suite is None else {"suite": suite}),
        **({"rescored": later} if later["metrics"] else {}),
    }
