"""LaTeX from text: tables that may break over pages, and names that stay names.

Documents need UTF-8 (LaTeX's default since 2018) and the packages `longtable` and `booktabs`.
"""

from __future__ import annotations

from collections.abc import Sequence

LATIN = 0x180  # letters below it are in every Latin font
LONG = 30  # letters of a word

SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # in every font encoding
    "[": "{[}",  # so that it is no option of the line break before it
    "*": "{*}",
    "-": "-{}",  # so that two of them are no dash
    "−": "$-$",
    "–": "--",
    "≈": r"$\approx$",
    "★": r"$\star$",
    "∞": r"$\infty$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "…": r"\ldots{}",
}


def escaped(text: object) -> str:
    """Text as text: one line, and nothing in it is a command. Signs that common fonts lack become `?`."""
    return "".join(SPECIAL.get(sign, sign) for sign in _printed(" ".join(str(text).split())))


def _printed(text: str) -> str:
    return "".join(
        sign if sign in SPECIAL or (sign.isprintable() and ord(sign) < LATIN) else "?" for sign in text
    )


def breakable(text: object) -> str:
    """The same; words too long for a line, such as hashes, may break anywhere."""
    words = str(text).split()
    return " ".join(
        r"\allowbreak{}".join(map(escaped, word)) if len(word) > LONG else escaped(word) for word in words
    )


def listing(text: str) -> str:
    """Lines as they are."""
    lines = "\n".join(map(_printed, text.replace(r"\end{verbatim}", r"\ end{verbatim}").splitlines()))
    return f"\\begin{{verbatim}}\n{lines}\n\\end{{verbatim}}"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], columns: str, caption: str = "") -> str:
    """Cells, caption and `columns`, as longtable wants them, are LaTeX already."""
    head = " & ".join(headings) + r" \\"
    return "\n".join(
        [
            rf"\begin{{longtable}}[l]{{@{{}}{columns}@{{}}}}",
            *([rf"\caption{{{caption}}}\\"] if caption else []),
            r"\toprule",
            head,
            r"\midrule",
            r"\endhead",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{longtable}",
        ]
    )
