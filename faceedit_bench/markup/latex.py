"""LaTeX from text: tables that may break over pages, and names that stay names.

The preamble needs inputenc's UTF-8 (the default of LaTeX since 2018), `longtable` and `booktabs`.
"""

from __future__ import annotations

from collections.abc import Sequence

SPECIAL = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
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
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "…": r"\ldots{}",
}


def escaped(text: object) -> str:
    """Text as text: one line, and nothing in it is a command; signs that fonts lack are spelled."""
    line = " ".join(str(text).split())
    return "".join(SPECIAL.get(sign, sign) if sign.isprintable() else "?" for sign in line)


def code(text: object) -> str:
    """A word as code, which may break anywhere: hashes are long."""
    return r"\texttt{" + r"\allowbreak{}".join(escaped(sign) for sign in str(text)) + "}"


def listing(text: str) -> str:
    """Lines as they are."""
    lines = text.replace(r"\end{verbatim}", r"\ end{verbatim}")
    return f"\\begin{{verbatim}}\n{lines}\n\\end{{verbatim}}"


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "", columns: str = ""
) -> str:
    """Cells are LaTeX already; `columns` are longtable's, by default the first left and the rest right."""
    columns = columns or "l" + "r" * (len(headings) - 1)
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
