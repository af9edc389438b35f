"""The plots of a page, each with what it shows in words and its numbers in a folded table."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import partial

from .. import suite as suites
from ..markup.blocks import figure, numbers
from ..markup.html import Html, element, joined
from ..markup.tradeoffs import Contender, better, measures, title_of, tradeoffs
from .bars import Bar, bars
from .curve import Curve, curves, shares
from .headline import told
from .heatmap import heatmap
from .material import ALL, RECONSTRUCTION, Run, digits_of
from .parts import ABREAST, Part, Table, Words

PER_EDIT = ("tarr", "response", "id")  # the first that there is, as bars
MATRIX, COUPLED = "leakage/", "leakage_normalised.coupling/"
Cell = tuple[str, str]  # edit and attribute
ABOUT_STRENGTHS = (
    "Strengths of two methods are not of one scale: compare the ID of two methods where they have the same "
    "response. A method that keeps a face by hardly editing it has a low response."
)


# ---- per edit -------------------------------------------------------------------------------------


def per_edit(runs: Sequence[Run]) -> Html | None:
    """A plot of bars for every edit."""
    edits, metric = runs[0].edit_names(), _metric_per_edit(runs)
    if metric is None:
        return None
    digits = min(digits_of(metric), 3)
    shown = {edit: [_bar(run, index, metric, edit) for index, run in enumerate(runs)] for edit in edits}
    highest = max((bar.high or bar.value or 0 for rows in shown.values() for bar in rows), default=0)
    top = 100.0 if title_of(metric).endswith("%") else highest * 1.05 or 1.0
    plots = [
        figure(edit, bars(f"{metric}, {edit}", rows, top, min(digits, 1) if top == 100 else digits))
        for edit, rows in shown.items()
    ]
    told = _table_per_edit(runs, metric)
    return joined(
        [
            element(
                "p", f"{title_of(metric)} of every edit, {better(metric)} is better; lines are intervals."
            ),
            element("div", *plots, class_="plots"),
            numbers(told.caption, told.headings, told.rows),
        ]
    )


def _metric_per_edit(runs: Sequence[Run]) -> str | None:
    scored = {key for run in runs for key in run.scores}
    names = runs[0].edit_names()
    return next((name for name in PER_EDIT for edit in names if (name, edit) in scored), None)


def tables_per_edit(runs: Sequence[Run]) -> list[Part]:
    """The same numbers without bars, as many runs to a table as fit."""
    metric = _metric_per_edit(runs)
    if metric is None:
        return []
    return [_table_per_edit(runs[start : start + ABREAST], metric) for start in range(0, len(runs), ABREAST)]


def _table_per_edit(runs: Sequence[Run], metric: str) -> Table:
    rows = [[edit, *(_told(run, metric, edit) for run in runs)] for edit in runs[0].edit_names()]
    return Table(f"{title_of(metric)} of every edit", ["edit", *(run.name for run in runs)], rows)


def _bar(run: Run, index: int, metric: str, edit: str) -> Bar:
    score = run.scores.get((metric, edit))
    if score is None or score.value is None or not math.isfinite(score.value):
        return Bar(run.name, index, None, None, None)
    return Bar(run.name, index, score.value, score.low, score.high)


def _told(run: Run, metric: str, edit: str) -> str:
    return told(run.scores.get((metric, edit)), digits_of(metric))


# ---- leakage --------------------------------------------------------------------------------------


def leakage(runs: Sequence[Run]) -> Html | None:
    """A heatmap per run: which attributes the judge saw change under which edit; and how the data couple
    them, where a run has that."""
    edits = runs[0].edit_names()
    keys = dict.fromkeys(metric for run in runs for metric, _ in run.scores if metric.startswith(MATRIX))
    if not keys:
        return None
    attributes = [key.removeprefix(MATRIX) for key in keys]
    asked = {(edit.name, name) for edit in runs[0].edits for name in edit.changed}
    parts = [_flips(run, edits, attributes, asked) for run in runs]
    about = (
        "Rows are edits, columns attributes: in how many percent of faces the judge's decision on the "
        "attribute changed. Framed cells were asked for; all others should be empty, apart from what the "
        "conflict rule clears."
    )
    return joined(
        [
            element("p", about),
            element("div", *parts, class_="plots large"),
            *_couplings(runs, edits, attributes, asked),
        ]
    )


def _flips(run: Run, edits: Sequence[str], attributes: Sequence[str], asked: Collection[Cell]) -> Html:
    values = [[run.value(MATRIX + name, edit) for name in attributes] for edit in edits]
    label = (
        f"{run.name}: percent of faces of which the judge sees an attribute (column) change under an "
        "edit (row); the numbers are in the table below"
    )
    drawing = heatmap(label, edits, attributes, values, asked, "{row} changed {column} in {value:.1f} %")
    caption = f"{run.name}: % of faces changed"
    return _matrix(run.name, f"Leakage, {run.name}", drawing, caption, edits, attributes, values)


def _couplings(
    runs: Sequence[Run], edits: Sequence[str], attributes: Sequence[str], asked: Collection[Cell]
) -> list[Html]:
    """How the labels of the faces themselves go together; the same for all runs of a page."""
    run = next((run for run in runs if any(key.startswith(COUPLED) for key, _ in run.scores)), None)
    if run is None:
        command = element("code", "faceedit-bench rescore RUN --metric leakage_normalised")
        about = (
            "A judge learned how attributes go together in its data, so a part of what is not framed may be "
            "the judge's. How they go together in these faces is shown here once a run has been told "
        )
        return [element("p", about, command, ", for which it must have been made with --keep-pictures.")]
    values = [[run.value(COUPLED + name, edit) for name in attributes] for edit in edits]
    label = (
        "Correlation, in percent, of the labels of an attribute (column) with those of the edited one (row); "
        "the numbers are in the table below"
    )
    hint = "{column} and what {row} edits: r = {value:.0f} %"
    drawing = heatmap(label, edits, attributes, values, asked, hint)
    about = (
        "So the labels of these faces go together (correlation, in percent). A judge learned such couplings "
        "from its own data: where they are strong, a part of the leakage may be the judge's."
    )
    title = "labels of the faces"
    shown = _matrix(title, "Couplings of the labels", drawing, "100 · r", edits, attributes, values)
    return [element("p", about), element("div", shown, class_="plots large")]


def _matrix(
    title: str,
    name: str,
    drawing: Html,
    caption: str,
    edits: Sequence[str],
    attributes: Sequence[str],
    values: Sequence[Sequence[float | None]],
) -> Html:
    """A heatmap that may be wider than the page, above its numbers."""
    rows = [
        [edit, *("–" if value is None else f"{value:.1f}" for value in line)]
        for edit, line in zip(edits, values, strict=True)
    ]
    box = element("div", drawing, class_="wide", role="region", aria_label=name, tabindex=0)
    return figure(title, box, numbers(caption, ["edit", *attributes], rows))


# ---- Pareto ---------------------------------------------------------------------------------------


def pareto(runs: Sequence[Run]) -> Html | None:
    """Effect against identity, and quality against memory and against time."""
    return tradeoffs(
        [Contender(run.name, measures(partial(_score, run), run.cost), not run.mark) for run in runs]
    )


def _score(run: Run, metric: str) -> tuple[float | None, float | None, float | None] | None:
    """Over all edits, else of the reconstruction."""
    score = run.scores.get((metric, ALL))
    if score is None or score.value is None:
        score = run.scores.get((metric, RECONSTRUCTION))
    return None if score is None else (score.value, score.low, score.high)


# ---- strengths ------------------------------------------------------------------------------------


def strengths(runs: Sequence[Run]) -> Html | None:
    """A plot per series of strengths: ID against response."""
    plots = []
    for asks, lines in _curves(runs).items():
        told = _table_of_curves(asks, lines)
        folded = numbers(told.caption, told.headings, told.rows)
        drawing = curves(f"{asks}, by strength", lines, *shares(lines), ("response ↑", "id ↑"))
        plots.append(figure(asks, drawing, folded))
    if not plots:
        return None
    return joined([element("p", ABOUT_STRENGTHS), element("div", *plots, class_="plots large")])


def tables_of_strengths(runs: Sequence[Run]) -> list[Part]:
    """The same numbers without the plots."""
    found = [_table_of_curves(asks, lines) for asks, lines in _curves(runs).items()]
    return [Words(ABOUT_STRENGTHS), *found] if found else []


def _curves(runs: Sequence[Run]) -> dict[str, list[Curve]]:
    """Of every series that any run has numbers of."""
    found: dict[str, list[Curve]] = {}
    for asks, edits in suites.series(runs[0].edits).items():
        for index, run in enumerate(runs):
            numbers_of = [
                (edit.strength, run.value("response", edit.name), run.value("id", edit.name))
                for edit in edits
            ]
            steps = tuple(
                (f"strength {s:g}", x, y) for s, x, y in numbers_of if x is not None and y is not None
            )
            if steps:
                found.setdefault(asks, []).append(Curve(run.name, index, steps))
    return found


def _table_of_curves(asks: str, lines: Sequence[Curve]) -> Table:
    rows = [
        [f"{line.label}, {strength}", f"{x:.3f}", f"{y:.3f}"]
        for line in lines
        for strength, x, y in line.steps
    ]
    return Table(asks, ["method", "response", "id"], rows)
