"""ID against response along a series of strengths: how much of a person is left as the edit takes hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..markup.html import Html, element
from ..markup.svg import Scale, axes, colour, drawing, hover, number, words

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 430, 330, 56, 42, 30  # pixels


@dataclass(frozen=True)
class Curve:
    """One run: (strength, response, ID) by rising strength."""

    label: str
    index: int
    steps: tuple[tuple[float, float, float], ...]


def curves(title: str, of: Sequence[Curve], x_title: str, y_title: str) -> Html:
    """A line per run; a dot per strength, the last one named."""
    responses = [response for curve in of for _, response, _ in curve.steps]
    kept = [identity for curve in of for *_, identity in curve.steps]
    across = Scale(min(0.0, *responses), max(1.0, *responses), LEFT, WIDTH - 74)
    up = Scale(min(kept) - 0.02, max(1.0, *kept), HEIGHT - BOTTOM, TOP)
    parts = axes(across, up, f"{x_title} ↑", f"{y_title} ↑")
    for curve in of:
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for _, x, y in curve.steps)
        parts.append(element("polyline", points=path, class_=f"curve {colour(curve.index)}"))
        for strength, x, y in curve.steps:
            what = hover(f"{curve.label}, strength {strength:g}: {x:.3f}, {y:.3f}")
            circle = element("circle", what, cx=round(across(x), 1), cy=round(up(y), 1), r=3.5,
                             class_=f"dot {colour(curve.index)}")  # fmt: skip
            parts.append(circle)
    parts += _names(of, across, up)
    told = "; ".join(
        f"{curve.label}: "
        + ", ".join(f"{number(round(x, 3))} {number(round(y, 3))}" for _, x, y in curve.steps)
        for curve in of
    )
    return drawing(WIDTH, HEIGHT, f"{title}. {x_title} and {y_title} by strength: {told}.", *parts)


def _names(of: Sequence[Curve], across: Scale, up: Scale) -> list[Html]:
    """Beside the last dot of each, pushed apart where two would cover each other."""
    ends = sorted(((up(curve.steps[-1][2]), curve) for curve in of), key=lambda end: end[0])
    parts, last = [], -99.0
    for y, curve in ends:
        last = max(y + 4, last + 12)
        parts.append(words(across(curve.steps[-1][1]) + 7, last, curve.label, class_="label"))
    return parts
