"""A board as columns of plain values: what CSV and Parquet hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..markup.costs import COSTS
from .cell import Cell
from .definition import Board
from .rows import Row, edits_of, key_of

Value = str | int | float | None


@dataclass(frozen=True)
class Flat:
    """One column; a value per row, in the order of the board."""

    name: str
    kind: Literal["text", "whole", "real"]
    values: tuple[Value, ...]


def flat(rows: Sequence[Row], board: Board) -> list[Flat]:
    """Who, scores with their bounds, edits with theirs, costs; nothing is rounded."""
    columns = [
        Flat("rank", "whole", tuple(row.rank for row in rows)),
        Flat("mark", "text", tuple(row.mark for row in rows)),
        Flat("method", "text", tuple(row.method for row in rows)),
        Flat("version", "text", tuple(row.version for row in rows)),
        Flat("preset", "text", tuple(row.preset for row in rows)),
        Flat("run", "text", tuple(row.run for row in rows)),
    ]
    if board.families:
        columns.append(Flat("family", "text", tuple(row.family for row in rows)))
    if board.second_opinion:
        columns.append(Flat("second_rank", "whole", tuple(row.second_rank for row in rows)))
    for place, column in enumerate(board.columns):
        columns += _scores(key_of(column), [row.cells[place] for row in rows])
    for edit in edits_of(rows):
        columns += _scores(f"{board.per_edit}_{edit}", [row.per_edit.get(edit) for row in rows])
    columns += _costs(rows)
    if any(row.faces for row in rows):
        columns.append(Flat("faces", "text", tuple(row.faces or "all" for row in rows)))
    if any(row.submission for row in rows):
        columns.append(Flat("submission", "text", tuple(row.submission or None for row in rows)))
    return columns


def _scores(name: str, cells: Sequence[Cell | None]) -> list[Flat]:
    return [
        Flat(name, "real", tuple(cell.value if cell else None for cell in cells)),
        Flat(f"{name}_low", "real", tuple(cell.low if cell else None for cell in cells)),
        Flat(f"{name}_high", "real", tuple(cell.high if cell else None for cell in cells)),
    ]


def _costs(rows: Sequence[Row]) -> list[Flat]:
    plain = [key for key in COSTS if key != "latency"]
    columns = [
        Flat(key, "text" if key == "device" else "whole", tuple(row.cost.get(key) for row in rows))
        for key in plain
    ]
    times = [row.cost.get("latency") or {} for row in rows]  # seconds
    return columns + [
        Flat(f"latency_{key}", "real", tuple(time.get(key) for time in times)) for key in ("median", "p90")
    ]
