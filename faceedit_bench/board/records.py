"""Records: exported runs, as read from JSON, and whether those of a board may stand in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ResultsError
from ..manifest import Manifest, precision
from ..store import later
from .definition import Board

Record = Mapping[str, Any]  # what `faceedit-bench export` writes; faceedit_bench.store.records
FORMAT = 1


def check_record(record: Any, path: Path) -> Record:
    """The record, or ResultsError: not a record, or not what its name says."""
    if not isinstance(record, dict) or not {"format", "id", "manifest", "scores", "cost"} <= record.keys():
        raise ResultsError(f"{path}: not a run record; make it with `faceedit-bench export`")
    if record["format"] != FORMAT:
        raise ResultsError(
            f"{path}: wanted record format {FORMAT}, found {record['format']!r}; export the run again"
        )
    found = Manifest(record["manifest"].get("identity", {}), {}).id
    if not record["id"] == found == path.stem:
        raise ResultsError(
            f"{path}: its name, id {record['id']!r} and identity (id {found!r}) must agree; export it again"
        )
    return record


def identity(record: Record) -> Mapping[str, Any]:
    """What was run: method, weights, suite, pictures, judges, metrics."""
    return record["manifest"]["identity"]


def scores_of(record: Record) -> list[Mapping[str, Any]]:
    """Every score, those that were computed after the run included."""
    return [*record["scores"], *record.get("rescored", {}).get("scores", ())]


def judges_of(record: Record) -> Mapping[str, Mapping[str, Any]]:
    """Role -> judge, those of later scores included."""
    rescored = record.get("rescored")
    of_later = dict(later.asked(later.of_each_metric(rescored))) if rescored else {}
    return {**identity(record).get("judges", {}), **of_later}


def digest(record: Record) -> str:
    """Of the pictures."""
    return str(identity(record).get("data", {}).get("digest", "unknown"))


def check_requirements(record: Record, board: Board) -> None:
    """ResultsError: the run is of another suite or lacks a metric."""
    suite = identity(record)["suite"]["name"]
    if suite != board.suite:
        raise ResultsError(f"run {record['id']}: board wants suite {board.suite!r}, found {suite!r}")
    present = {score["metric"] for score in scores_of(record)}
    wanted = [name for name in (board.rank_by, board.second_opinion, *board.require) if name]
    missing = [name for name in wanted if name not in present]
    if missing:
        raise ResultsError(
            f"run {record['id']} lacks {', '.join(missing)}, which board {board.title!r} requires"
        )


def check_comparable(records: Sequence[Record], board: Board) -> None:
    """All runs under one protocol, or an error that says which part of which two runs differs."""
    for record in records[1:]:
        before, now = _protocol(records[0], board), _protocol(record, board)
        differing = [part for part in sorted({*before, *now}) if before.get(part) != now.get(part)]
        if differing:
            lines = [
                f"  {part}: {before.get(part, 'absent')} against {now.get(part, 'absent')}"
                for part in differing
            ]
            head = f"runs {records[0]['id']} and {record['id']} cannot stand in one table; they differ in"
            raise ResultsError("\n".join([head, *lines, "run one of them again, or remove its record"]))


def _protocol(record: Record, board: Board) -> dict[str, str]:
    """What must be equal among the runs of a board."""
    who = identity(record)
    parts = {"suite": f"{who['suite']['name']} {who['suite']['fingerprint']}"}
    for role, judge in who.get("judges", {}).items():
        parts[f"judge of {role}"] = f"{judge['name']} {judge['version']} {judge['sha256']}{precision(judge)}"
    for metric, version in who.get("metrics", {}).items():
        parts[f"version of metric {metric}"] = str(version)
    parts |= _later(record, board)
    if board.same_pictures:
        parts["pictures"] = digest(record)
    return parts


def _later(record: Record, board: Board) -> dict[str, str]:
    """What made those numbers of the board that were computed after the run: one fingerprint each."""
    shown = {*board.require, board.second_opinion, *(column.metric for column in board.columns)}
    return {
        f"fingerprint of {score['metric']}": score["fingerprint"]
        for score in record.get("rescored", {}).get("scores", ())
        if score["metric"] in shown and "fingerprint" in score
    }
