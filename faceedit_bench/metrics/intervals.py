"""Intervals: Wilson for one rate, a bootstrap over faces for means, a spread where neither is honest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..contracts import MetricSpec

REPLICATES = 2000
LEVEL = 0.95
Z = 1.959963984540054  # standard normal quantile of (1 + LEVEL) / 2
SMALLEST = 10  # faces below which a bootstrap says nothing
BOOTSTRAP = f"bootstrap 95 % over faces, {REPLICATES} replicates"
BLOCK = 1 << 22  # resampled positions held at once

Bounds = tuple[float, float]


def interval(spec: MetricSpec, metric: Any, state: Any, seed: int = 2020) -> dict[str, Bounds | None]:
    """95 % bounds for those keys of `metric.finish(state)` that have any; None for too few faces.

    Metrics whose score is a mean offer `per_sample(state) -> {key: (N,)}`, with NaN for undefined samples,
    and may say with `is_rate(key)` which are shares of successes. Others offer `spread(state, seed)`; so do
    those that have numbers beside their means which are no means of faces.
    """
    if spec.interval == "none":
        return {}
    if spec.interval == "spread":
        return metric.spread(state, seed)
    values = metric.per_sample(state)
    samples, edits = state.column("sample"), state.column("edit")
    bounds: dict[str, Bounds | None] = {
        key: wilson(int((values[key] > 0).sum()), int((~np.isnan(values[key])).sum()))
        for key in values
        if uses_wilson(metric, state, key)
    }
    rest = [key for key in values if key not in bounds]
    if rest:
        table = np.stack([values[key] for key in rest], axis=1)
        bounds.update(zip(rest, bootstrap_means(table, samples, edits, seed=seed), strict=True))
    if hasattr(metric, "spread"):
        bounds.update(metric.spread(state, seed))
    return bounds


def kind(spec: MetricSpec, metric: Any, state: Any, key: str) -> str:
    """What the bounds of `key` are, in words for tables and records."""
    if spec.interval == "none":
        return "none"
    if spec.interval == "spread":
        return metric.spread_kind()
    if uses_wilson(metric, state, key):
        return "wilson 95 %"
    return BOOTSTRAP


def uses_wilson(metric: Any, state: Any, key: str) -> bool:
    """One edit's rate; outcomes of several edits of a face depend on each other, so there faces are drawn."""
    is_rate = getattr(metric, "is_rate", None)
    return is_rate is not None and is_rate(key) and len(np.unique(state.column("edit"))) == 1


def wilson(successes: int, trials: int) -> Bounds | None:
    """Wilson's 95 % score interval of a rate, in percent; None without trials."""
    if trials == 0:
        return None
    rate, square = successes / trials, Z * Z
    centre = (rate + square / (2 * trials)) / (1 + square / trials)
    reach = Z / (1 + square / trials) * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials**2))
    return 100 * max(0.0, centre - reach), 100 * min(1.0, centre + reach)


def bootstrap_mean(
    values: np.ndarray, clusters: np.ndarray, replicates: int = REPLICATES, seed: int = 2020
) -> Bounds | None:
    """Percentile bootstrap of the mean of values (N,), drawing whole clusters (N,) with replacement."""
    edits = np.zeros(len(values), dtype=np.int64)
    return bootstrap_means(values[:, None], clusters, edits, replicates=replicates, seed=seed)[0]


def bootstrap_means(
    values: np.ndarray,
    clusters: np.ndarray,
    edits: np.ndarray,
    *,
    replicates: int = REPLICATES,
    seed: int = 2020,
) -> list[Bounds | None]:
    """Bounds of each of K columns (N, K): mean over edits (N,) of the mean over defined values (not NaN)."""
    if len(np.unique(clusters)) < SMALLEST:
        return [None] * values.shape[1]
    means = replicate_means(values, clusters, edits, replicates=replicates, seed=seed)
    return [percentile(column[~np.isnan(column)]) for column in means.T]


def replicate_means(
    values: np.ndarray,
    clusters: np.ndarray,
    edits: np.ndarray,
    *,
    replicates: int = REPLICATES,
    seed: int = 2020,
) -> np.ndarray:
    """(R, K) the same statistic of the columns (N, K) in each replicate, drawing whole clusters (N,).

    The same draws serve all columns, and every state with as many clusters, so differences may be taken.
    """
    members, edit_of = np.unique(clusters, return_inverse=True), np.unique(edits, return_inverse=True)
    faces, groups = len(members[0]), len(edit_of[0])
    cell = members[1] * groups + edit_of[1]  # (N,) where each row's value goes in a (faces, groups) table
    table = [_sums(column, cell, faces * groups) for column in values.T]
    sums = np.stack([part[0].reshape(faces, groups) for part in table], axis=1).reshape(faces, -1)
    counts = np.stack([part[1].reshape(faces, groups) for part in table], axis=1).reshape(faces, -1)
    blocks = (_edit_means(weights, sums, counts, groups) for weights in draws(faces, replicates, seed))
    return np.concatenate(list(blocks))


def _sums(column: np.ndarray, cell: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the defined values in each cell."""
    defined = ~np.isnan(column)
    return (
        np.bincount(cell[defined], weights=column[defined], minlength=size),
        np.bincount(cell[defined], minlength=size).astype(np.float64),
    )


def draws(faces: int, replicates: int, seed: int) -> list[np.ndarray]:
    """Blocks (R, faces) of how often each face is drawn, together `replicates` rows."""
    generator = np.random.default_rng(seed)
    blocks = []
    for start in range(0, replicates, step := max(1, BLOCK // faces)):
        rows = min(step, replicates - start)
        drawn = generator.integers(0, faces, size=(rows, faces)) + faces * np.arange(rows)[:, None]
        blocks.append(
            np.bincount(drawn.ravel(), minlength=rows * faces).reshape(rows, faces).astype(np.float64)
        )
    return blocks


def _edit_means(weights: np.ndarray, sums: np.ndarray, counts: np.ndarray, groups: int) -> np.ndarray:
    """(R, K) statistic of each replicate. einsum and not matmul: its bits do not depend on threads."""
    total = np.einsum("rf,fk->rk", weights, sums).reshape(len(weights), -1, groups)
    number = np.einsum("rf,fk->rk", weights, counts).reshape(len(weights), -1, groups)
    with np.errstate(invalid="ignore"):
        means = total / number  # NaN for an edit without a defined value in this replicate
    present = ~np.isnan(means)
    with np.errstate(invalid="ignore"):
        return np.where(present, means, 0.0).sum(axis=2) / present.sum(axis=2)


def percentile(replicates: np.ndarray) -> Bounds | None:
    """The middle 95 % of replicates (R,); None without any."""
    if len(replicates) == 0:
        return None
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def about(value: float, parts: np.ndarray) -> Bounds:
    """The middle 95 % of the values on parts of the samples (S,), moved to sit about `value` itself."""
    low, high = np.quantile(parts, [0.025, 0.975]) - math.fsum(parts.tolist()) / len(parts) + value
    return float(low), float(high)
