"""Add the record of a bundle that holds to the leaderboards, marked with who submitted it and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import board
from ..errors import BadConfig, ResultsError
from ..store.files import read_json, write_json
from .faults import Fault, told
from .record import PLAIN
from .verify import Verdict, verify


def submit(
    path: Path,
    by: str,
    leaderboards: Path,
    *,
    suite: str | None = None,
    data: str | Path | None = None,
    device: str = "cpu",
) -> tuple[Path, Verdict]:
    """Verify the bundle and write its record; ResultsError with every reason why not."""
    if not by.strip() or not PLAIN.fullmatch(by):
        raise BadConfig(f"--by {by!r}: wanted a name on one line, without | < > * ` [ ] and \\")
    if not leaderboards.is_dir():
        raise ResultsError(f"{leaderboards}: no such folder; say with --folder where the leaderboards lie")
    verdict = verify(path, suite=suite, data=data, device=device)
    if not verdict.holds:
        raise ResultsError(f"{told(path, verdict.faults)}\nnothing was added")
    if verdict.unchecked:
        raise ResultsError(
            f"{path}: its faces must be compared with the suite's own before it is added: {verdict.unchecked}"
        )
    record = {**verdict.record, "submitted": _marked(by.strip(), verdict)}
    place = leaderboards / "runs" / record["manifest"]["identity"]["suite"]["name"] / f"{record['id']}.json"
    if place.exists():
        raise ResultsError(f"{place} is there already: a run is added once, and none is overwritten")
    if faults := list(_not_on_boards(record, place.parent, leaderboards)):
        raise ResultsError(f"{told(path, faults)}\nnothing was added")
    place.parent.mkdir(parents=True, exist_ok=True)
    write_json(place, record)
    return place, verdict


def _marked(by: str, verdict: Verdict) -> dict[str, Any]:
    """Who and when, and how much of the record was computed again."""
    return {
        "by": by,
        "when": datetime.now(UTC).date().isoformat(),
        "pictures": verdict.pictures,
        "trusted": list(verdict.trusted),
    }


def _not_on_boards(record: Mapping[str, Any], runs: Path, leaderboards: Path) -> Iterator[Fault]:
    """Boards of its suite that could no longer be made with it."""
    others = [board.check_record(read_json(path), path) for path in sorted(runs.glob("*.json"))]
    for path in sorted(leaderboards.glob("*.toml")):
        definition = board.load(path)
        if definition.suite != runs.name:
            continue
        try:
            board.ranked([*others, record], definition)
        except ResultsError as error:
            yield Fault("boards", path.stem, "a run that can stand beside the others", str(error))
