"""What comparisons of two sets of features remember: the judge's answers on the sources and the edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import answers
from .states import Rows, place

if TYPE_CHECKING:
    from ..contracts import Observation


class BothPictures:
    """Empty state and updates; a metric adds its `finish`."""

    role: str  # of the judge

    @property
    def keeps(self) -> dict[tuple[str, str], str]:
        """The judges' answers that states hold: role and picture -> column."""
        return {(self.role, "source"): "source", (self.role, "edited"): "edited"}

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(
            **place(seen),
            source=answers(seen, self.role, "source"),
            edited=answers(seen, self.role, "edited"),
        )
