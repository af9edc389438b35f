"""By what a board's page can be filtered. Filters hide rows and columns; they never rank again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..catalog import catalog
from ..markup.html import Child, Html, element
from ..published import Number, Published, of_boards
from .definition import Board, Column
from .records import Record, judges_of
from .rows import Row

MEASURED, PUBLISHED = "measured", "published"
NO_JUDGE = "no judge"
PAPERS_OWN = "the papers' own"
OTHER = "other methods"


@dataclass(frozen=True)
class Filters:
    """The choices of every list; elements of the page name them by their number."""

    board: Board
    suites: tuple[str, ...]
    families: tuple[str, ...]
    judges: tuple[str, ...]
    roles: Mapping[str, str]  # of judges -> name

    @staticmethod
    def of(records: Sequence[Record], board: Board, rows: Sequence[Row], published: Published) -> Filters:
        """Whatever occurs on the page."""
        roles = {
            role: str(judge["name"])
            for record in reversed(records)
            for role, judge in sorted(judges_of(record).items())
        }
        measured = [board.suite] if rows else []
        numbers = of_boards(published)
        settings = sorted({number.setting for number in numbers})
        known = {board.family_of(row.method) for row in rows}
        known |= {board.family_of(number.method) for number in numbers}
        families = [family for family in board.families if family in known]
        return Filters(
            board,
            (*measured, *settings),
            (*families, *([OTHER] if "" in known else [])),
            tuple(dict.fromkeys([*roles.values(), NO_JUDGE, *([PAPERS_OWN] if settings else [])])),
            roles,
        )

    # ---- what elements say of themselves

    def of_row(self, row: Row) -> dict[str, object]:
        """Of a measured row."""
        return self._marks(MEASURED, self.board.suite, row.method)

    def of_number(self, number: Number) -> dict[str, object]:
        """Of a published one."""
        return self._marks(PUBLISHED, number.setting, number.method)

    def _marks(self, kind: str, suite: str, method: str) -> dict[str, object]:
        family = self.board.family_of(method) or OTHER
        return {
            "data_kind": kind,
            "data_suite": self.suites.index(suite),
            "data_family": self.families.index(family),
        }

    def asked_by(self, column: Column) -> str:
        """Numbers of the judges that a column asks."""
        spec = catalog().metrics.get(column.metric)
        names = [self.roles[role] for role in (spec.judges if spec else ()) if role in self.roles]
        return " ".join(str(self.judges.index(name)) for name in names or [NO_JUDGE])

    # ---- the lists

    def controls(self) -> Html:
        """Hidden until the script runs; without it everything is shown."""
        lists = [_list("kind", "numbers", [(MEASURED, "measured here"), (PUBLISHED, "published by papers")])]
        for key, title, names in (
            ("suite", "suite or data set", self.suites),
            ("family", "method family", self.families),
            ("judge", "judge", self.judges),
        ):
            if len(names) > 1:
                lists.append(_list(key, title, list(enumerate(names))))
        words = element("label", "name has ", element("input", type="search", id="words", autocomplete="off"))
        clear = element("button", "Clear", type="button", id="clear")
        shown = element("output", id="shown", role="status")
        return element("div", *lists, words, clear, shown, id="filters", class_="controls", hidden=True,
                       role="search", aria_label="Filters")  # fmt: skip


def _list(key: str, title: str, choices: Sequence[tuple[Child, str]]) -> Html:
    options = [element("option", "all", value="")]
    options += [element("option", name, value=value) for value, name in choices]
    return element("label", f"{title} ", element("select", *options, id=f"by-{key}", data_key=key))
