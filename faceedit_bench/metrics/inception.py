"""Inception Score (Salimans et al. 2016) of a pool of edited pictures, the variant called is.shuffled.

Ten splits of the pool after NumPy's RandomState(2020).permutation, as torch-fidelity does it. The order
matters: unshuffled, each split would hold one kind of edit and score lower.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from .answers import answers
from .states import Rows, place

if TYPE_CHECKING:
    from ..contracts import Observation

SPLITS, SEED = 10, 2020


def split_scores(logits: np.ndarray, splits: int = SPLITS, seed: int | None = SEED) -> np.ndarray:
    """(splits,) scores exp(E KL(p(y|x) ‖ p(y))) of (N, K) logits; `seed` None keeps the order."""
    number = len(logits)
    if not 1 <= splits <= number:
        raise ValueError(f"wanted between 1 and {number} splits for {number} pictures, found {splits}")
    logits = logits.astype(np.float64)
    if seed is not None:
        logits = logits[np.random.RandomState(seed).permutation(number)]
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
    return np.array([_score(p[part], log_p[part]) for part in _parts(number, splits)])


def _score(p: np.ndarray, log_p: np.ndarray) -> float:
    """exp of the mean divergence of (n, K) class probabilities from their mean."""
    mean = p.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = np.where(p > 0, p * (log_p - np.log(mean)), 0.0)
    return float(np.exp(divergence.sum(axis=1).mean()))


def _parts(number: int, splits: int) -> list[slice]:
    return [slice(j * number // splits, (j + 1) * number // splits) for j in range(splits)]


class InceptionScore:
    """Inception Score of the classes judge, mean over ten splits; over all edits the pool of all pictures.

    is           mean over splits;  is.std: their population standard deviation, not a confidence interval
    is.splits    10, or the number of pictures where there are fewer

    It rises with the number of pictures per split and says little about faces: keep it for comparison with
    papers.
    """

    keeps = MappingProxyType({("classes", "edited"): "logits"})  # the judge's answers that states hold

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), logits=answers(seen, "classes", "edited"))

    def finish(self, state: Rows) -> dict[str, float]:
        scores = split_scores(state.column("logits"), min(SPLITS, len(state)))
        return {"is": float(scores.mean()), "is.std": float(scores.std()), "is.splits": float(len(scores))}

    def spread(self, state: Rows, seed: int) -> dict[str, tuple[float, float] | None]:
        """One standard deviation over splits to either side; none for fewer pictures than splits."""
        if len(state) < SPLITS:
            return {"is": None}
        found = self.finish(state)
        return {"is": (found["is"] - found["is.std"], found["is"] + found["is.std"])}

    def halves(self, state: Rows, seed: int) -> np.ndarray | None:
        """(10,) the scores of the splits, here tenths of the pool; None for fewer pictures than splits."""
        return split_scores(state.column("logits"), SPLITS) if len(state) >= SPLITS else None

    def about(self, value: float, halves: np.ndarray) -> tuple[float, float]:
        """One standard deviation over the splits to either side."""
        return value - float(halves.std()), value + float(halves.std())

    def spread_kind(self) -> str:
        return "one standard deviation over ten splits, not a confidence interval"
