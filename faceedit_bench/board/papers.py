"""Numbers of papers on a board's page: beside what was measured, marked, never ranked with it."""

from __future__ import annotations

from collections.abc import Sequence

from ..markup.html import Html, element, emphasised, joined
from ..published import (
    ABOUT,
    METRICS,
    PROVENANCE,
    Claim,
    Number,
    Published,
    of_boards,
    remarks,
    said,
    setting,
)
from .definition import Board
from .filters import PAPERS_OWN, Filters
from .tables import sortable

HEADING = "Published, not measured here"


def section(published: Published, board: Board, filters: Filters) -> Html | None:
    """A table of what papers print of quality and of cost, with source and provenance."""
    shown = of_boards(published)
    if not (shown or published.claims):
        return None
    claims = [said(claim, published.methods).replace("**", "*") for claim in published.claims]
    notes = [*claims, *published.notes, *remarks(shown, published.methods)]
    everything: list[Number | Claim] = [*shown, *published.claims]
    used, cited = {one.provenance for one in everything}, {one.paper for one in everything}
    parts = [
        element("p", element("strong", "Not ranked, not comparable with the numbers above. "), ABOUT),
        _table(shown, published, filters) if shown else None,
        element("ul", *(element("li", emphasised(note)) for note in notes), class_="legend")
        if notes
        else None,
        _terms({kind: told for kind, told in PROVENANCE.items() if kind in used}, "How it came here"),
        _terms({name: text for name, text in published.papers.items() if name in cited}, "Papers"),
    ]
    return element("div", *parts, class_="published")


def _table(shown: Sequence[Number], published: Published, filters: Filters) -> Html:
    judges = filters.judges.index(PAPERS_OWN)
    titles = ("method", "metric", "value", "on", "source", "how it came here")
    head = element("tr", *(element("th", title, scope="col", data_judges=judges) for title in titles))
    body = []
    for number in shown:
        assert number.value is not None
        value = element("td", number.text(number.value), data_value=number.value)
        rest = [METRICS[number.metric], value, setting(number), number.source, _how(number)]
        cells = [cell if isinstance(cell, Html) else element("td", cell) for cell in rest]
        badge = element("small", "published", class_="badge")
        name = element("th", published.methods[number.method], " ", badge, scope="row")
        body.append(joined(["\n", element("tr", name, *cells, **filters.of_number(number))]))
    return sortable("What papers print, each under its own protocol", head, body)


def _how(number: Number) -> Html:
    doubt = element("strong", ", not re-checked") if number.provenance == "recalled" else None
    return element("td", number.provenance, doubt)


def _terms(told: dict[str, str], title: str) -> Html:
    items = [joined([element("dt", name), element("dd", text)]) for name, text in told.items()]
    return element("details", element("summary", title), element("dl", *items))
