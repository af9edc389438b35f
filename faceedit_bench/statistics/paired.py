"""Two methods on the same faces: bounds of the difference, its p value, and Holm's correction of several.

Both methods are measured on the same draws of faces, so what a hard face costs both of them cancels. All
edits of a face are drawn together (cluster bootstrap): they depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics.intervals import REPLICATES, SMALLEST, Bounds, percentile, replicate_means

SIGNIFICANT = 0.05  # two-sided; a 95 % interval leaves 0 out
PER_EDIT = 100  # replicates for each edit that is corrected for: the smallest p value has to be small enough


@dataclass(frozen=True)
class Interval:
    """95 % bounds of a difference and the two-sided p value of there being none."""

    bounds: Bounds
    p: float


def replicates_for(edits: int) -> int:
    """Replicates for so many edits: 2000, and more from 21 on."""
    return max(REPLICATES, PER_EDIT * edits)


def intervals(
    first: np.ndarray,
    second: np.ndarray,
    faces: np.ndarray,
    edits: np.ndarray,
    *,
    replicates: int = REPLICATES,
    seed: int = 2020,
) -> list[Interval | None]:
    """Of each of K columns (N, K): mean of `second` − mean of `first`, both over the same rows.

    `faces` (N,) and `edits` (N,) say whose row it is and of which edit; every edit has equal weight. NaN
    marks a row without a value. None for fewer than 10 faces, and where no replicate has a value.
    """
    if len(np.unique(faces)) < SMALLEST:
        return [None] * first.shape[1]
    both = replicate_means(
        np.concatenate([first, second], axis=1), faces, edits, replicates=replicates, seed=seed
    )  # (R, 2K)
    differences = both[:, first.shape[1] :] - both[:, : first.shape[1]]
    return [interval_of(column[~np.isnan(column)]) for column in differences.T]


def interval_of(differences: np.ndarray) -> Interval | None:
    """From the differences in each replicate (R,); None without any."""
    bounds = percentile(differences)
    return None if bounds is None else Interval(bounds, p_value(differences))


def p_value(differences: np.ndarray) -> float:
    """Two-sided: twice the smaller share of replicates (R,) on one side of 0, the sample itself counted once.

    Inverts the percentile interval (Efron and Tibshirani 1993, section 15.4); counting the sample keeps it
    above 0 (Davison and Hinkley 1997, equation 4.11).
    """
    smaller = min((differences <= 0).sum(), (differences >= 0).sum())
    return min(1.0, 2.0 * float(smaller + 1) / (len(differences) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values of a family (Holm 1979): of m, the k-th smallest times m − k + 1, never falling.

    All that stay below a level may be called different at once, with that probability of any mistake.
    """
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
