"""Estimates, their bounds, and differences on the same draws."""

from __future__ import annotations

import numpy as np
import pytest

from faceedit_bench.experiments.intervals import Estimate, estimates, grid, weights_of
from faceedit_bench.experiments.pairs import Pairs, targets
from faceedit_bench.experiments.roc import Ranking


def people(count: int, pictures: int = 4) -> Pairs:
    return targets([str(number // pictures) for number in range(count * pictures)], 1, "here")


def scores(pairs: Pairs, gap: float, seed: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=len(pairs.target))
    return (gap * pairs.same + noise).astype(np.float32)


def asked(found: list[Estimate], arm: str, measure: str, far: float | None = None) -> Estimate:
    return next(one for one in found if (one.arm, one.measure, one.far) == (arm, measure, far))


def test_the_value_is_that_of_all_pairs_and_the_bounds_hold_it() -> None:
    pairs = people(30)
    found, _ = estimates({"none": scores(pairs, 1.5)}, pairs, [0.1], replicates=200, seed=1)
    one = asked(found, "none", "tar", 0.1)
    assert one.value == Ranking(scores(pairs, 1.5), pairs.same).roc().tar_at(np.array([0.1]))[0]
    assert one.low is not None and one.high is not None and one.low < one.value < one.high
    assert one.gain is None


def test_equal_arms_differ_by_exactly_nothing() -> None:
    pairs = people(15)
    same = scores(pairs, 1.0)
    found, _ = estimates({"none": same, "copy": same.copy()}, pairs, [0.1], replicates=50, seed=1)
    for measure, far in (("tar", 0.1), ("auc", None), ("eer", None)):
        one = asked(found, "copy", measure, far)
        assert (one.gain, one.gain_low, one.gain_high) == (0.0, 0.0, 0.0)


def test_a_better_arm_is_better_beyond_chance() -> None:
    pairs = people(40)
    arms = {"none": scores(pairs, 0.5), "better": scores(pairs, 2.0)}
    found, _ = estimates(arms, pairs, [0.1], replicates=200, seed=1)
    area, error = asked(found, "better", "auc"), asked(found, "better", "eer")
    assert area.gain_low is not None and area.gain_low > 0
    assert error.gain_high is not None and error.gain_high < 0


def test_the_same_draws_make_a_difference_surer_than_its_parts() -> None:
    pairs = people(30)
    first = scores(pairs, 1.0)
    second = (first + 0.2 * pairs.same).astype(np.float32)
    found, _ = estimates({"none": first, "edited": second}, pairs, [0.1], replicates=300, seed=1)
    one = asked(found, "edited", "auc")
    assert None not in (one.low, one.high, one.gain_low, one.gain_high)
    assert one.gain_high - one.gain_low < (one.high - one.low) / 2  # type: ignore[operator]


def test_a_person_drawn_twice_counts_twice_with_everyone_else() -> None:
    pairs = people(3, pictures=2)
    times = np.array([2.0, 1.0, 0.0])
    counted = [
        times[one] if one == other else times[one] * times[other]
        for one, other in zip(pairs.target_person, pairs.query_person, strict=True)
    ]
    assert weights_of(pairs.target_person, pairs.query_person, times).tolist() == counted


def test_a_rate_that_cannot_be_measured_has_no_number() -> None:
    pairs = people(12)
    found, _ = estimates({"none": scores(pairs, 1.0)}, pairs, [1e-4], replicates=5, seed=1)
    one = asked(found, "none", "tar", 1e-4)
    assert (one.value, one.low, one.high) == (None, None, None)
    assert "wants at least 10,000 pairs of two people, found 396" in one.note


def test_few_people_have_no_interval_and_it_is_said() -> None:
    pairs = people(5)
    found, curves = estimates({"none": scores(pairs, 1.0)}, pairs, [0.5], replicates=5, seed=1)
    one = asked(found, "none", "auc")
    assert one.value is not None and one.low is None and "fewer than 10 people" in one.note
    assert set(curves["arms"]["none"]) == {"tar"}


def test_the_curve_runs_from_one_pair_to_all_and_never_falls() -> None:
    rates = grid(1000)
    assert rates[0] * 1000 == pytest.approx(1) and rates[-1] == 1
    assert np.all(np.diff(rates) > 0)
    pairs = people(12)
    _, curves = estimates({"none": scores(pairs, 1.0)}, pairs, [0.1], replicates=5, seed=1)
    tar = curves["arms"]["none"]["tar"]
    assert np.all(np.diff(tar) >= 0) and tar[-1] == 1


def test_the_seed_draws_the_people() -> None:
    pairs = people(12)

    def bounds(seed: int) -> tuple[float | None, float | None]:
        found, _ = estimates({"none": scores(pairs, 1.0)}, pairs, [0.1], replicates=20, seed=seed)
        return asked(found, "none", "auc").low, asked(found, "none", "auc").high

    assert bounds(1) == bounds(1) != bounds(2)
