"""A board as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ..markup.blocks import ARROWS
from ..markup.costs import COSTS
from ..markup.markdown import escaped, table
from .cell import Cell
from .definition import Board, Column
from .protocol import Fact, facts, legend, source
from .ranking import ranked
from .records import Record
from .rows import Row, edits_of


def markdown(records: Sequence[Record], board: Board, name: str, published: str = "") -> str:
    """The board as a page; `published`, the block of printed numbers, stands apart at its end."""
    rows = ranked(records, board)
    parts = [
        f"<!-- {source(name, board).replace('--', '- -')} -->",
        f"# {board.title}",
        *([board.about] if board.about else []),
    ]
    if not rows:
        parts.append("No runs yet: `faceedit-bench export RUN` adds one.")
        return "\n\n".join([*parts, *([published] if published else [])]) + "\n"
    parts.append(_scores_table(rows, board))
    parts.append("  \n".join(line.replace("<", "\\<") for line in legend(rows, board)))
    if board.per_edit and any(row.per_edit for row in rows):
        parts += [f"## {board.each.title} per edit", _per_edit_table(rows, board)]
    if any(row.cost for row in rows):
        parts += ["## Cost", _cost_table(rows)]
    parts += ["## Protocol", "\n".join(map(_fact, facts(records, rows)))]
    parts += [published] if published else []
    return "\n\n".join(parts) + "\n"


def _scores_table(rows: Sequence[Row], board: Board) -> str:
    some_left_out = any(row.faces for row in rows)
    faces = ["faces"] if some_left_out else []
    headings = ["rank", "method", *faces]
    headings += [f"{column.title}{ARROWS[column.better]}" for column in board.columns]
    body = [
        [
            f"*{row.mark}*" if row.mark else row.place,
            escaped(row.label),
            *([row.faces or "all"] if some_left_out else []),
            *_texts(row.cells, board.columns),
        ]
        for row in rows
    ]
    return table(headings, body, left=2 + len(faces))


def _texts(cells: Sequence[Cell | None], columns: Sequence[Column]) -> list[str]:
    return [
        "–" if cell is None else cell.text(column.digits) for cell, column in zip(cells, columns, strict=True)
    ]


def _per_edit_table(rows: Sequence[Row], board: Board) -> str:
    digits, edits = board.each.digits, edits_of(rows)
    body = [
        [escaped(edit), *(row.per_edit[edit].text(digits) if edit in row.per_edit else "–" for row in rows)]
        for edit in edits
    ]
    return table(["edit", *(escaped(row.label) for row in rows)], body, left=1)


def _cost_table(rows: Sequence[Row]) -> str:
    headings = ["method", *(column.title for column in COSTS.values())]
    return table(
        headings,
        [[escaped(row.name), *(escaped(column.text(row.cost)) for column in COSTS.values())] for row in rows],
        left=1,
    )


def _fact(fact: Fact) -> str:
    pins = ", ".join(f"`{pin}`" for pin in fact.pins)
    return f"- {escaped(fact.part)}: {' '.join(part for part in (escaped(fact.text), pins) if part)}"
