"""Bookkeeping of metrics that compare two sets of features: those of edited and those of source pictures.

What is compared is a function of two arrays; here its numbers are taken per edit and averaged over edits, and
their spread over random halves of the samples is taken as that of the Fréchet distance is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .both_pictures import BothPictures, Part, by_edit, random_halves
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
        fewest = min((len(source) for _, source, _ in parts), default=0)
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
        count = HALVES if len(samples) < MANY else FEW_HALVES
        chosen = random_halves(parts, samples, count, seed)
        return np.array([mean_over_edits(half, comparison) for half in chosen])


def mean_over_edits(parts: list[Part], comparison: Comparison) -> float:
    return exact_mean(np.array([comparison(edited, source) for _, source, edited in parts]))
