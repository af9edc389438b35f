"""ID at equal effect, from a series of strengths: how much of a person is left when the edit is half done.

Strengths of two methods are not of one scale. Along its own strengths each method's mean response rises and
its mean ID falls; where the response first reaches 0.5 the IDs of two methods can be compared.
"""

from __future__ import annotations

import numpy as np

from .intervals import LEVEL, REPLICATES, SMALLEST, Bounds, draws

HALF = 0.5  # response at which ID is read
NAME, VERSION = f"id@response{HALF:g}", "1"
SURE = 0.95  # share of replicates that have to reach it, for an interval


def identity_at(response: np.ndarray, identity: np.ndarray, level: float = HALF) -> np.ndarray:
    """(R,) ID where the response first reaches `level`, linear between strengths; NaN where it never does.

    `response` and `identity` are (R, S), means at S rising strengths.
    """
    reached = response >= level
    after = reached.argmax(axis=1)
    before, rows = np.maximum(after - 1, 0), np.arange(len(response))
    rise = response[rows, after] - response[rows, before]
    share = np.where(rise > 0, (level - response[rows, before]) / np.where(rise > 0, rise, 1), 1.0)
    found = identity[rows, before] + share * (identity[rows, after] - identity[rows, before])
    return np.where(reached.any(axis=1), found, np.nan)


def score(
    response: np.ndarray, identity: np.ndarray, seed: int = 2020
) -> tuple[float | None, Bounds | None, str]:
    """The value from per-face numbers (N, S), its 95 % bounds over faces, and why there is no value.

    `response` is NaN for faces that had what was asked; ID counts all faces. Each replicate draws faces and
    computes its whole curve anew.
    """
    faces = len(response)
    value = float(identity_at(*_means(np.ones((1, faces)), response, identity))[0])
    if np.isnan(value):
        highest = float(_means(np.ones((1, faces)), response, identity)[0].max())
        return None, None, f"wanted a response of {HALF:g}, found at most {highest:.3f}"
    if faces < SMALLEST:
        return value, None, ""
    found = replicates(response, identity, seed)
    found = found[~np.isnan(found)]
    if len(found) < SURE * REPLICATES:
        return value, None, ""
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, (float(low), float(high)), ""


def replicates(response: np.ndarray, identity: np.ndarray, seed: int = 2020) -> np.ndarray:
    """(R,) the value in each replicate; NaN where the response is not reached. As many faces and the same
    seed give the same draws."""
    blocks = draws(len(response), REPLICATES, seed)
    return np.concatenate([identity_at(*_means(weights, response, identity)) for weights in blocks])


def _means(weights: np.ndarray, response: np.ndarray, identity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R, S) mean response and ID of each replicate of weights (R, N). A curve without response: −1."""
    defined = ~np.isnan(response)
    total = np.einsum("rn,ns->rs", weights, np.where(defined, response, 0.0))
    count = np.einsum("rn,ns->rs", weights, defined.astype(np.float64))
    mean = np.where(count > 0, total / np.where(count > 0, count, 1), -1.0)
    return mean, np.einsum("rn,ns->rs", weights, identity) / weights.sum(axis=1, keepdims=True)
