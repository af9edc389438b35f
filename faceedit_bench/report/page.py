"""Runs -> one HTML document that works alone: no request leaves it, and no text of a run becomes markup."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from .. import __version__
from ..catalog import catalog
from ..markup.blocks import Sections, links, marked
from ..markup.document import document
from ..markup.html import Child, Html, element, joined
from . import background, comparable, figures, grids, licence
from .headline import BEST
from .material import Run
from .table import headline

FACES = 4  # shown in the tables of pictures


def page(runs: Sequence[Run], *, faces: int = FACES, pictures: bool | None = None) -> str:
    """The document, or ResultsError: runs that were not measured alike, pictures that may not be shown."""
    comparable.check(runs)
    shows = licence.may_show(str(runs[0].identity["data"]["name"]), pictures)
    parts = _sections(runs, faces if shows else 0, shows)
    title = f"{runs[0].identity['suite']['name']}: {_list([run.name for run in runs])}"
    main = element("main", *marked(parts), id="main")
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    return document(title, [_header(title, runs, parts), main, _footer()], style=style, script=script)


def _sections(runs: Sequence[Run], faces: int, shows: bool) -> Sections:
    found = {
        "scores": ("Scores", joined([headline(runs), _legend(runs)])),
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
        "cost": ("Cost", background.cost(runs)),
        "failures": ("What went wrong", background.failures(runs)),
        "protocol": ("Protocol", background.protocol(runs)),
        "manifests": ("Manifests", background.manifests(runs)),
        "citations": ("Citations", background.citations(runs)),
        "licences": ("Licences", background.licences(runs, shows)),
    }
    return {anchor: (title, content) for anchor, (title, content) in found.items() if content is not None}


def _header(title: str, runs: Sequence[Run], parts: Sections) -> Html:
    data = runs[0].identity["data"]
    spec = catalog().datasets.get(str(data["name"]))
    about = f"{len(runs)} {'runs' if len(runs) > 1 else 'run'} over {data['count']} faces of {data['name']}"
    return element(
        "header",
        element("a", "Skip to the scores", href="#main", class_="skip"),
        element("h1", title),
        element("p", f"{about}{f' ({spec.summary})' if spec else ''}."),
        links(parts),
    )


def _legend(runs: Sequence[Run]) -> Html:
    lines: list[Child] = [
        "[low, high]: 95 % interval. (low, high): spread between subsamples, not a confidence interval.",
        f"★: {BEST} of those that compete. ≈: the 95 % interval of its difference to the best, face by face, "
        "includes zero (one test per cell, not corrected for their number); only for metrics with a number "
        "per face.",
    ]
    marks = {run.mark for run in runs}
    if "floor" in marks:
        lines.append(joined(["Floor: ", element("code", "copy"), " returns its input. It does not compete."]))
    if "ceiling" in marks:
        name = element("code", "truth")
        lines.append(joined(["Ceiling: ", name, " returns the exact counterfactual. It does not compete."]))
    if any(run.saw for run in runs):
        lines.append("†: used a judge of this page in training.")
    return element("ul", *(element("li", line) for line in lines), class_="legend")


def _no_pictures(runs: Sequence[Run], shows: bool) -> Html:
    data = str(runs[0].identity["data"]["name"])
    why = "pictures were not asked for" if shows or licence.terms(data).shows else licence.terms(data).note
    return element("p", f"No pictures of {data} are shown: {why}.")


def _footer() -> Html:
    return element("footer", element("p", f"Written by faceedit-bench {__version__} from stored runs."))


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
