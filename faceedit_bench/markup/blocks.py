"""Blocks of a page: tables, numbers folded under a plot, figures, sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .html import Child, Html, element

Sections = Mapping[str, tuple[str, Html]]  # anchor -> title, content
ARROWS = {"higher": " ↑", "lower": " ↓", "": ""}  # which way is better


def plain(caption: str, headings: Sequence[Child], rows: Sequence[Sequence[Child]]) -> Html:
    """A table whose first column names its rows."""
    head = element("tr", *(element("th", title, scope="col") for title in headings))
    body = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest))
        for first, *rest in rows
    ]
    table = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return scrolling(caption, table)


def scrolling(label: str, table: Html, class_: str = "wide") -> Html:
    """What is too wide scrolls by itself, with the keyboard, too."""
    return element("div", table, class_=class_, role="region", aria_label=label, tabindex=0)


def numbers(
    caption: str, headings: Sequence[Child], rows: Sequence[Sequence[Child]], title: str = "The numbers"
) -> Html:
    """The numbers behind a plot or a table, folded."""
    return element("details", element("summary", title), plain(caption, headings, rows))


def figure(title: str, drawing: Html, *notes: Child) -> Html:
    """A plot under its title."""
    return element("figure", element("figcaption", title), drawing, *notes)


def marked(parts: Sections) -> list[Html]:
    """Sections under their headings."""
    return [
        element("section", element("h2", title, id=f"{anchor}-title"), content, id=anchor,
                aria_labelledby=f"{anchor}-title")
        for anchor, (title, content) in parts.items()
    ]  # fmt: skip


def links(parts: Sections) -> Html:
    """To every section."""
    items = [element("li", element("a", name, href=f"#{anchor}")) for anchor, (name, _) in parts.items()]
    return element("nav", element("ul", *items), aria_label="Sections")
