"""What stands in a section, as data: the page, Markdown and LaTeX write it each in their own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..markup.blocks import plain
from ..markup.html import Html, element, joined

ABREAST = 4  # columns of numbers with intervals that fit side by side on a sheet of paper


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list, under a title where there is one."""

    lines: Sequence[str]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """The first column names the rows. A table that follows from its headings has no caption."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1  # columns that are names
    is_prose: bool = False  # two columns, the second of words


@dataclass(frozen=True)
class Listing:
    """Lines as they are."""

    text: str
    language: str = ""


Part = Words | Items | Table | Listing


def html(parts: Sequence[Part]) -> Html:
    """As markup."""
    return joined(map(_html, parts))


def _html(part: Part) -> Html:
    match part:
        case Words():
            return element("p", part.text)
        case Items():
            listed = element("ul", *(element("li", line) for line in part.lines))
            return element("section", element("h3", part.title), listed) if part.title else listed
        case Table():
            return plain(part.caption, part.headings, part.rows)
        case Listing():
            return element("pre", part.text, tabindex=0)
