"""A labelled sheet of pictures: one row per face, one titled column per edit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 4  # pixels between cells
GROUND = "white"
INK = "#222222"


def sheet(
    rows: Sequence[Sequence[np.ndarray]],
    columns: Sequence[str] = (),
    row_titles: Sequence[str] | None = None,
    *,
    cell: int | None = None,
) -> Image.Image:
    """Pictures (3, H, W) uint8 in a grid. Titles wrap at words; if one still does not fit, all stand upright.

    `cell` is the side of a cell in pixels; by default that of the largest picture, at least 64, at most 512.
    """
    assert rows and rows[0], "a sheet needs at least one picture"
    side = cell or min(512, max(64, *(max(picture.shape[1:]) for row in rows for picture in row)))
    font = ImageFont.load_default(max(12, min(20, side // 9)))
    across = max(len(row) for row in rows)
    top = _titles(columns, side, font) if any(columns) else []
    left = [_lines(title, 4 * side, font) for title in row_titles or []]
    header = max((title.height for title in top), default=0) + (GAP if top else 0)
    margin = max((title.width for title in left), default=0) + (GAP if left else 0)
    size = (margin + across * (side + GAP) + GAP, header + len(rows) * (side + GAP) + GAP)
    page = Image.new("RGB", size, GROUND)
    for column, title in enumerate(top):
        x = margin + GAP + column * (side + GAP) + (side - title.width) // 2
        page.paste(title, (x, header - title.height))
    for line, row in enumerate(rows):
        y = header + GAP + line * (side + GAP)
        if line < len(left):
            page.paste(left[line], (GAP, y + (side - left[line].height) // 2))
        for column, picture in enumerate(row):
            fitted = _fit(picture, side)
            x = margin + GAP + column * (side + GAP)
            page.paste(fitted, (x + (side - fitted.width) // 2, y + (side - fitted.height) // 2))
    return page


def _fit(picture: np.ndarray, side: int) -> Image.Image:
    """The picture scaled into a square of `side` pixels, its shape kept."""
    image = Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0)))
    scale = side / max(image.size)
    if scale == 1:
        return image
    width, height = (max(1, round(length * scale)) for length in image.size)
    rule = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    return image.resize((width, height), rule)


def _titles(
    columns: Sequence[str], side: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont
) -> list[Image.Image]:
    """One little picture per title, all lying or all standing."""
    lying = [_lines(title, side, font) for title in columns]
    if all(title.width <= side for title in lying):
        return lying
    return [_lines(title, 4 * side, font).rotate(90, expand=True) for title in columns]


def _lines(title: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> Image.Image:
    """The title wrapped at words to `width` pixels where it can be."""
    lines: list[str] = []
    for word in title.replace("_", " ").split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    text = "\n".join(lines)
    measure = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    x0, _, x1, _ = measure.multiline_textbbox((0, 0), text, font=font, align="center")
    depth = measure.multiline_textbbox((0, 0), "\n".join("Ag" for _ in lines), font=font)[
        3
    ]  # equal for equal lines
    page = Image.new("RGB", (max(1, round(x1 - x0)), max(1, round(depth) + GAP)), GROUND)
    ImageDraw.Draw(page).multiline_text((-x0, 0), text, fill=INK, font=font, align="center")
    return page
