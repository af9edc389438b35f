"""Runs -> one HTML document that works alone: no request leaves it, and no text of a run becomes markup."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from .. import __version__
from ..markup.blocks import Sections, links, marked, numbers
from ..markup.document import document
from ..markup.html import Html, element, joined
from . import background, comparable, figures, grids, growth, licence, standings
from .contents import about, title
from .headline import contests
from .material import Run
from .parts import Table, html
from .table import headline

FACES = 4  # shown in the tables of pictures


def page(
    runs: Sequence[Run], *, faces: int = FACES, pictures: bool | None = None, sizes: Sequence[int] = ()
) -> str:
    """The document, or ResultsError: runs that were not measured alike, pictures that may not be shown.

    Costs are predicted at `sizes` (pixels per side).
    """
    comparable.check(runs)
    shows = licence.may_show(str(runs[0].identity["data"]["name"]), pictures)
    with growth.following(runs, sizes) as started:
        parts = _sections(runs, faces if shows else 0, shows, started)
    main = element("main", *marked(parts), id="main")
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    return document(title(runs), [_header(runs, parts), main, _footer()], style=style, script=script)


def _sections(runs: Sequence[Run], faces: int, shows: bool, started: growth.Started) -> Sections:
    found = {
        "scores": ("Scores", _scores(runs)),
        "edits": ("Edit by edit", figures.per_edit(runs)),
        "leakage": ("Leakage", figures.leakage(runs)),
        "pareto": ("Trade-offs", figures.pareto(runs)),
        "strength": ("Identity against strength", figures.strengths(runs)),
        "pictures": (
            "Before and after",
            grids.before_after(runs, faces) if faces else _no_pictures(runs, shows),
        ),
        "cases": ("Best, median and worst", grids.cases(runs) if shows else None),
        "masks": ("How they edit", grids.explanations(runs) if shows else None),
        "cost": ("Cost", html(background.cost(runs))),
        "growth": ("Cost against size", growth.plots(runs, growth.finished(started))),
        "failures": ("What went wrong", html(background.failures(runs))),
        "protocol": ("Protocol", html(background.protocol(runs))),
        "manifests": ("Manifests", background.manifests(runs)),
        "citations": ("Citations", html(background.citations(runs))),
        "licences": ("Licences", html(background.licences(runs, shows))),
    }
    return {anchor: (title, content) for anchor, (title, content) in found.items() if content}


def _header(runs: Sequence[Run], parts: Sections) -> Html:
    return element(
        "header",
        element("a", "Skip to the scores", href="#main", class_="skip"),
        element("h1", title(runs)),
        element("p", about(runs)),
        links(parts),
    )


def _scores(runs: Sequence[Run]) -> Html:
    """The table, what its signs mean, and the differences behind them."""
    found = contests(runs)
    against = standings.against_best(found)
    legend = element("div", html([standings.legend(runs)]), class_="legend")
    folded = None if against is None else _folded(against)
    return joined([headline(runs, found), legend, folded])


def _folded(table: Table) -> Html:
    return numbers(table.caption, table.headings, table.rows, title=table.caption)


def _no_pictures(runs: Sequence[Run], shows: bool) -> Html:
    data = str(runs[0].identity["data"]["name"])
    why = "pictures were not asked for" if shows or licence.terms(data).shows else licence.terms(data).note
    return element("p", f"No pictures of {data} are shown: {why}.")


def _footer() -> Html:
    return element("footer", element("p", f"Written by faceedit-bench {__version__} from stored runs."))
