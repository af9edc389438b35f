"""Markdown from text: tables, and names that stay names."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPECIAL = re.compile(r"[\\`*<>|~&]|(?<![^\W_])_|_(?![^\W_])|\](?=\()|^[#+-](?=\s)")


def escaped(text: object) -> str:
    """Text as text: one line, and nothing in it is markup. `Black_Hair` and `[1, 2]` stay readable."""
    line = " ".join(str(text).split())
    return SPECIAL.sub(lambda found: "\\" + found[0], line)


def code(text: object) -> str:
    """A word as code."""
    return "`" + " ".join(str(text).split()).replace("`", "'") + "`"


def listing(text: str, language: str = "") -> str:
    """Lines as they are, in a fence longer than any in the text."""
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Cells are Markdown already; the first `left` columns are aligned left, the rest right."""
    rule = ["---" if column < left else "---:" for column in range(len(headings))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, rule, *rows])
