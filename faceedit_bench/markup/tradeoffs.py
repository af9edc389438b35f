"""Trade-offs: effect against identity, quality against memory and against time, with the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..catalog import catalog
from .blocks import figure, numbers
from .costs import Cost, median
from .html import Html, element, joined
from .scatter import NAMED, Axis, Bounds, Point, front, scatter

QUALITY = ("truth_psnr", "tarr", "psnr")  # the first that there is, against memory and time
METRICS = ("id", *QUALITY)  # all that is asked for
Measure = tuple[float, Bounds | None]


@dataclass(frozen=True)
class Contender:
    """One method with its numbers."""

    label: str
    measures: Mapping[str, Measure]  # metric, "memory" (MB) or "time" (ms) -> value
    competes: bool = True  # floor and ceiling do not


def measures(
    value: Callable[[str], tuple[float | None, float | None, float | None] | None], cost: Cost
) -> dict[str, Measure]:
    """Of one method: `value(metric)` is a score and its bounds over all edits, else of the reconstruction."""
    found: dict[str, Measure] = {}
    for metric in METRICS:
        number, low, high = value(metric) or (None, None, None)
        if number is not None and math.isfinite(number):
            found[metric] = number, _bounds(low, high)
    weights, activations, seconds = cost.get("weights_bytes"), cost.get("peak_activation_bytes"), median(cost)
    if weights is not None and activations is not None:
        found["memory"] = (weights + activations) / 1e6, None
    if seconds is not None:
        found["time"] = 1e3 * seconds, None
    return found


def _bounds(low: float | None, high: float | None) -> Bounds | None:
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None
    return low, high


def tradeoffs(of: Sequence[Contender]) -> Html | None:
    """A plot each, as far as there are numbers."""
    plots = [_plot("Effect against identity", of, _axis("tarr"), _axis("id"), ("tarr", "id"))]
    quality = next((name for name in QUALITY if sum(name in one.measures for one in of) > 1), None)
    if quality:
        for title, key, axis in (
            ("Quality against memory", "memory", Axis("weights and peak activations, MB", "lower", True)),
            ("Quality against time", "time", Axis("ms per face, batch 1, median", "lower", True)),
        ):
            plots.append(_plot(title, of, axis, _axis(quality), (key, quality)))
    shown = [plot for plot in plots if plot is not None]
    if not shown:
        return None
    about = (
        "The line joins the Pareto front: no other method is better in one direction without being worse in "
        "the other. Crosses are intervals. Floor and ceiling are hollow and do not compete; what they cost "
        "says nothing."
    )
    if len(of) > NAMED:
        about += " Of so many methods, only those of the front have names and crosses; the rest say theirs "
        about += "under the pointer and in the tables."
    return joined([element("p", about), element("div", *shown, class_="plots large")])


def title_of(metric: str) -> str:
    """`tarr %`."""
    spec = catalog().metrics.get(metric)
    return f"{metric} {spec.unit}".strip() if spec else metric


def better(metric: str) -> str:
    """ "higher" or "lower"."""
    spec = catalog().metrics.get(metric)
    return spec.better if spec else "higher"


def _axis(metric: str) -> Axis:
    return Axis(title_of(metric), better(metric))


def _plot(title: str, of: Sequence[Contender], x: Axis, y: Axis, keys: tuple[str, str]) -> Html | None:
    points = []
    for index, one in enumerate(of):
        if not all(key in one.measures for key in keys):
            continue
        (across, x_bounds), (up, y_bounds) = (one.measures[key] for key in keys)
        if x.is_log and (not one.competes or across <= 0):
            continue
        points.append(Point(one.label, index, across, up, x_bounds, y_bounds, one.competes))
    if len(points) < 2:
        return None
    told = points if len(points) <= NAMED else front(points, x, y)
    rows = [[point.label, f"{point.x:.4g}", f"{point.y:.4g}"] for point in told]
    return figure(title, scatter(title, points, x, y), numbers(title, ["method", x.title, y.title], rows))
