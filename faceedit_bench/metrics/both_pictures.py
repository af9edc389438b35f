"""What comparisons of two sets of features remember: the judge's answers on the sources and the edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .answers import answers
from .intervals import about
from .states import Rows, place

if TYPE_CHECKING:
    from ..contracts import Observation


Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # sample positions (N,), source (N, D), edited (N, D)


class BothPictures:
    """Empty state, updates, and what a spread of halves is; a metric adds its `finish` and its `halves`."""

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

    def about(self, value: float, halves: np.ndarray) -> tuple[float, float]:
        """A spread for `value`, the difference of two methods', from the differences on the same halves."""
        return about(value, halves)

    def spread_kind(self) -> str:
        return "spread between random halves of the samples, not a confidence interval"


def by_edit(state: Rows) -> list[Part]:
    """One part for each edit."""
    edits = state.column("edit")
    sample, source, edited = (state.column(name) for name in ("sample", "source", "edited"))
    rows_of_edits = (edits == edit for edit in np.unique(edits))
    return [(sample[rows], source[rows], edited[rows]) for rows in rows_of_edits]


def random_halves(parts: list[Part], samples: np.ndarray, count: int, seed: int) -> Iterator[list[Part]]:
    """`count` times the parts with a random half of the samples; the same seed gives the same halves."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        half = generator.permutation(samples)[: len(samples) // 2]
        kept = [np.isin(ids, half) for ids, _, _ in parts]
        yield [
            (ids[keep], source[keep], edited[keep])
            for (ids, source, edited), keep in zip(parts, kept, strict=True)
        ]
