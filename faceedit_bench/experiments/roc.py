"""Receiver operating curve of weighted pairs: exact at every threshold, ties taken together.

A pair is accepted where its score is at least the threshold. FAR is the accepted share of the pairs of two
people, TAR that of the pairs of one person. A threshold cannot part pairs of equal score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLACK = 1e-9  # of all impostors: 0.29 × 100 are 29 pairs, whatever floating point says


@dataclass(frozen=True)
class Roc:
    """Accepted weight at each distinct score, from the highest threshold to the lowest."""

    genuine: np.ndarray  # (L,) float64, growing
    impostors: np.ndarray  # (L,) float64, growing
    thresholds: np.ndarray  # (L,) float32, falling

    @property
    def tar(self) -> np.ndarray:
        return self.genuine / self.genuine[-1]

    @property
    def far(self) -> np.ndarray:
        return self.impostors / self.impostors[-1]

    def tar_at(self, fars: np.ndarray) -> np.ndarray:
        """TAR at the lowest threshold whose FAR does not exceed each of `fars`, (F,)."""
        allowed = np.asarray(fars) * self.impostors[-1] + SLACK * self.impostors[-1]
        levels = np.searchsorted(self.impostors, allowed, side="right")  # accepted levels
        return np.concatenate([[0.0], self.genuine])[levels] / self.genuine[-1]

    def area(self) -> float:
        """Area under the curve: how often a genuine pair scores above an impostor, ties counted half."""
        mean = (self.genuine + np.concatenate([[0.0], self.genuine[:-1]])) / 2
        steps = np.diff(self.impostors, prepend=0.0)
        return float((steps * mean).sum() / (self.genuine[-1] * self.impostors[-1]))

    def equal_error(self) -> float:
        """Where false accepts are as frequent as false rejects; straight lines between thresholds."""
        far = np.concatenate([[0.0], self.far])
        gap = far - (1 - np.concatenate([[0.0], self.tar]))  # from −1 to 1, never falling
        after = int(np.argmax(gap >= 0))
        share = -gap[after - 1] / (gap[after] - gap[after - 1])
        return float(far[after - 1] + share * (far[after] - far[after - 1]))


class Ranking:
    """Pairs sorted once by score, so that curves under many weights are cheap."""

    def __init__(self, scores: np.ndarray, same: np.ndarray) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # last pair of each level
        self.thresholds = ordered[self.ends]
        self.same = same[self.order]

    def roc(self, weights: np.ndarray | None = None) -> Roc:
        """The curve under weights (P,), in the order of the scores; every pair once without them."""
        weight = np.ones(len(self.order)) if weights is None else weights[self.order]
        genuine = np.cumsum(np.where(self.same, weight, 0.0))[self.ends]
        everyone = np.cumsum(weight)[self.ends]
        return Roc(genuine, everyone - genuine, self.thresholds)


def measurable(far: float, impostors: int) -> bool:
    """A false accept rate below one pair cannot be seen."""
    return far * impostors + SLACK * impostors >= 1


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
