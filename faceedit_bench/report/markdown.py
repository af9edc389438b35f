"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from .. import __version__
from ..markup.markdown import escaped, listing, table
from .contents import about, contents, title
from .material import Run
from .parts import Items, Listing, Part, Table, Words


def markdown(runs: Sequence[Run], sizes: Sequence[int] = ()) -> str:
    """The whole text."""
    parts = [f"# {escaped(title(runs))}", escaped(about(runs))]
    for heading, section in contents(runs, sizes).items():
        parts += [f"## {heading}", *map(_written, section)]
    parts.append(f"Written by faceedit-bench {__version__} from stored runs.")
    return "\n\n".join(parts) + "\n"


def _written(part: Part) -> str:
    match part:
        case Words():
            return escaped(part.text)
        case Items():
            listed = "\n".join(f"- {escaped(line)}" for line in part.lines)
            return f"### {escaped(part.title)}\n\n{listed}" if part.title else listed
        case Table():
            headings, *rows = [[escaped(cell) for cell in row] for row in (part.headings, *part.rows)]
            drawn = table(headings, rows, left=len(headings) if part.is_prose else part.left)
            return f"{escaped(part.caption)}\n\n{drawn}" if part.caption else drawn
        case Listing():
            return listing(part.text, part.language)
