"""Lines through named steps: ID against response along strengths, memory against the size of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..markup.html import Html, element
from ..markup.svg import Scale, around, axes, colour, drawing, hover, number, shortened, words

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 430, 330, 56, 42, 30  # pixels
LETTER, LETTERS = 6.4, 15  # pixels of a label's letter, and how many it has at most


@dataclass(frozen=True)
class Curve:
    """One run: (name of a step, x, y) in the order of the line."""

    label: str
    index: int  # of the run, for its colour
    steps: tuple[tuple[str, float, float], ...]

    @property
    def name(self) -> str:
        return shortened(self.label, LETTERS)


def shares(of: Sequence[Curve]) -> tuple[Scale, Scale]:
    """Scales for response and ID, which are shares."""
    x, y = zip(*((x, y) for curve in of for _, x, y in curve.steps), strict=True)
    across = Scale(min(0.0, *x), max(1.0, *x), LEFT, _right(of))
    return across, Scale(min(y) - 0.02, max(1.0, *y), HEIGHT - BOTTOM, TOP)


def logarithmic(of: Sequence[Curve]) -> tuple[Scale, Scale]:
    """Scales for what grows by factors; marks across are at the steps."""
    x, y = zip(*((x, y) for curve in of for _, x, y in curve.steps if y > 0), strict=True)
    steps = tuple(sorted(set(x)))
    across = Scale(steps[0] / 1.1, steps[-1] * 1.1, LEFT, _right(of), is_log=True, marks=steps)
    return across, around(y, HEIGHT - BOTTOM, TOP, is_log=True)


def _right(of: Sequence[Curve]) -> float:
    """Pixels up to which lines go; names stand beyond."""
    return WIDTH - 14 - LETTER * max(len(curve.name) for curve in of)


def curves(
    title: str,
    of: Sequence[Curve],
    across: Scale,
    up: Scale,
    titles: tuple[str, str],
    *,
    is_dashed: bool = False,
) -> Html:
    """A line per run; a dot per step, the last one named."""
    parts = axes(across, up, *titles)
    style = "curve dashed" if is_dashed else "curve"
    for curve in of:
        steps = [(name, x, y) for name, x, y in curve.steps if not up.is_log or y > 0]
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for _, x, y in steps)
        parts.append(element("polyline", points=path, class_=f"{style} {colour(curve.index)}"))
        for name, x, y in steps:
            what = hover(f"{curve.label}, {name}: {_told(x)}, {_told(y)}")
            circle = element("circle", what, cx=round(across(x), 1), cy=round(up(y), 1), r=3.5,
                             class_=f"dot {colour(curve.index)}")  # fmt: skip
            parts.append(circle)
    parts += _names(of, across, up)
    told = "; ".join(
        f"{curve.label}: " + ", ".join(f"{name} {_told(x)} {_told(y)}" for name, x, y in curve.steps)
        for curve in of
    )
    x_title, y_title = (one.rstrip(" ↑↓") for one in titles)
    return drawing(WIDTH, HEIGHT, f"{title}. {x_title} and {y_title}: {told}.", *parts)


def _told(value: float) -> str:
    return number(round(value, 3) if abs(value) < 10 else round(value, 1))


def _names(of: Sequence[Curve], across: Scale, up: Scale) -> list[Html]:
    """Beside the last dot of each, pushed apart where two would cover each other."""
    ends = sorted(((up(curve.steps[-1][2]), curve) for curve in of), key=lambda end: end[0])
    parts, last = [], -99.0
    for y, curve in ends:
        last = max(y + 4, last + 12)
        parts.append(words(across(curve.steps[-1][1]) + 7, last, curve.name, class_="label"))
    return parts
