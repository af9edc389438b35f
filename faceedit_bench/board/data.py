"""A board's rows for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .definition import Board
from .rows import Row, key_of


def as_data(rows: Sequence[Row], board: Board) -> list[dict[str, Any]]:
    """Rows for programs."""
    keys = [key_of(column) for column in board.columns]
    return [
        {
            "rank": row.rank,
            **({"second_rank": row.second_rank} if board.second_opinion else {}),
            "mark": row.mark,
            "method": row.method,
            "version": row.version,
            "preset": row.preset,
            "run": row.run,
            "faces": row.faces or "all",
            **({"submission": row.submission} if row.submission else {}),
            "scores": {
                key: None if cell is None else vars(cell) for key, cell in zip(keys, row.cells, strict=True)
            },
            "per_edit": {edit: vars(cell) for edit, cell in row.per_edit.items()},
            "cost": dict(row.cost),
        }
        for row in rows
    ]
