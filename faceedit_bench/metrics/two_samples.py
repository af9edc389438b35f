"""Bookkeeping of metrics that compare two sets of features: those of edited and those of source pictures.

What is compared is a function of two arrays; here its numbers are taken per edit and averaged over edits, and
their spread over random halves of the samples is taken as that of the Fréchet distance is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .both_pictures import BothPictures
from .intervals import about
from .states import Rows, exact_mean

if TYPE_CHECKING:
    pass

HALVES, FEW_HALVES = 20, 4  # subsamples of the spread; few where each takes long
MANY = 5000  # samples from which on there are few
SMALLEST_SPREAD = 10  # samples below which no spread is given

Comparison = Callable[[np.ndarray, np.ndarray], float]  # (N, D) edited, (N, D) source -> number


class TwoSamples(BothPictures):
    """The number `name` of the features that the judge of `role` gives, and `others` beside it.

    `smallest` is the number of pictures from which on a number is defined. Every comparison is of one edit's
    pictures with the source pictures they came from; over edits the mean of these.
    """

    def __init__(
        self,
        name: str,
        role: str,
        comparison: Comparison,
        smallest: int,
        others: Mapping[str, tuple[Comparison, int]] | None = None,
    ) -> None:
        self.name, self.role = name, role
        self.comparisons = {name: (comparison, smallest), **(others or {})}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        parts = by_edit(state)
        fewest = min((len(source) for _, _, source in parts), default=0)
        found: dict[str, float | Undefined] = {}
        for key, (comparison, smallest) in self.comparisons.items():
            if fewest < smallest:
                found[key] = Undefined(f"wanted at least {smallest} pictures of each edit, found {fewest}")
            else:
                found[key] = mean_over_edits(parts, comparison)
        return found

    def spread(self, state: Rows, seed: int) -> dict[str, tuple[float, float] | None]:
        """How far the value moves between random halves of the samples, moved to sit about the value itself.

        It shows the variance (that of halves drawn without replacement is that of the whole, the delete-half
        jackknife) and nothing of the bias that a small number of samples brings.
        """
        moved = self.halves(state, seed)
        if moved is None:
            return {self.name: None}
        return {self.name: about(mean_over_edits(by_edit(state), self.comparisons[self.name][0]), moved)}

    def halves(self, state: Rows, seed: int) -> np.ndarray | None:
        """(S,) the value on random halves of the samples; None for too few. As many samples and the same seed
        give the same halves, so two methods may be compared on them."""
        parts = by_edit(state)
        samples = np.unique(state.column("sample"))
        comparison, smallest = self.comparisons[self.name]
        if len(samples) < max(SMALLEST_SPREAD, smallest):
            return None
        generator = np.random.default_rng(seed)
        values = []
        for _ in range(HALVES if len(samples) < MANY else FEW_HALVES):
            half = generator.permutation(samples)[: len(samples) // 2]
            chosen = [
                (ids[keep], edited[keep], source[keep])
                for ids, edited, source in parts
                for keep in [np.isin(ids, half)]
            ]
            values.append(mean_over_edits(chosen, comparison))
        return np.array(values)

    def about(self, value: float, halves: np.ndarray) -> tuple[float, float]:
        """A spread for `value`, the difference of two methods', from the differences on the same halves."""
        return about(value, halves)

    def spread_kind(self) -> str:
        return "spread between random halves of the samples, not a confidence interval"


Part = tuple[np.ndarray, np.ndarray, np.ndarray]  # sample positions (N,), edited (N, D), source (N, D)


def by_edit(state: Rows) -> list[Part]:
    edits = state.column("edit")
    columns = [state.column(name) for name in ("sample", "edited", "source")]
    return [
        (columns[0][rows], columns[1][rows], columns[2][rows])
        for rows in (edits == edit for edit in np.unique(edits))
    ]


def mean_over_edits(parts: list[Part], comparison: Comparison) -> float:
    return exact_mean(np.array([comparison(edited, source) for _, edited, source in parts]))
