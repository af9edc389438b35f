"""The first table of a page: a row per run, a column per metric; it can be sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..markup.blocks import ARROWS, scrolling
from ..markup.html import Html, breakable, element, joined
from .headline import BEST, LIKE_BEST, SIGNS, Column, Contest, bounds_text
from .material import Run


def headline(runs: Sequence[Run], found: Mapping[Column, Contest | None]) -> Html:
    """A row per run, a column per metric, intervals below the values; sortable by the page's script."""
    left_out = any(run.faces.get("unusable") for run in runs)
    head = element(
        "tr",
        element("th", "method", scope="col"),
        element("th", "faces", scope="col") if left_out else None,
        *(element("th", *_heading(column), scope="col", data_better=column.better) for column in found),
    )
    body = [
        element(
            "tr",
            element("th", _name(run), scope="row"),
            _faces(run) if left_out else None,
            *(
                _cell(run, column, "" if contest is None else contest.mark(run))
                for column, contest in found.items()
            ),
        )
        for run in runs
    ]
    table = element(
        "table",
        element("caption", "Choose a heading to sort."),
        element("thead", head),
        element("tbody", *body),
        class_="sortable headline",
    )
    return scrolling("All methods, all metrics", table)


def _heading(column: Column) -> tuple[Html, str]:
    return breakable(column.title), ARROWS[column.better]


def _name(run: Run) -> Html:
    mark = element("small", f" {run.mark}") if run.mark else None
    dagger = element("abbr", " †", title=f"saw {', '.join(run.saw)} in training") if run.saw else None
    return joined([element("a", run.name, href=f"#run-{run.id}"), dagger, mark])


def _faces(run: Run) -> Html:
    scored, of = run.faces["scored"], run.faces["of"]
    return element("td", f"{scored} of {of}" if run.faces["unusable"] else "all", data_value=scored)


def _cell(run: Run, column: Column, told: str) -> Html:
    score = run.scores.get((column.metric, column.edit))
    if score is None:
        return element("td", "–", data_value="")
    if score.value is None:
        return element("td", element("abbr", "–", title=score.reason), data_value="")
    value = f"{score.value:.{column.digits}f}".replace("inf", "∞")
    said, sign = {BEST: "best", LIKE_BEST: "like the best"}.get(told), SIGNS.get(told)
    return element(
        "td",
        element("b", value) if told == BEST else value,
        element("span", f" {sign}", title=said, aria_hidden="true", class_="sign") if sign else None,
        element("span", f" ({said})", class_="unseen") if said else None,
        element("small", bounds) if (bounds := bounds_text(score, column.digits)) else None,
        data_value=repr(score.value),
        class_=told or None,
    )
