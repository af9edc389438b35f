"""Every form of a board as a file beside its definition: what is out of date, and how it is written."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import published as papers
from ..published import Published
from ..store.files import write
from . import parquet
from .comma_separated import comma_separated
from .definition import Board
from .latex import latex
from .markdown import markdown
from .page import page
from .records import Record

LINES, LETTERS = 60, 200  # of a difference that is printed


@dataclass(frozen=True)
class Text:
    """A file of text, equal to the letter."""

    place: Path
    content: str

    def difference(self) -> str:
        """A unified diff, shortened; empty where the file is up to date."""
        if not self.place.is_file():
            return f"{self.place}: not there"
        there = self.place.read_text(encoding="utf-8")
        if there == self.content:
            return ""
        names = f"{self.place} (found)", f"{self.place} (wanted)"
        found = difflib.unified_diff(there.splitlines(), self.content.splitlines(), *names, lineterm="", n=1)
        lines = [line if len(line) <= LETTERS else f"{line[:LETTERS]}…" for line in found]
        lines = lines or [f"{self.place}: other ends of lines"]
        more = [f"… and {len(lines) - LINES} lines more"] if len(lines) > LINES else []
        return "\n".join([*lines[:LINES], *more])

    def save(self) -> None:
        """Whole or not at all."""
        write(self.place, partial(Path.write_text, data=self.content, encoding="utf-8"))


@dataclass(frozen=True)
class Table:
    """A Parquet file, equal in content."""

    place: Path
    content: Any  # a pyarrow table

    def difference(self) -> str:
        """A line per difference; empty where the file is up to date."""
        return parquet.difference(self.place, self.content)

    def save(self) -> None:
        """Whole or not at all; a file that holds the same stays as it is."""
        parquet.save(self.place, self.content)


def forms(
    records: Sequence[Record], board: Board, definition: Path, published: Published
) -> list[Text | Table]:
    """`<name>.md`, `.csv`, `.tex`, `.html` and `.parquet` of the board defined in `<name>.toml`."""
    name = definition.stem
    texts = {
        ".md": markdown(records, board, name, papers.markdown(published)),
        ".csv": comma_separated(records, board, name),
        ".tex": latex(records, board, name),
        ".html": page(records, board, name, published),
    }
    return [
        *(Text(definition.with_suffix(suffix), text) for suffix, text in texts.items()),
        Table(definition.with_suffix(".parquet"), parquet.as_table(records, board, name)),
    ]
