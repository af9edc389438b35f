"""A board as LaTeX tables in the manner of booktabs: \\input it, or copy what you need."""

from __future__ import annotations

from collections.abc import Sequence

from ..markup.blocks import ARROWS
from ..markup.costs import COSTS
from ..markup.latex import escaped
from .cell import Cell
from .definition import Board
from .protocol import facts, source
from .ranking import ranked
from .records import Record
from .rows import Row, edits_of

PACKAGES = r"\usepackage{booktabs,graphicx}"
Line = Sequence[str]  # cells, LaTeX already


def latex(records: Sequence[Record], board: Board, name: str) -> str:
    """Scores, edits and costs, a float each; the protocol as comments at the top."""
    rows = ranked(records, board)
    parts = [
        "\n".join(
            f"% {line}" for line in [source(name, board), f"Wants {PACKAGES}.", *_protocol(records, rows)]
        )
    ]
    if rows:
        parts.append(_scores(rows, board, name))
    if edits_of(rows):
        parts.append(_per_edit(rows, board, name))
    if any(row.cost for row in rows):
        parts.append(_costs(rows, board, name))
    return "\n\n".join(parts) + "\n"


def _protocol(records: Sequence[Record], rows: Sequence[Row]) -> list[str]:
    lines = [
        f"{fact.part}: {' '.join(part for part in (fact.text, *fact.pins) if part)}"
        for fact in facts(records, rows)
    ]
    return [" ".join(line.split()) for line in lines]


def _scores(rows: Sequence[Row], board: Board, name: str) -> str:
    """The first group, which shares rank 1, is bold; below a value is its interval."""
    ranking = board.columns.index(board.ranking)
    groups = []
    for of in (
        [row for row in rows if row.mark == "ceiling"],
        [row for row in rows if not row.mark],
        [row for row in rows if row.mark == "floor"],
    ):
        lines: list[Line] = []
        for row in of:
            values = [
                _value(cell, column.digits) for cell, column in zip(row.cells, board.columns, strict=True)
            ]
            who = [escaped(row.place), escaped(row.label)]
            if row.rank == 1:
                who, values[ranking] = [_bold(part) for part in who], _bold(values[ranking])
            bounds = [
                _bounds(cell, column.digits) for cell, column in zip(row.cells, board.columns, strict=True)
            ]
            lines += [[*who, *values], ["", escaped(row.faces), *bounds]]
        groups.append(lines)
    headings = ["", "method", *(_stacked(f"{one.title}{ARROWS[one.better]}") for one in board.columns)]
    caption = (
        f"{escaped(board.title)}. Ranked by {escaped(board.ranking.title)}; methods whose bootstrap "
        "intervals overlap with that of the first of their group share its rank. Bold: the first group. "
        "[low, high]: 95\\,\\% interval; (low, high): spread between subsamples."
    )
    return _table(caption, f"tab:{name}", "rl" + "r" * len(board.columns), headings, groups)


def _per_edit(rows: Sequence[Row], board: Board, name: str) -> str:
    lines: list[Line] = []
    for edit in edits_of(rows):
        cells = [row.per_edit.get(edit) for row in rows]
        lines.append([escaped(edit), *(_value(cell, board.each.digits) for cell in cells)])
        lines.append(["", *(_bounds(cell, board.each.digits) for cell in cells)])
    headings = ["edit", *(_stacked(row.label) for row in rows)]
    caption = f"{escaped(board.title)}: {escaped(board.each.title)} of every edit, with 95\\,\\% intervals."
    return _table(caption, f"tab:{name}-edits", "l" + "r" * len(rows), headings, [lines])


def _costs(rows: Sequence[Row], board: Board, name: str) -> str:
    lines = [[escaped(row.name), *(escaped(one.text(row.cost)) for one in COSTS.values())] for row in rows]
    headings = ["method", *(_stacked(one.title) for one in COSTS.values())]
    caption = f"{escaped(board.title)}: cost of one picture."
    return _table(caption, f"tab:{name}-cost", "l" + "r" * len(COSTS), headings, [lines])


# ---- cells ----------------------------------------------------------------------------------------


def _value(cell: Cell | None, digits: int) -> str:
    return "--" if cell is None else escaped(cell.value_text(digits))


def _bounds(cell: Cell | None, digits: int) -> str:
    bounds = cell.bounds_text(digits) if cell else ""
    return rf"{{\scriptsize {bounds}}}" if bounds else ""


def _bold(text: str) -> str:
    return rf"\textbf{{{text}}}" if text else ""


def _stacked(title: str) -> str:
    """A heading, a word to a line."""
    words = [escaped(word) for word in title.split()]
    stack = r" \\ ".join(words)
    return stack if len(words) < 2 else rf"\shortstack[r]{{{stack}}}"


def _table(caption: str, label: str, columns: str, headings: Line, groups: Sequence[Sequence[Line]]) -> str:
    """A float as wide as the page at most; rules part the groups."""
    bodies = ["\n".join(map(_line, lines)) for lines in groups if lines]
    lines = [
        r"\begin{table*}[tp]",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\label{{{_label(label)}}}",
        r"\setlength{\tabcolsep}{4pt}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _line(headings),
        r"\midrule",
        "\n\\midrule\n".join(bodies),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table*}",
    ]
    return "\n".join(lines)


def _line(cells: Line) -> str:
    return " & ".join(cells) + r" \\"


def _label(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-:." else "-" for letter in name)
