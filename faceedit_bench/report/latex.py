"""A report as a LaTeX document, A4 across: pdflatex, XeLaTeX and LuaLaTeX take it."""

from __future__ import annotations

from collections.abc import Sequence

from .. import __version__
from ..markup.latex import breakable, escaped, listing, table
from .contents import about, contents, title
from .material import Run
from .parts import Items, Listing, Part, Table, Words

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[a4paper,landscape,margin=18mm]{geometry}
\usepackage{iftex}
\ifPDFTeX\usepackage[T1]{fontenc}\usepackage{textcomp}\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}\fi
\usepackage{booktabs,longtable,array}
\usepackage[font=small,labelformat=empty,justification=raggedright,singlelinecheck=false]{caption}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\setlength{\LTpre}{2pt}
\setlength{\LTpost}{6pt}
"""
PROSE = r">{\raggedright\arraybackslash}p{0.2\linewidth}>{\raggedright\arraybackslash}p{0.75\linewidth}"


def latex(runs: Sequence[Run], sizes: Sequence[int] = ()) -> str:
    """The whole document."""
    name = escaped(title(runs))
    body = [rf"\section*{{{name}}}", escaped(about(runs))]
    for heading, section in contents(runs, sizes).items():
        body += [rf"\subsection*{{{escaped(heading)}}}", *map(_written, section)]
    body.append(escaped(f"Written by faceedit-bench {__version__} from stored runs."))
    text = "\n\n".join(body)
    return f"{PREAMBLE}\\begin{{document}}\n{text}\n\\end{{document}}\n"


def _columns(table: Table) -> str:
    return PROSE if table.is_prose else "l" * table.left + "r" * (len(table.headings) - table.left)


def _written(part: Part) -> str:
    match part:
        case Words():
            return breakable(part.text)
        case Items():
            lines = "\n".join(rf"\item {breakable(line)}" for line in part.lines)
            listed = f"\\begin{{itemize}}\n{lines}\n\\end{{itemize}}"
            return f"\\subsubsection*{{{escaped(part.title)}}}\n\n{listed}" if part.title else listed
        case Table():
            headings, *rows = [[breakable(cell) for cell in row] for row in (part.headings, *part.rows)]
            drawn = table(headings, rows, caption=escaped(part.caption), columns=_columns(part))
            return f"{{\\footnotesize\n{drawn}\n}}"
        case Listing():
            return f"{{\\footnotesize\n{listing(part.text)}\n}}"
