"""The tables of a board's page: a row per run; every heading sorts, every filter hides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from ..markup.blocks import ARROWS, scrolling
from ..markup.costs import COSTS
from ..markup.html import Child, Html, breakable, element, joined
from .cell import Cell
from .definition import Board, Column
from .filters import Filters
from .rows import Row, edits_of

TALL = 30  # rows from which a table scrolls by itself, under its headings
LONG = 100  # rows from which the script draws the first ones only


def scores(rows: Sequence[Row], board: Board, filters: Filters) -> Html:
    """Rank, then a column per metric, intervals below the values."""
    left_out = any(row.faces for row in rows)
    sharing = Counter(row.rank for row in rows)
    headings = [
        element("th", "rank", scope="col", data_better="lower"),
        element("th", "faces", scope="col") if left_out else None,
        *(_heading(column, filters) for column in board.columns),
    ]
    lines = [
        [
            _rank(row, sharing[row.rank] > 1),
            element("td", row.faces or "all") if left_out else None,
            *(_cell(cell, one.digits) for cell, one in zip(row.cells, board.columns, strict=True)),
        ]
        for row in rows
    ]
    return table("All methods, all metrics", headings, rows, lines, board, filters)


def per_edit(rows: Sequence[Row], board: Board, filters: Filters) -> Html | None:
    """A column per edit."""
    edits = edits_of(rows)
    if not edits:
        return None
    judges = filters.asked_by(board.each)
    better = board.each.better
    headings = [
        element("th", breakable(edit), scope="col", data_better=better, data_judges=judges) for edit in edits
    ]
    lines = [[_cell(row.per_edit.get(edit), board.each.digits) for edit in edits] for row in rows]
    return table(f"{board.each.title} of every edit", headings, rows, lines, board, filters)


def costs(rows: Sequence[Row], board: Board, filters: Filters) -> Html | None:
    """What one picture needs."""
    if not any(row.cost for row in rows):
        return None
    judges = filters.asked_by(Column("", "", "lower"))
    headings = [
        element("th", column.title, scope="col", data_better="lower", data_judges=judges)
        for column in COSTS.values()
    ]
    lines = []
    for row in rows:
        values = [(column.text(row.cost), column.value(row.cost)) for column in COSTS.values()]
        lines.append([_plain(text, value) for text, value in values])
    return table("One picture at a time, at the suite's size", headings, rows, lines, board, filters)


def table(
    caption: str,
    headings: Sequence[Child],
    rows: Sequence[Row],
    lines: Sequence[Sequence[Child]],
    board: Board,
    filters: Filters,
) -> Html:
    """Methods on the left, then what `lines` say of them."""
    head = element("tr", element("th", "method", scope="col"), *headings)
    body = [
        joined(
            ["\n", element("tr", _name(row, board), *cells, **filters.of_row(row), class_=row.mark or None)]
        )
        for row, cells in zip(rows, lines, strict=True)
    ]
    return sortable(caption, head, body)


def sortable(caption: str, head: Html, body: Sequence[Html]) -> Html:
    """Scrolls by itself where it is too wide or too long."""
    found = element(
        "table",
        element("caption", f"{caption}. ", element("span", "Choose a heading to sort.", class_="hint")),
        element("thead", head),
        element("tbody", *body),
        class_="sortable filtered",
    )
    tall, long = " tall" if len(body) > TALL else "", " long" if len(body) > LONG else ""
    return scrolling(caption, found, f"wide{tall}{long}")


def _heading(column: Column, filters: Filters) -> Html:
    title = joined([breakable(column.title), ARROWS[column.better].replace(" ", "\N{NO-BREAK SPACE}")])
    return element("th", title, scope="col", data_better=column.better, data_judges=filters.asked_by(column))


def _name(row: Row, board: Board) -> Html:
    """Linked to the record, where the page lies in its folder."""
    place = f"runs/{quote(board.suite)}/{quote(row.run)}.json"
    dagger = element("abbr", " †", title=f"saw {', '.join(row.saw)} in training") if row.saw else None
    double = element("abbr", " ‡", title=row.submission) if row.submission else None
    return element("th", element("a", row.name, href=place), dagger, double, scope="row")


def _rank(row: Row, shared: bool) -> Html:
    """Equal ranks say so."""
    if row.rank is None:
        return element("td", row.mark, data_value="", class_="rank")
    told = element("small", "shared") if shared else None
    return element(
        "td", row.place, told, data_value=row.rank, class_="rank first" if row.rank == 1 else "rank"
    )


def _cell(cell: Cell | None, digits: int) -> Html:
    if cell is None:
        return element("td", "–", data_value="")
    bounds = cell.bounds_text(digits)
    return element(
        "td",
        cell.value_text(digits),
        element("small", bounds) if bounds else None,
        data_value=repr(cell.value),
    )


def _plain(text: str, value: object) -> Html:
    """A number sorts as one, anything else as it reads."""
    is_number = isinstance(value, int | float)
    return element("td", text, data_value=value if is_number else "" if value is None else None)
