"""A matrix of percentages, of either sign, as coloured cells with the number in each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..markup.html import Html, element
from ..markup.svg import drawing, hover, shortened, words

CELL, LEFT, TOP = 24, 140, 122  # pixels
LETTERS = 20  # of a label
MIDDLE, HIGH = 0.57, 0.765  # shares of the colour from which dark, and light, pages write in the other ink


def heatmap(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    asked: Collection[tuple[str, str]],
    hint: str,
) -> Html:
    """Percent, white to full colour at 100 and at −100; cells of `asked` (row, column) have a frame.

    `hint` is what a cell tells under the pointer, with {row}, {column} and {value}.
    """
    parts = []
    for place, column in enumerate(columns):
        x = LEFT + place * CELL + CELL / 2 + 4
        parts.append(
            element(
                "text",
                shortened(column, LETTERS),
                transform=f"translate({x:g} {TOP - 6}) rotate(-90)",
                class_="label",
            )
        )
    for line, row in enumerate(rows):
        y = TOP + line * CELL
        parts.append(words(LEFT - 6, y + CELL / 2 + 4, shortened(row, LETTERS), anchor="end", class_="label"))
        for place, column in enumerate(columns):
            value, x = values[line][place], LEFT + place * CELL
            if value is not None:
                told = hint.format(row=row, column=column, value=value)
                parts += _cell(told, value, x, y, (row, column) in asked)
    height = TOP + len(rows) * CELL + 1
    return drawing(LEFT + len(columns) * CELL + 1, height, title, *parts)


def _cell(told: str, value: float, x: float, y: float, is_asked: bool) -> list[Html]:
    share = min(abs(value) / 100, 1) ** 0.5  # small leaks must be seen
    square = element(
        "rect",
        hover(told),
        x=x + 1,
        y=y + 1,
        width=CELL - 2,
        height=CELL - 2,
        class_="heat asked" if is_asked else "heat",
        fill_opacity=round(share, 2),
    )
    ink = "cell high" if share > HIGH else "cell middle" if share > MIDDLE else "cell"
    return [square, words(x + CELL / 2, y + CELL / 2 + 3.5, _whole(value), anchor="middle", class_=ink)]


def _whole(value: float) -> str:
    digits = f"{abs(value):.0f}"
    return digits if value >= 0 or digits == "0" else f"−{digits}"
