"""Horizontal bars with their intervals: one little plot per edit, one bar per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..markup.html import Html, element
from ..markup.svg import Scale, colour, drawing, hover, line, shortened, words

WIDTH, ROW, LEFT, RIGHT = 330, 19, 104, 52  # pixels
LETTERS = 15  # of a label


@dataclass(frozen=True)
class Bar:
    """One run's number."""

    label: str
    index: int  # of the run, for its colour
    value: float | None
    low: float | None
    high: float | None


def bars(title: str, rows: Sequence[Bar], top: float, digits: int) -> Html:
    """One bar per row, from 0 to `top`; a thin line is the interval."""
    scale = Scale(0, top, LEFT, WIDTH - RIGHT)
    parts = [line(scale(0), 0, scale(0), len(rows) * ROW, "ruled")]
    for place, row in enumerate(rows):
        parts += _bar(row, place * ROW, scale, digits)
    told = "; ".join(f"{row.label} {_text(row, digits)}" for row in rows)
    return drawing(WIDTH, len(rows) * ROW, f"{title}: {told}", *parts)


def _bar(row: Bar, y: float, scale: Scale, digits: int) -> list[Html]:
    parts = [words(LEFT - 6, y + 13, shortened(row.label, LETTERS), anchor="end", class_="label")]
    if row.value is None:
        return [*parts, words(LEFT + 4, y + 13, "–", class_="tick")]
    end = scale(min(max(row.value, 0), scale.high))
    parts.append(
        element(
            "rect",
            hover(f"{row.label}: {_text(row, digits)}"),
            x=LEFT,
            y=y + 3,
            width=max(round(end - LEFT, 1), 0.5),
            height=ROW - 6,
            class_=colour(row.index),
        )
    )
    if row.low is not None and row.high is not None:
        low, high = (scale(min(max(bound, 0), scale.high)) for bound in (row.low, row.high))
        middle = y + ROW / 2
        parts += [
            line(low, middle, high, middle, "whisker"),
            line(low, middle - 3, low, middle + 3, "whisker"),
            line(high, middle - 3, high, middle + 3, "whisker"),
        ]
    return [*parts, words(WIDTH - RIGHT + 6, y + 13, f"{row.value:.{digits}f}", class_="tick")]


def _text(row: Bar, digits: int) -> str:
    if row.value is None:
        return "no number"
    if row.low is None or row.high is None:
        return f"{row.value:.{digits}f}"
    return f"{row.value:.{digits}f} ({row.low:.{digits}f} to {row.high:.{digits}f})"
