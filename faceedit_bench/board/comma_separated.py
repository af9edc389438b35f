"""A board as comma-separated values, in full precision."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from .definition import Board
from .flat import Value, flat
from .protocol import source
from .ranking import ranked
from .records import Record

COMMANDS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula at the start of a cell


def comma_separated(records: Sequence[Record], board: Board, name: str) -> str:
    """One line per run, after one line that says where it comes from; floor and ceiling for a rank."""
    columns = {column.name: column.values for column in flat(ranked(records, board), board)}
    marks = columns.pop("mark")
    columns["rank"] = tuple(
        rank if rank is not None else mark for rank, mark in zip(columns["rank"], marks, strict=True)
    )
    text = io.StringIO()
    text.write(f"# {source(name, board)}\n")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(map(_inert, columns))
    lines.writerows([_inert(value) for value in line] for line in zip(*columns.values(), strict=True))
    return text.getvalue()


def _inert(value: Value) -> Value:
    """Text that no spreadsheet takes for a formula: an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(COMMANDS) else value
