"""HTML and SVG as values: whatever is not `Html` is escaped, so a hostile name stays a name."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

MARKED = re.compile(r"(`[^`]+`|\*[^*]+\*)")
VOID = {"br", "hr", "img", "input", "link", "meta"}  # HTML elements without an end


class Html(str):
    """Text that is markup already; only this module and packaged files make it from strings."""


NOTHING = Html()
Child = str | int | float | None


def text(value: Child) -> Html:
    """Markup as it is, anything else escaped; None is nothing."""
    if isinstance(value, Html):
        return value
    return Html("" if value is None else html.escape(str(value), quote=True))


def element(name: str, /, *children: Child, **attributes: object) -> Html:
    """`element("td", 3, class_="best", data_value=3)`: a `_` stands for `-`, one at the end is dropped.

    True is an attribute without a value; None and False leave it out.
    """
    inside = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{inside}>")
    return Html(f"<{name}{inside}>{''.join(map(text, children))}</{name}>")


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-").replace("viewbox", "viewBox")
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)  # never markup, whoever made it
    return f" {name}" if value is True else f' {name}="{html.escape(str.__str__(shown), quote=True)}"'


def breakable(name: str) -> Html:
    """A name that may break after its underscores."""
    return joined((text(part) for part in name.split("_")), Html("_<wbr>"))


def joined(parts: Iterable[Child], between: Html = NOTHING) -> Html:
    """Parts one after the other."""
    return Html(between.join(map(text, parts)))


def emphasised(line: str) -> Html:
    """Text in which `code` and *emphasis* are marked as in Markdown."""
    return joined(_piece(piece) for piece in MARKED.split(line))


def _piece(piece: str) -> str:
    if not MARKED.fullmatch(piece):
        return piece
    return element("code" if piece[0] == "`" else "em", piece[1:-1])
