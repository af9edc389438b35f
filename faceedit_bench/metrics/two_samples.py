"""Comparisons of two sets of features by functions of two arrays, each from some number of pictures on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..contracts import Undefined
from .both_pictures import BothPictures, OfEdit
from .states import exact_mean

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

    def compared(self, source: np.ndarray, edited: np.ndarray) -> dict[str, float]:
        return {
            key: comparison(edited, source)
            for key, (comparison, smallest) in self.comparisons.items()
            if len(source) >= smallest
        }

    def distance(self, source: np.ndarray, edited: np.ndarray) -> float:
        comparison, _ = self.comparisons[self.name]
        return comparison(edited, source)

    def how_many_halves(self, pictures: int, width: int) -> int:
        _, smallest = self.comparisons[self.name]
        if pictures < max(SMALLEST_SPREAD, smallest):
            return 0
        return HALVES if pictures < MANY else FEW_HALVES

    def over_edits(self, each: Sequence[OfEdit]) -> dict[str, float | Undefined]:
        fewest = min((one.pictures for one in each), default=0)
        return {
            key: exact_mean(np.array([one.numbers[key] for one in each]))
            if fewest >= smallest
            else Undefined(f"wanted at least {smallest} pictures of each edit, found {fewest}")
            for key, (_, smallest) in self.comparisons.items()
        }
