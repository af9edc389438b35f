"""Verification with intervals: people are drawn anew, and all arms are measured on the same draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .pairs import Pairs
from .roc import Ranking, Roc, fold_accuracies, measurable

LEVEL = 0.95
SMALLEST = 10  # people below which a bootstrap says nothing
POINTS = 10  # of the curve per factor of ten in FAR

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Estimate:
    """One number with its bounds, and its difference from the first arm on the same draws."""

    arm: str
    measure: str  # "tar", "auc", "eer" or "accuracy"
    far: float | None  # of "tar"
    value: float | None  # in [0, 1]; None where it cannot be measured
    low: float | None = None
    high: float | None = None
    gain: float | None = None  # value − that of the first arm
    gain_low: float | None = None
    gain_high: float | None = None
    spread: float | None = None  # of "accuracy": standard deviation over folds
    note: str = ""  # why there is no value, or no interval


def estimates(
    scores: Mapping[str, np.ndarray],
    pairs: Pairs,
    fars: Sequence[float],
    *,
    replicates: int,
    seed: int,
    advance: Advance = lambda step: None,
) -> tuple[list[Estimate], dict[str, Any]]:
    """Every measure of every arm, and the curves; the others are compared with the first arm of `scores`."""
    rates = np.array([*fars, *grid(pairs.impostors)])
    rankings = {arm: Ranking(values, pairs.same) for arm, values in scores.items()}
    points = {arm: summary(ranking.roc(), rates) for arm, ranking in rankings.items()}
    draws = bootstrap(rankings, pairs, rates, replicates, seed, advance)
    found: list[Estimate] = []
    for column, far in enumerate([*fars, None, None]):
        place = column if far is not None else len(rates) + column - len(fars)
        measure = "tar" if far is not None else ("auc", "eer")[column - len(fars)]
        for arm in scores:
            if far is not None and not measurable(far, pairs.impostors):
                found.append(Estimate(arm, measure, far, None, note=too_few(far, pairs.impostors)))
            else:
                found.append(estimate(arm, measure, far, place, points, draws))
    if pairs.fold is not None:
        found += accuracies(scores, pairs)
    return found, curves(points, draws, rates[len(fars) :], skip=len(fars))


def too_few(far: float, impostors: int) -> str:
    """Why a rate cannot be measured."""
    wanted = int(np.ceil(1 / far - 1e-6))
    return (
        f"TAR@{100 * far:g}% cannot be measured: wants at least {wanted:,} pairs of two people, "
        f"found {impostors:,}"
    )


def grid(impostors: int) -> np.ndarray:
    """False accept rates of the curve: evenly spaced in the logarithm from one pair to all."""
    decades = np.log10(impostors)
    return np.concatenate([10.0 ** (-np.arange(np.floor(decades * POINTS), 0, -1) / POINTS), [1.0]])


def summary(roc: Roc, rates: np.ndarray) -> np.ndarray:
    """(F + 2,): TAR at each rate, area, equal error rate."""
    return np.array([*roc.tar_at(rates), roc.area(), roc.equal_error()])


def bootstrap(
    rankings: Mapping[str, Ranking],
    pairs: Pairs,
    rates: np.ndarray,
    replicates: int,
    seed: int,
    advance: Advance,
) -> dict[str, np.ndarray] | None:
    """Arm -> (R, F + 2) summaries under people drawn with replacement; None for too few people.

    A person drawn twice counts as two, and their pairs with everyone else twice. Pairs between the two copies
    would be a picture against itself or one more genuine pair, so they are left out.
    """
    here = np.unique(np.concatenate([pairs.target_person, pairs.query_person]))
    if len(here) < SMALLEST:
        return None
    generator = np.random.default_rng(seed)
    who = {
        arm: (pairs.target_person[ranking.order], pairs.query_person[ranking.order])
        for arm, ranking in rankings.items()
    }
    rows: dict[str, list[np.ndarray]] = {arm: [] for arm in rankings}
    for _ in range(replicates):
        times = np.zeros(pairs.people)
        times[here] = np.bincount(generator.integers(0, len(here), len(here)), minlength=len(here))
        for arm, ranking in rankings.items():
            roc = ranking.roc(weights_of(*who[arm], times))
            if roc.genuine[-1] and roc.impostors[-1]:
                rows[arm].append(summary(roc, rates))
        advance(1)
    return {arm: np.stack(found) for arm, found in rows.items()}


def weights_of(target_person: np.ndarray, query_person: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(P,) how often a pair counts where its people are drawn so many `times`."""
    one = times[target_person]
    return np.where(target_person == query_person, one, one * times[query_person])


def estimate(
    arm: str,
    measure: str,
    far: float | None,
    place: int,
    points: Mapping[str, np.ndarray],
    draws: Mapping[str, np.ndarray] | None,
) -> Estimate:
    """The number at `place` of the summaries of `arm`, beside that of the first arm."""
    first = next(iter(points))
    value = float(points[arm][place])
    gain = None if arm == first else value - float(points[first][place])
    if draws is None:
        note = f"no interval: fewer than {SMALLEST} people"
        return Estimate(arm, measure, far, value, gain=gain, note=note)
    low, high = bounds(draws[arm][:, place])
    if gain is None:
        return Estimate(arm, measure, far, value, low, high)
    gains = bounds(draws[arm][:, place] - draws[first][:, place])
    return Estimate(arm, measure, far, value, low, high, gain, *gains)


def bounds(replicates: np.ndarray) -> tuple[float, float]:
    """Percentile interval."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def accuracies(scores: Mapping[str, np.ndarray], pairs: Pairs) -> list[Estimate]:
    """Mean accuracy over folds, as LFW's view 2 reports it, with the spread over folds."""
    assert pairs.fold is not None
    if len(np.unique(pairs.fold)) < 2:
        note = "accuracy cannot be measured: its threshold comes from other folds, and there is one"
        return [Estimate(arm, "accuracy", None, None, note=note) for arm in scores]
    folds = {arm: fold_accuracies(values, pairs.same, pairs.fold) for arm, values in scores.items()}
    first = next(iter(folds.values()))
    return [
        Estimate(
            arm,
            "accuracy",
            None,
            float(found.mean()),
            gain=None if found is first else float((found - first).mean()),
            spread=float(found.std(ddof=1)),
        )
        for arm, found in folds.items()
    ]


def curves(
    points: Mapping[str, np.ndarray],
    draws: Mapping[str, np.ndarray] | None,
    rates: np.ndarray,
    *,
    skip: int,
) -> dict[str, Any]:
    """`{"far": […], "arms": {arm: {"tar": […], "low": […], "high": […]}}}` over the grid of rates."""
    arms: dict[str, dict[str, list[float]]] = {}
    for arm, point in points.items():
        span = slice(skip, skip + len(rates))
        arms[arm] = {"tar": point[span].tolist()}
        if draws is not None:
            limits = [bounds(column) for column in draws[arm][:, span].T]
            arms[arm] |= {"low": [low for low, _ in limits], "high": [high for _, high in limits]}
    return {"far": rates.tolist(), "arms": arms}
