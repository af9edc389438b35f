"""A matrix of percentages as coloured cells, with the number in each."""

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
) -> Html:
    """Percent, white to full colour at 100; cells of `asked` (row, column) have a frame."""
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
            parts += _cell(row, column, values[line][place], LEFT + place * CELL, y, (row, column) in asked)
    height = TOP + len(rows) * CELL + 1
    return drawing(LEFT + len(columns) * CELL + 1, height, title, *parts)


def _cell(row: str, column: str, value: float | None, x: float, y: float, is_asked: bool) -> list[Html]:
    if value is None:
        return []
    share = min(max(value / 100, 0), 1) ** 0.5  # small leaks must be seen
    square = element(
        "rect",
        hover(f"{row} changed {column} in {value:.1f} %"),
        x=x + 1,
        y=y + 1,
        width=CELL - 2,
        height=CELL - 2,
        class_="heat asked" if is_asked else "heat",
        fill_opacity=round(share, 2),
    )
    ink = "cell high" if share > HIGH else "cell middle" if share > MIDDLE else "cell"
    return [square, words(x + CELL / 2, y + CELL / 2 + 3.5, f"{value:.0f}", anchor="middle", class_=ink)]
