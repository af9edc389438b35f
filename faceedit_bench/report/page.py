"""Runs -> one HTML document that works alone: no request leaves it, and no text of a run becomes markup."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from .. import __version__
from ..catalog import catalog
from . import background, comparable, figures, grids, licence
from .headline import BEST
from .markup import Child, Html, element, joined
from .material import Run
from .table import headline

FACES = 4  # shown in the tables of pictures


def page(runs: Sequence[Run], *, faces: int = FACES, pictures: bool | None = None) -> str:
    """The document, or ResultsError: runs that were not measured alike, pictures that may not be shown."""
    comparable.check(runs)
    shows = licence.may_show(str(runs[0].identity["data"]["name"]), pictures)
    parts = _sections(runs, faces if shows else 0, shows)
    title = f"{runs[0].identity['suite']['name']}: {_list([run.name for run in runs])}"
    style, script = _packaged("page.css"), _packaged("page.js")
    main = element("main", *_marked(parts), id="main")
    body = element("body", _header(title, runs, parts), main, _footer(), element("script", script))
    return f"<!DOCTYPE html>\n{element('html', _head(title, style, script), body, lang='en')}\n"


def _packaged(name: str) -> Html:
    """A file that lies beside this one."""
    return Html(files(__package__).joinpath(name).read_text("utf-8"))


def _head(title: str, style: Html, script: Html) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", style),
    )


def policy(style: str, script: str) -> str:
    """Nothing may be loaded; only this style and this script run; pictures lie in the page."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    """As a Content-Security-Policy names a text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


Sections = dict[str, tuple[str, Html]]  # anchor -> title, content


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


def _marked(parts: Sections) -> list[Html]:
    return [
        element("section", element("h2", title, id=f"{anchor}-title"), content, id=anchor,
                aria_labelledby=f"{anchor}-title")
        for anchor, (title, content) in parts.items()
    ]  # fmt: skip


def _header(title: str, runs: Sequence[Run], parts: Sections) -> Html:
    data = runs[0].identity["data"]
    spec = catalog().datasets.get(str(data["name"]))
    about = f"{len(runs)} {'runs' if len(runs) > 1 else 'run'} over {data['count']} faces of {data['name']}"
    links = [element("li", element("a", name, href=f"#{anchor}")) for anchor, (name, _) in parts.items()]
    return element(
        "header",
        element("a", "Skip to the scores", href="#main", class_="skip"),
        element("h1", title),
        element("p", f"{about}{f' ({spec.summary})' if spec else ''}."),
        element("nav", element("ul", *links), aria_label="Sections"),
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
