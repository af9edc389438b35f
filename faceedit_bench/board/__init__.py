"""Stored runs + a board's definition -> ranked rows, and every form of them. No hand edits a score."""

from .cell import Cell
from .comma_separated import comma_separated
from .data import as_data
from .definition import Board, Column, load
from .forms import Table, Text, forms
from .latex import latex
from .markdown import markdown
from .page import page
from .ranking import ranked
from .records import Record, check_record
from .rows import Row

__all__ = [
    "Board",
    "Cell",
    "Column",
    "Record",
    "Row",
    "Table",
    "Text",
    "as_data",
    "check_record",
    "comma_separated",
    "forms",
    "latex",
    "load",
    "markdown",
    "page",
    "ranked",
]
