"""ID at equal effect, from a series of strengths: how much of a person is left when the edit is half done.

Strengths of two methods are not of one scale. Along its own strengths each method's mean response rises and
its mean ID falls; where the response first reaches 0.5 the IDs of two methods can be compared, and their mean
over responses from 0.1 to 0.9, which is the area under that curve over its width. Beside them stands how
often a face's response falls although the strength rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .intervals import LEVEL, REPLICATES, SMALLEST, Bounds, bootstrap_mean, draws

HALF = 0.5  # response at which ID is read
LOW, HIGH = 0.1, 0.9  # responses between which it is averaged
GRID = 81  # responses at which it is read for that
VERSION = "1"
SURE = 0.95  # share of replicates that have to reach it, for an interval
FALLS, SLIGHT = "response.falls", 0.01  # a fall by less is no fall


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


def identity_over(response: np.ndarray, identity: np.ndarray) -> np.ndarray:
    """(R,) mean ID over responses from LOW to HIGH, each read where it is first reached; trapezoids."""
    read = np.stack([identity_at(response, identity, level) for level in np.linspace(LOW, HIGH, GRID)])
    return (read[1:] + read[:-1]).mean(axis=0) / 2


@dataclass(frozen=True)
class Reading:
    """A number read off a curve of mean response and mean ID."""

    name: str
    reach: float  # the response that the curve has to reach
    read: Callable[[np.ndarray, np.ndarray], np.ndarray]  # (R, S), (R, S) -> (R,)


AT_HALF = Reading(f"id@response{HALF:g}", HALF, identity_at)
OVER_ALL = Reading(f"id@response{LOW:g}-{HIGH:g}", HIGH, identity_over)


def score(
    response: np.ndarray, identity: np.ndarray, seed: int = 2020, reading: Reading = AT_HALF
) -> tuple[float | None, Bounds | None, str]:
    """The value from per-face numbers (N, S), its 95 % bounds over faces, and why there is no value.

    `response` is NaN for faces that had what was asked; ID counts all faces. Each replicate draws faces and
    computes its whole curve anew.
    """
    faces = len(response)
    value = float(reading.read(*_means(np.ones((1, faces)), response, identity))[0])
    if np.isnan(value):
        highest = float(_means(np.ones((1, faces)), response, identity)[0].max())
        return None, None, f"wanted a response of {reading.reach:g}, found at most {highest:.3f}"
    if faces < SMALLEST:
        return value, None, ""
    found = replicates(response, identity, seed, reading)
    found = found[~np.isnan(found)]
    if len(found) < SURE * REPLICATES:
        return value, None, ""
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return value, (float(low), float(high)), ""


def replicates(
    response: np.ndarray, identity: np.ndarray, seed: int = 2020, reading: Reading = AT_HALF
) -> np.ndarray:
    """(R,) the value in each replicate; NaN where the response is not reached. As many faces and the same
    seed give the same draws."""
    blocks = draws(len(response), REPLICATES, seed)
    return np.concatenate([reading.read(*_means(weights, response, identity)) for weights in blocks])


def falls(response: np.ndarray, seed: int = 2020) -> tuple[float | None, Bounds | None, str]:
    """Percent of steps to the next strength at which a face's response (N, S) falls, its 95 % bounds over
    faces, and why there is no value."""
    share = 100.0 * (np.diff(response, axis=1) < -SLIGHT).mean(axis=1)
    share = share[~np.isnan(response).any(axis=1)]
    if not len(share):
        return None, None, "no face was asked for a change at every strength"
    return float(share.mean()), bootstrap_mean(share, np.arange(len(share)), seed=seed), ""


def _means(weights: np.ndarray, response: np.ndarray, identity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(R, S) mean response and ID of each replicate of weights (R, N). A curve without response: −1."""
    defined = ~np.isnan(response)
    total = np.einsum("rn,ns->rs", weights, np.where(defined, response, 0.0))
    count = np.einsum("rn,ns->rs", weights, defined.astype(np.float64))
    mean = np.where(count > 0, total / np.where(count > 0, count, 1), -1.0)
    return mean, np.einsum("rn,ns->rs", weights, identity) / weights.sum(axis=1, keepdims=True)
