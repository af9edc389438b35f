"""A board's definition: what it shows of which runs, and what ranks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import config
from ..errors import BadConfig


@dataclass(frozen=True)
class Column:
    """One number per method."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)

    metric: str
    title: str
    better: str  # "higher" or "lower"
    edit: str = "all"  # an edit's name, "reconstruction", or "all"
    digits: int = 2


@dataclass(frozen=True)
class Board:
    """What a leaderboard shows and how it ranks."""

    title: str
    suite: str
    rank_by: str  # metric of one of the columns
    columns: tuple[Column, ...]
    about: str = ""  # a paragraph under the title
    per_edit: str = ""  # metric of the second table, one row per edit
    require: tuple[str, ...] = ()  # metrics that every run must have
    floor: str = "copy"
    ceiling: str = "truth"
    same_pictures: bool = True  # refuse runs over pictures of another digest
    second_opinion: str = ""  # metric of another judge by which ranks are made again, to be compared
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> its methods
    published: tuple[str, ...] = ()  # files of published/ to show below, unranked (published.py)

    def __post_init__(self) -> None:
        if self.rank_by not in (column.metric for column in self.columns):
            raise BadConfig(f"board {self.title!r}: rank_by names {self.rank_by!r}, which is in no column")
        for column in self.columns:
            if column.better not in ("higher", "lower"):
                raise BadConfig(
                    f"board {self.title!r}: better wants 'higher' or 'lower', found {column.better!r}"
                )

    @property
    def each(self) -> Column:
        """The column whose metric the second table shows edit by edit."""
        found = (column for column in self.columns if column.metric == self.per_edit)
        return next(found, Column(self.per_edit, self.per_edit, "higher"))

    def family_of(self, method: str) -> str:
        """The family that names a method, "" where none does; `-` and `_` are alike."""
        alike = method.replace("_", "-")
        for family, methods in self.families.items():
            if alike in (name.replace("_", "-") for name in methods):
                return family
        return ""

    @property
    def ranking(self) -> Column:
        """The column that decides the rank."""
        return next(column for column in self.columns if column.metric == self.rank_by)


def load(path: Path) -> Board:
    """A board from its TOML file."""
    return config.load(Board, path)
