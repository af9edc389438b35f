"""FD∞: what a Fréchet distance would be of very many pictures (Chong and Forsyth, 2020).

Of n pictures the distance is too large by about c/n. Over random subsets, each holding the smaller ones, it
is fitted as FD∞ + c/n; with fifteen sizes as dgm-eval has it, from half of the pictures to all.
"""

from __future__ import annotations

import numpy as np

from .frechet import frechet_distance
from .two_samples import FEW_HALVES, TwoSamples

SIZES = 15
SMALLEST = 50  # pictures below which nothing is fitted
SEED = 2020  # of the order in which pictures join


def frechet_infinity(edited: np.ndarray, source: np.ndarray) -> float:
    """Intercept at 1/n = 0, for features (N, D) of the edited and the source pictures of the same faces."""
    order = np.random.default_rng(SEED).permutation(len(source))
    sizes = np.unique(np.linspace(len(order) / 2, len(order), SIZES).round().astype(int))
    distances = [frechet_distance(edited[order[:n]], source[order[:n]]) for n in sizes]
    inverse = 1 / sizes
    slope = np.dot(inverse - inverse.mean(), distances) / np.square(inverse - inverse.mean()).sum()
    return float(np.mean(distances) - slope * inverse.mean())


class FrechetInfinity(TwoSamples):
    """FD∞ between the edited and the source pictures of each edit, mean over edits.

    It estimates, so it may fall a little below 0. Where an edit has no more pictures than there are features
    it is less biased than the distance itself, but biased still: look at `rank_deficient` of that.
    """

    def __init__(self, name: str, role: str) -> None:
        super().__init__(name, role, frechet_infinity, SMALLEST)

    def how_many_halves(self, pictures: int, width: int) -> int:
        """Few: each is a fit of its own."""
        return FEW_HALVES if pictures >= SMALLEST else 0
