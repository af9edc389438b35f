"""A board as one HTML page that works alone: sorted by any column, filtered, with plots and pins."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from ..markup.blocks import Sections, links, marked
from ..markup.document import document
from ..markup.html import Html, element, emphasised, joined
from ..markup.tradeoffs import Contender, measures, tradeoffs
from ..published import Published
from . import papers, tables
from .definition import Board
from .filters import Filters
from .protocol import Fact, facts, legend, source
from .ranking import ranked
from .records import Record
from .rows import Row


def page(records: Sequence[Record], board: Board, name: str, published: Published) -> str:
    """The document; what papers print stands in a section of its own, marked, and is never ranked."""
    rows = ranked(records, board)
    filters = Filters.of(records, board, rows, published)
    sections = _sections(records, rows, board, published, filters)
    body = [
        element("a", "Skip to the scores", href="#main", class_="skip"),
        element("header", element("h1", board.title), element("p", board.about or None), links(sections)),
        filters.controls(),
        element("main", *(joined(["\n", section]) for section in marked(sections)), id="main"),
        element("footer", element("p", emphasised(source(name, board)))),
    ]
    style, script = (files(__package__).joinpath(file).read_text("utf-8") for file in ("page.css", "page.js"))
    return document(board.title, body, style=style, script=script, note=source(name, board))


def _sections(
    records: Sequence[Record], rows: Sequence[Row], board: Board, published: Published, filters: Filters
) -> Sections:
    scores = [
        tables.scores(rows, board, filters) if rows else element("p", "No runs yet."),
        _protocol(facts(records, rows)),
        element("ul", *(element("li", emphasised(line)) for line in legend(rows, board)), class_="legend"),
    ]
    found = {
        "scores": ("Measured here", joined(scores)),
        "pareto": ("Trade-offs", tradeoffs([_contender(row, board) for row in rows])),
        "edits": (f"{board.each.title} per edit", tables.per_edit(rows, board, filters)),
        "cost": ("Cost", tables.costs(rows, board, filters)),
        "published": (papers.HEADING, papers.section(published, board, filters)),
    }
    return {anchor: (title, content) for anchor, (title, content) in found.items() if content is not None}


def _protocol(of: Sequence[Fact]) -> Html | None:
    """Folded: one click shows suite, judges, versions and every pin."""
    if not of:
        return None
    lines = [
        element("li", f"{fact.part}: {fact.text} ", *(element("code", pin) for pin in fact.pins))
        for fact in of
    ]
    summary = element("summary", "Protocol: suite, judges and their pins, versions, runs")
    return element("details", summary, element("ul", *lines), id="protocol")


def _contender(row: Row, board: Board) -> Contender:
    def score(metric: str) -> tuple[float | None, float | None, float | None] | None:
        for edit in ("all", "reconstruction"):
            for column, cell in zip(board.columns, row.cells, strict=True):
                if cell and (column.metric, column.edit) == (metric, edit):
                    return cell.value, cell.low, cell.high
        return None

    return Contender(row.name, measures(score, row.cost), not row.mark)
