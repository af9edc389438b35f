"""An HTML document that works alone: one style, one script, no request."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from .html import Html, element

THEME, SORTING = "theme.css", "sorting.js"  # of every page


def document(title: str, body: Sequence[Html], *, style: str = "", script: str = "", note: str = "") -> str:
    """The whole page; `style` and `script` come after the theme and the sorting of tables.

    `note` is a comment at its top.
    """
    style = _packaged(THEME) + style
    script = _packaged(SORTING) + script
    page = element(
        "html",
        _head(title, Html(style), Html(script)),
        element("body", *body, element("script", Html(script))),
        lang="en",
    )
    comment = f"<!-- {note.replace('--', '- -')} -->\n" if note else ""
    return f"<!DOCTYPE html>\n{comment}{page}\n"


def _packaged(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _head(title: str, style: Html, script: Html) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", style),
    )


def policy(style: str, script: str) -> str:
    """Nothing may be loaded; only this style and this script run; pictures lie in the page."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    """As a Content-Security-Policy names a text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
