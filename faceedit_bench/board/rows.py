"""Scores of a record as a row of a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .cell import Cell
from .definition import Board, Column
from .records import Record, identity, judges_of, scores_of


@dataclass(frozen=True)
class Row:
    """A run on the board."""

    rank: int | None  # None: floor and ceiling
    mark: str  # "floor", "ceiling" or ""
    method: str
    version: str
    preset: str
    run: str
    cells: tuple[Cell | None, ...]  # as Board.columns
    per_edit: Mapping[str, Cell]
    cost: Mapping[str, Any]
    saw: tuple[str, ...]  # judges of this board that the method used in training
    second: Cell | None = None  # by the second judge, where the board asks one
    second_rank: int | None = None  # rank by that judge
    family: str = ""  # of methods, where the board names them
    faces: str = ""  # "187 of 200" where some could not be scored
    submission: str = ""  # by whom and when, of a run that somebody else made; what was not computed again

    @property
    def name(self) -> str:
        return self.method if self.preset == "default" else f"{self.method} ({self.preset})"

    @property
    def label(self) -> str:
        return self.name + (" †" if self.saw else "") + (" ‡" if self.submission else "")

    @property
    def place(self) -> str:
        """`3`; `3 (1)` where another judge ranks it otherwise; `floor`."""
        if self.rank is None or self.second_rank in (None, self.rank):
            return self.mark if self.rank is None else str(self.rank)
        return f"{self.rank} ({self.second_rank})"


def row_of(record: Record, board: Board) -> Row:
    """Not ranked yet."""
    who = identity(record)
    method = who["method"]
    cells = {(score["metric"], score["edit"]): _cell(score) for score in scores_of(record)}
    judges = {judge["name"] for judge in judges_of(record).values()}
    return Row(
        rank=None,
        mark={board.floor: "floor", board.ceiling: "ceiling"}.get(method["name"], ""),
        method=method["name"],
        version=str(method["version"]),
        preset=method.get("preset", "default"),
        run=record["id"],
        cells=tuple(cells.get((column.metric, column.edit)) for column in board.columns),
        per_edit={
            edit: cell
            for (metric, edit), cell in cells.items()
            if metric == board.per_edit and edit != "all" and cell
        },
        cost=record["cost"] or {},
        saw=tuple(sorted(judges & set(method.get("saw", ())))),
        family=board.family_of(method["name"]),
        faces=_faces(record),
        submission=_submission(record),
        second=cells.get((board.second_opinion, board.ranking.edit)),
    )


def edits_of(rows: Sequence[Row]) -> list[str]:
    """All that have a number of their own, in the order of the first row that has them."""
    return list(dict.fromkeys(edit for row in rows for edit in row.per_edit))


def _faces(record: Record) -> str:
    """How many of how many faces were scored, where some were left out."""
    faces = record.get("faces") or {"unusable": ()}
    return f"{faces['scored']} of {faces['of']}" if faces["unusable"] else ""


def _submission(record: Record) -> str:
    """As `board submit` marked it."""
    told = record.get("submitted")
    if not told:
        return ""
    trusted = [*told["trusted"], *(["costs"] if record["cost"] else [])]
    word = f"; {', '.join(trusted)} are the submitter's word" if trusted else ""
    return f"submitted by {told['by']} on {told['when']}{word}"


def _cell(score: Mapping[str, Any]) -> Cell | None:
    if score["value"] is None:
        return None
    low, high = (None if score[key] is None else float(score[key]) for key in ("low", "high"))
    return Cell(float(score["value"]), low, high, score["kind"])


def key_of(column: Column) -> str:
    """What programs call a column: `psnr_reconstruction`."""
    return column.metric if column.edit == "all" else f"{column.metric}_{column.edit}"
