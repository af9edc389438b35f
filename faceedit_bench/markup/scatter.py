"""Two numbers of every method against each other, with the Pareto front: what nothing else beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from .html import Html, element
from .svg import Scale, around, axes, colour, drawing, hover, line, number, words

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 430, 330, 56, 42, 30  # pixels
NAMED = 30  # of more points, only those of the front have a name and a cross
LETTER, LETTER_HEIGHT = 6.4, 12  # pixels of a label's letter
Bounds = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Axis:
    """What one direction means."""

    title: str
    better: str  # "higher" or "lower"
    is_log: bool = False

    @property
    def sign(self) -> int:
        return 1 if self.better == "higher" else -1

    @property
    def arrow(self) -> str:
        return "↑" if self.better == "higher" else "↓"


@dataclass(frozen=True)
class Point:
    """One method."""

    label: str
    index: int  # for its colour
    x: float
    y: float
    x_bounds: Bounds | None = None
    y_bounds: Bounds | None = None
    competes: bool = True  # floor and ceiling do not


def front(points: Sequence[Point], x: Axis, y: Axis) -> list[Point]:
    """The competing points that no other is better than in one direction and as good in the other."""
    rivals = [point for point in points if point.competes]
    best: list[Point] = []
    for _, group in groupby(sorted(rivals, key=lambda point: -x.sign * point.x), key=lambda point: point.x):
        alike = list(group)  # equal in x; those before are better in x
        top = max(y.sign * point.y for point in alike)
        if not best or top > y.sign * best[-1].y:
            best += [point for point in alike if y.sign * point.y == top]
    return sorted(best, key=lambda point: point.x)


def scatter(title: str, points: Sequence[Point], x: Axis, y: Axis) -> Html:
    """A plot with a cross of intervals per method; the line joins the Pareto front."""
    best = front(points, x, y)
    crowd: list[Point] = []
    if len(points) > NAMED:
        crowd = [replace(point, x_bounds=None, y_bounds=None) for point in points if point not in best]
    shown = best if crowd else points
    named = shown[:NAMED]
    across = around(_reach([*crowd, *shown], "x", x.is_log), LEFT, WIDTH - 10, is_log=x.is_log)
    up = around(_reach([*crowd, *shown], "y", y.is_log), HEIGHT - BOTTOM, TOP, is_log=y.is_log)
    parts = axes(across, up, f"{x.title} {x.arrow}", f"{y.title} {y.arrow}")
    for point in crowd:
        parts += _marks(point, across, up, radius=2.5)
    if len(best) > 1:
        path = " ".join(f"{across(point.x):.1f},{up(point.y):.1f}" for point in best)
        parts.append(element("polyline", points=path, class_="front"))
    for point in shown:
        parts += _marks(point, across, up)
    parts += _labels(named, shown, across, up)
    told = "; ".join(f"{point.label} {number(point.x)}, {number(point.y)}" for point in named)
    names = ", ".join(point.label for point in best)
    label = f"{title}. {x.title} and {y.title}: {told}. Pareto front: {names}."
    return drawing(WIDTH, HEIGHT, label, *parts)


def _reach(points: Sequence[Point], axis: str, is_log: bool) -> list[float]:
    values = [getattr(point, axis) for point in points]
    if not is_log:
        values += [bound for point in points for bound in getattr(point, f"{axis}_bounds") or ()]
    return values


def _marks(point: Point, across: Scale, up: Scale, radius: float = 5) -> list[Html]:
    here = across(point.x), up(point.y)
    parts = []
    if point.x_bounds:
        low, high = (across(bound) for bound in point.x_bounds)
        parts.append(line(low, here[1], high, here[1], f"cross {colour(point.index)}"))
    if point.y_bounds:
        low, high = (up(bound) for bound in point.y_bounds)
        parts.append(line(here[0], low, here[0], high, f"cross {colour(point.index)}"))
    name = f"dot {colour(point.index)}" + ("" if point.competes else " hollow")
    what = hover(f"{point.label}: {point.x:.4g}, {point.y:.4g}")
    return [
        *parts,
        element("circle", what, cx=round(here[0], 1), cy=round(here[1], 1), r=radius, class_=name),
    ]


def _labels(named: Sequence[Point], points: Sequence[Point], across: Scale, up: Scale) -> list[Html]:
    """Each name beside its point, where it covers no other name or point if there is such a place.

    Of a crowd, which has no names, nothing is kept free.
    """
    taken: list[Box] = [
        (across(point.x) - 6, up(point.y) - 6, across(point.x) + 6, up(point.y) + 6) for point in points
    ]
    parts = []
    for point in named:
        box = min(_places(point, across, up), key=lambda box: _overlap(box, taken))
        taken.append(box)
        parts.append(words(box[0], box[3] - 2.5, point.label, class_="label"))
    return parts


def _places(point: Point, across: Scale, up: Scale) -> list[Box]:
    """Boxes for a name right, left, above, below, and a little further up or down."""
    x, y, width = across(point.x), up(point.y), len(point.label) * LETTER
    half = LETTER_HEIGHT / 2
    starts = [
        *((x + 9, y - half + shift) for shift in (0, -12, 12, -24, 24)),
        *((x - 9 - width, y - half + shift) for shift in (0, -12, 12, -24, 24)),
        (x - width / 2, y - 8 - LETTER_HEIGHT),
        (x - width / 2, y + 8),
    ]
    inside = [(a, b) for a, b in starts if a >= across.start + 2 and a + width <= across.stop + 4]
    return [(a, b, a + width, b + LETTER_HEIGHT) for a, b in inside or starts]


def _overlap(box: Box, taken: Sequence[Box]) -> float:
    """Area in common with all boxes together."""
    return sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in taken
    )
