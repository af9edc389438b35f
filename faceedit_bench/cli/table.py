"""Plain tables for the terminal: aligned columns, the last one wrapped to fit the width."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 80  # characters
GAP = "  "
LEAST = 12  # characters of the last column, however wide the others are


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    right: str | Sequence[str] = "",
    width: int = WIDTH,
) -> str:
    """Lines of text; columns named in `right` (a list, or one text of words) are aligned right."""
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(headings), *cells]) for column in range(len(headings))]
    taken = sum(widths[:-1]) + len(GAP) * (len(headings) - 1)
    widths[-1] = min(widths[-1], max(width - taken, LEAST))
    named = right.split() if isinstance(right, str) else right
    to_right = [heading in named for heading in headings]
    lines = [_line(headings, widths, to_right), GAP.join("-" * column for column in widths)]
    for row in cells:
        *first, last = row
        wrapped = textwrap.wrap(last, widths[-1]) or [""]
        lines.append(_line([*first, wrapped[0]], widths, to_right))
        lines += [" " * (taken - len(GAP)) + GAP + more if first else more for more in wrapped[1:]]
    return "\n".join(lines)


def packed(columns: Sequence[list[str]], room: int) -> list[list[list[str]]]:
    """Columns in their order, as many to a block as fit into `room` characters."""
    parts: list[list[list[str]]] = []
    left = 0
    for column in columns:
        width = max(map(len, column)) + len(GAP)
        if not parts or width > left:
            parts.append([])
            left = room
        parts[-1].append(column)
        left -= width
    return parts


def fitted(line: str, width: int = WIDTH) -> str:
    """A line that is not a table's, broken to fit, its rest indented."""
    return textwrap.fill(line, width, subsequent_indent="  ") if len(line) > width else line


def unbroken(text: str, width: int = WIDTH) -> str:
    """A message in lines that fit, behind two spaces; paths, addresses and hashes stay whole."""
    return textwrap.fill(
        text,
        width,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _line(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, to_right, strict=True)
    ]
    return GAP.join(padded).rstrip()
