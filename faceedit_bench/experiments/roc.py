"""Receiver operating curve of weighted pairs: exact at every threshold, ties taken together.

A pair is accepted where its score is at least the threshold. FAR is the accepted share of the pairs of two
people, TAR that of the pairs of one person. A threshold cannot part pairs of equal score.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

SLACK = 1e-9  # of all impostors: 0.29 × 100 are 29 pairs, whatever floating point says


@dataclass(frozen=True)
class Roc:
    """Accepted weight at each threshold, from one that accepts nothing to the lowest score."""

    genuine: np.ndarray  # (L + 1,) float64, from 0 up
    impostors: np.ndarray  # (L + 1,) float64, from 0 up
    thresholds: np.ndarray  # (L + 1,) float64, from infinity down

    @property
    def tar(self) -> np.ndarray:
        return self.genuine / self.genuine[-1]

    @property
    def far(self) -> np.ndarray:
        return self.impostors / self.impostors[-1]

    def tar_at(self, fars: np.ndarray) -> np.ndarray:
        """TAR at the lowest threshold whose FAR does not exceed each of `fars`, (F,)."""
        allowed = (np.asarray(fars) + SLACK) * self.impostors[-1]
        levels = np.searchsorted(self.impostors, allowed, side="right") - 1
        return self.genuine[levels] / self.genuine[-1]

    def area(self) -> float:
        """Area under the curve: how often a genuine pair scores above an impostor, ties counted half."""
        twice = np.dot(np.diff(self.impostors), self.genuine[1:] + self.genuine[:-1])
        return float(twice / (2 * self.genuine[-1] * self.impostors[-1]))

    def equal_error(self) -> float:
        """Where false accepts are as frequent as false rejects; straight lines between thresholds."""

        def gap(level: int) -> float:  # FAR − FRR: from −1 to 1, never falling
            return self.impostors[level] / self.impostors[-1] + self.genuine[level] / self.genuine[-1] - 1

        after = bisect_left(range(len(self.genuine)), 0.0, key=gap)
        share = -gap(after - 1) / (gap(after) - gap(after - 1))
        low, high = self.impostors[after - 1 : after + 1] / self.impostors[-1]
        return float(low + share * (high - low))


class Ranking:
    """Pairs sorted once by score, so that curves under many weights are cheap."""

    def __init__(self, scores: np.ndarray, same: np.ndarray) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # last pair of each level
        self.accepted = np.append(0, ends + 1)  # (L + 1,) how many pairs each threshold accepts
        self.thresholds = np.append(np.inf, ordered[ends])
        self.same = same[self.order]

    def roc(self, weights: np.ndarray | None = None) -> Roc:
        """The curve under weights (P,), in the order of this ranking; every pair once without them."""
        weight = np.ones(len(self.order)) if weights is None else weights
        genuine = self._running(np.where(self.same, weight, 0.0))
        return Roc(genuine, self._running(weight) - genuine, self.thresholds)

    def _running(self, weight: np.ndarray) -> np.ndarray:
        """(L + 1,) weight that each threshold accepts."""
        total = np.empty(len(weight) + 1)
        total[0] = 0
        np.cumsum(weight, out=total[1:])
        return total if len(self.accepted) == len(total) else total[self.accepted]


def measurable(far: float, impostors: int) -> bool:
    """A false accept rate below one pair cannot be seen."""
    return (far + SLACK) * impostors >= 1


def fold_accuracies(scores: np.ndarray, same: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """(F,) share of right decisions in each fold, at the threshold that is best on all the others."""
    found = []
    for number in np.unique(fold):
        held_out = fold == number
        threshold = best_threshold(scores[~held_out], same[~held_out])
        found.append(((scores[held_out] >= threshold) == same[held_out]).mean())
    return np.array(found)


def best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """The highest of those with most right decisions."""
    roc = Ranking(scores, same).roc()
    right = roc.genuine + roc.impostors[-1] - roc.impostors
    return float(roc.thresholds[int(np.argmax(right))])
