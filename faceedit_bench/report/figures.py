"""The plots of a page, each with what it shows in words and its numbers in a folded table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import suite as suites
from ..catalog import catalog
from ..markup.blocks import figure, numbers
from ..markup.html import Html, element, joined
from ..markup.scatter import Axis, Point, scatter
from .bars import Bar, bars
from .curve import Curve, curves
from .heatmap import heatmap
from .material import ALL, RECONSTRUCTION, Run, digits_of

PER_EDIT = ("tarr", "response", "id")  # the first that there is, as bars
QUALITY = ("truth_psnr", "tarr", "psnr")  # the first that there is, against memory and time
MATRIX = "leakage/"


def title_of(metric: str) -> str:
    """`tarr %`."""
    spec = catalog().metrics.get(metric)
    return f"{metric} {spec.unit}".strip() if spec else metric


def better(metric: str) -> str:
    """ "higher" or "lower"."""
    spec = catalog().metrics.get(metric)
    return spec.better if spec else "higher"


# ---- per edit -------------------------------------------------------------------------------------


def per_edit(runs: Sequence[Run]) -> Html | None:
    """A plot of bars for every edit."""
    edits = runs[0].edit_names()
    scored = {key for run in runs for key in run.scores}
    metric = next((name for name in PER_EDIT for edit in edits if (name, edit) in scored), None)
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
    rows = [[edit, *(_told(run, metric, edit) for run in runs)] for edit in edits]
    return joined(
        [
            element(
                "p", f"{title_of(metric)} of every edit, {better(metric)} is better; lines are intervals."
            ),
            element("div", *plots, class_="plots"),
            numbers(f"{metric} per edit", ["edit", *(run.name for run in runs)], rows),
        ]
    )


def _bar(run: Run, index: int, metric: str, edit: str) -> Bar:
    score = run.scores.get((metric, edit))
    if score is None or score.value is None or not math.isfinite(score.value):
        return Bar(run.name, index, None, None, None)
    return Bar(run.name, index, score.value, score.low, score.high)


def _told(run: Run, metric: str, edit: str) -> str:
    score, digits = run.scores.get((metric, edit)), digits_of(metric)
    if score is None or score.value is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.value:.{digits}f}"
    return f"{score.value:.{digits}f} [{score.low:.{digits}f}, {score.high:.{digits}f}]"


# ---- leakage --------------------------------------------------------------------------------------


def leakage(runs: Sequence[Run]) -> Html | None:
    """A heatmap per run: which attributes the judge saw change under which edit."""
    edits = runs[0].edit_names()
    keys = dict.fromkeys(metric for run in runs for metric, _ in run.scores if metric.startswith(MATRIX))
    if not keys:
        return None
    attributes = [key.removeprefix(MATRIX) for key in keys]
    asked = {(edit.name, name) for edit in runs[0].edits for name in edit.changed}
    parts = []
    for run in runs:
        values = [[run.value(key, edit) for key in keys] for edit in edits]
        label = (
            f"{run.name}: percent of faces of which the judge sees an attribute (column) change under an "
            "edit (row); the numbers are in the table below"
        )
        rows = [
            [edit, *("–" if value is None else f"{value:.1f}" for value in line)]
            for edit, line in zip(edits, values, strict=True)
        ]
        drawing = heatmap(label, edits, attributes, values, asked)
        box = element(
            "div", drawing, class_="wide", role="region", aria_label=f"Leakage, {run.name}", tabindex=0
        )
        told = numbers(f"{run.name}: % of faces changed", ["edit", *attributes], rows)
        parts.append(figure(run.name, box, told))
    about = (
        "Rows are edits, columns attributes: in how many percent of faces the judge's decision on the "
        "attribute changed. Framed cells were asked for; all others should be empty, apart from what the "
        "conflict rule clears."
    )
    return joined([element("p", about), element("div", *parts, class_="plots large")])


# ---- Pareto ---------------------------------------------------------------------------------------


def pareto(runs: Sequence[Run]) -> Html | None:
    """Effect against identity, and quality against memory and against time."""
    found = []
    if all(any(run.value(name) is not None for run in runs) for name in ("tarr", "id")):
        x, y = Axis(title_of("tarr"), "higher"), Axis("id", "higher")
        found.append(_plot("Effect against identity", runs, x, y, ("tarr", "id")))
    quality = next(
        (name for name in QUALITY if sum(_finite(run, name) is not None for run in runs) > 1), None
    )
    if quality:
        y = Axis(title_of(quality), better(quality))
        for title, key, axis in (
            ("Quality against memory", "memory", Axis("weights and peak activations, MB", "lower", True)),
            ("Quality against time", "time", Axis("ms per face, batch 1, median", "lower", True)),
        ):
            found.append(_plot(title, runs, axis, y, (key, quality)))
    shown = [plot for plot in found if plot is not None]
    if not shown:
        return None
    about = (
        "The line joins the Pareto front: no other method is better in one direction without being worse in "
        "the other. Crosses are intervals. Floor and ceiling are hollow and do not compete; what they cost "
        "says nothing."
    )
    return joined([element("p", about), element("div", *shown, class_="plots large")])


def _plot(title: str, runs: Sequence[Run], x: Axis, y: Axis, keys: tuple[str, str]) -> Html | None:
    points = []
    for index, run in enumerate(runs):
        across, up = (_finite(run, key) for key in keys)
        if across is None or up is None or (x.is_log and (run.mark or across <= 0)):
            continue
        points.append(
            Point(run.name, index, across, up, _bounds(run, keys[0]), _bounds(run, keys[1]), not run.mark)
        )
    if len(points) < 2:
        return None
    rows = [[point.label, f"{point.x:.4g}", f"{point.y:.4g}"] for point in points]
    told = numbers(title, ["method", x.title, y.title], rows)
    return figure(title, scatter(title, points, x, y), told)


def _finite(run: Run, key: str) -> float | None:
    """A score over all edits or of the reconstruction, or a cost; None where it is absent or infinite."""
    value = {"memory": _memory, "time": _time}.get(key, lambda of: _score(of, key))(run)
    return value if value is not None and math.isfinite(value) else None


def _score(run: Run, metric: str) -> float | None:
    value = run.value(metric, ALL)
    return run.value(metric, RECONSTRUCTION) if value is None else value


def _memory(run: Run) -> float | None:
    """MB."""
    weights, activations = run.cost.get("weights_bytes"), run.cost.get("peak_activation_bytes")
    return None if weights is None or activations is None else (weights + activations) / 1e6


def _time(run: Run) -> float | None:
    """Milliseconds."""
    median = (run.cost.get("latency") or {}).get("median")
    return None if median is None else 1e3 * median


def _bounds(run: Run, key: str) -> tuple[float, float] | None:
    edit = ALL if (key, ALL) in run.scores else RECONSTRUCTION
    score = run.scores.get((key, edit))
    if score is None or score.low is None or score.high is None:
        return None
    return score.low, score.high


# ---- strengths ------------------------------------------------------------------------------------


def strengths(runs: Sequence[Run]) -> Html | None:
    """A plot per series of strengths: ID against response."""
    plots = []
    for asks, edits in suites.series(runs[0].edits).items():
        lines = []
        for index, run in enumerate(runs):
            numbers_of = [
                (edit.strength, run.value("response", edit.name), run.value("id", edit.name))
                for edit in edits
            ]
            steps = tuple((s, x, y) for s, x, y in numbers_of if x is not None and y is not None)
            if steps:
                lines.append(Curve(run.name, index, steps))
        if lines:
            rows = [
                [f"{line.label}, {strength:g}", f"{x:.3f}", f"{y:.3f}"]
                for line in lines
                for strength, x, y in line.steps
            ]
            told = numbers(asks, ["method, strength", "response", "id"], rows)
            plots.append(figure(asks, curves(asks, lines, "response", "id"), told))
    if not plots:
        return None
    about = (
        "Strengths of two methods are not of one scale: compare the ID of two lines where they have the same "
        "response. A method that keeps a face by hardly editing it stays at the left."
    )
    return joined([element("p", about), element("div", *plots, class_="plots large")])
