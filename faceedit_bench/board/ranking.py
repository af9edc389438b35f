"""Records -> ranked rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from .cell import Cell
from .definition import Board
from .records import Record, check_comparable, check_requirements
from .rows import Row, row_of


def ranked(records: Sequence[Record], board: Board) -> list[Row]:
    """Ceiling first, methods by rank, floor last. Runs that cannot be compared are refused.

    Walking down from the best value, a method shares the rank of the first of its group if their bootstrap
    intervals overlap; otherwise it opens the next group, and its rank is its place (1, 1, 3).
    """
    for record in records:
        check_requirements(record, board)
    check_comparable(records, board)
    rows = [row_of(record, board) for record in records]
    index = board.columns.index(board.ranking)
    competitors = [row for row in rows if not row.mark]
    placed = [
        replace(row, rank=rank) for row, rank in _ranks(competitors, board, lambda row: row.cells[index])
    ]
    if board.second_opinion:
        again = {row.run: rank for row, rank in _ranks(placed, board, lambda row: row.second)}
        placed = [replace(row, second_rank=again[row.run]) for row in placed]
    ceilings = sorted((row for row in rows if row.mark == "ceiling"), key=lambda row: row.run)
    floors = sorted((row for row in rows if row.mark == "floor"), key=lambda row: row.run)
    return [*ceilings, *placed, *floors]


def _ranks(rows: Sequence[Row], board: Board, cell: Callable[[Row], Cell | None]) -> list[tuple[Row, int]]:
    """Rows from the best value of `cell` down, each with the place at which its group began."""
    sign = -1 if board.ranking.better == "higher" else 1
    ordered = sorted(rows, key=lambda row: (sign * _value(cell(row)), row.name, row.run))
    placed: list[tuple[Row, int]] = []
    first, rank = None, 0
    for place, row in enumerate(ordered, start=1):
        if first is None or not _share(cell(first), cell(row)):
            first, rank = row, place
        placed.append((row, rank))
    return placed


def _share(first: Cell | None, other: Cell | None) -> bool:
    return first is not None and other is not None and first.overlaps(other)


def _value(cell: Cell | None) -> float:
    return math.nan if cell is None else cell.value
