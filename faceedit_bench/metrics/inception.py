"""Inception Score (Salimans et al. 2016) of a pool of edited pictures, in two variants.

`is`: ten splits of the pool after NumPy's RandomState(2020).permutation, as torch-fidelity does it. The order
matters: in `is_ordered`, edit after edit, each split holds about one kind of edit and scores lower. SeCGAN
does not say which it prints.
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
    order = np.arange(number) if seed is None else np.random.RandomState(seed).permutation(number)
    return np.array([_score(logits[order[part]].astype(np.float64)) for part in _parts(number, splits)])


def _score(logits: np.ndarray) -> float:
    """exp of the mean divergence of the class probabilities of (n, K) logits from their mean."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p = np.exp(log_p)
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

    `is_ordered` and so on are the same numbers of a pool that is not shuffled.

    It rises with the number of pictures per split and says little about faces: keep it for comparison with
    papers.
    """

    keeps = MappingProxyType({("classes", "edited"): "logits"})  # the judge's answers that states hold

    def __init__(self, name: str = "is", seed: int | None = SEED) -> None:
        self.name, self.seed = name, seed

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), logits=answers(seen, "classes", "edited"))

    def finish(self, state: Rows) -> dict[str, float]:
        scores = split_scores(state.column("logits"), min(SPLITS, len(state)), self.seed)
        return {
            self.name: float(scores.mean()),
            f"{self.name}.std": float(scores.std()),
            f"{self.name}.splits": float(len(scores)),
        }

    def spread(self, state: Rows, seed: int) -> dict[str, tuple[float, float] | None]:
        """One standard deviation over splits to either side; none for fewer pictures than splits."""
        if len(state) < SPLITS:
            return {self.name: None}
        found = self.finish(state)
        mean, deviation = found[self.name], found[f"{self.name}.std"]
        return {self.name: (mean - deviation, mean + deviation)}

    def halves(self, state: Rows, seed: int) -> np.ndarray | None:
        """(10,) the scores of the splits, here tenths of the pool; None for fewer pictures than splits."""
        return split_scores(state.column("logits"), SPLITS, self.seed) if len(state) >= SPLITS else None

    def about(self, value: float, halves: np.ndarray) -> tuple[float, float]:
        """One standard deviation over the splits to either side."""
        return value - float(halves.std()), value + float(halves.std())

    def spread_kind(self) -> str:
        return "one standard deviation over ten splits, not a confidence interval"
