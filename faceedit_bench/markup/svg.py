"""Drawing in SVG: scales, ticks, axes. Colours are classes of the page, so plots follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .html import Child, Html, element

COLOURS = 10  # classes m0 … m9 of the page's style


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    start: float  # pixel of `low`
    stop: float  # pixel of `high`
    is_log: bool = False
    marks: tuple[float, ...] = ()  # where ticks are, if not at round values

    def __call__(self, value: float) -> float:
        low, high, here = (self._of(number) for number in (self.low, self.high, value))
        return self.start + (self.stop - self.start) * (here - low) / (high - low)

    def _of(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def ticks(self) -> list[float]:
        """A handful of round values inside."""
        if self.marks:
            return list(self.marks)
        if self.is_log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1, 2, 5) if math.log10(self.high / self.low) < 2.5 else (1,)
            values = [step * 10.0**power for power in powers for step in steps]
        else:
            step = _round_step((self.high - self.low) / 4)
            first = math.ceil(self.low / step - 1e-9)
            values = [step * (first + index) for index in range(8)]
        slack = 1e-9 * max(abs(self.low), abs(self.high))
        return [round(value, 10) for value in values if self.low - slack <= value <= self.high + slack]


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 × a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)


def around(values: Sequence[float], start: float, stop: float, *, is_log: bool = False) -> Scale:
    """A scale that holds all values with some room about them."""
    low, high = min(values), max(values)
    if is_log:
        room = max((high / low) ** 0.12, 1.25)
        return Scale(low / room, high * room, start, stop, is_log=True)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    return Scale(low - room, high + room, start, stop)


def colour(index: int) -> str:
    """The class of the index-th run, everywhere on the page."""
    return f"m{index % COLOURS}"


def drawing(width: float, height: float, label: str, *children: Child) -> Html:
    """An SVG of this size that says what it shows to those who cannot see it."""
    return element(
        "svg",
        *children,
        viewbox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )


def words(x: float, y: float, content: str, *, anchor: str = "start", class_: str | None = None) -> Html:
    """A line of text."""
    return element("text", content, x=round(x, 1), y=round(y, 1), text_anchor=anchor, class_=class_)


def shortened(name: str, letters: int) -> str:
    """A name that fits; the whole one is in the table of numbers."""
    return name if len(name) <= letters else name[: letters - 1] + "…"


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """A straight line."""
    return element("line", x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1), class_=class_)


def hover(content: str) -> Html:
    """What appears under the pointer."""
    return element("title", content)


def number(value: float) -> str:
    """A short number for ticks."""
    if value and (abs(value) >= 1e5 or abs(value) < 1e-3):
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:g}"


def axes(x: Scale, y: Scale, x_title: str, y_title: str) -> list[Html]:
    """Grid, ticks and titles of a plot that lies between the ends of both scales."""
    parts = []
    for tick in x.ticks():
        place = x(tick)
        parts.append(line(place, y.start, place, y.stop, "ruled"))
        parts.append(words(place, y.start + 15, number(tick), anchor="middle", class_="tick"))
    for tick in y.ticks():
        place = y(tick)
        parts.append(line(x.start, place, x.stop, place, "ruled"))
        parts.append(words(x.start - 6, place + 4, number(tick), anchor="end", class_="tick"))
    parts.append(words((x.start + x.stop) / 2, y.start + 32, x_title, anchor="middle", class_="axis"))
    parts.append(words(x.start - 44, y.stop - 12, y_title, class_="axis"))
    return parts
