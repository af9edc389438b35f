"""Scores of a record as a row of a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .cell import Cell
from .definition import Board, Column
from .records import Record, identity


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
    faces: str = ""  # "187 of 200" where some could not be scored

    @property
    def name(self) -> str:
        return self.method if self.preset == "default" else f"{self.method} ({self.preset})"

    @property
    def label(self) -> str:
        return self.name + (" †" if self.saw else "")


def row_of(record: Record, board: Board) -> Row:
    """Not ranked yet."""
    who = identity(record)
    method = who["method"]
    cells = {(score["metric"], score["edit"]): _cell(score) for score in record["scores"]}
    judges = {judge["name"] for judge in who.get("judges", {}).values()}
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
        faces=_faces(record),
        second=cells.get((board.second_opinion, board.ranking.edit)),
    )


def _faces(record: Record) -> str:
    """How many of how many faces were scored, where some were left out."""
    faces = record.get("faces") or {"unusable": ()}
    return f"{faces['scored']} of {faces['of']}" if faces["unusable"] else ""


def _cell(score: Mapping[str, Any]) -> Cell | None:
    if score["value"] is None:
        return None
    low, high = (None if score[key] is None else float(score[key]) for key in ("low", "high"))
    return Cell(float(score["value"]), low, high, score["kind"])


def key_of(column: Column) -> str:
    """What programs call a column: `psnr_reconstruction`."""
    return column.metric if column.edit == "all" else f"{column.metric}_{column.edit}"
