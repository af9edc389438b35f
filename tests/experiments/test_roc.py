"""The curve against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from faceedit_bench.experiments.roc import Ranking, best_threshold, fold_accuracies, measurable

EXACT = 1e-12  # counts up to thousands in float64: only divisions round


def scored(seed: int, count: int = 60, levels: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, genuine ones a little higher, and which are genuine."""
    generator = np.random.default_rng(seed)
    same = generator.random(count) < 0.3
    scores = generator.integers(0, levels, count) + 2 * same
    return scores.astype(np.float32), same


def counted_tar(scores: np.ndarray, same: np.ndarray, far: float) -> float:
    """The most that any threshold accepts of one person's pairs while few enough of two people's pass."""
    thresholds = [*np.unique(scores), np.inf]
    accepted = [(scores >= one) for one in thresholds]
    allowed = [one for one in accepted if one[~same].mean() <= far + 1e-9]
    return max(one[same].mean() for one in allowed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("far", [0.001, 0.05, 0.1, 0.29, 0.5, 1.0])
def test_tar_at_far_is_the_best_threshold_by_trial(seed: int, far: float) -> None:
    scores, same = scored(seed)
    found = Ranking(scores, same).roc().tar_at(np.array([far]))[0]
    assert found == pytest.approx(counted_tar(scores, same, far), abs=EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_how_often_a_genuine_pair_scores_higher(seed: int) -> None:
    scores, same = scored(seed)
    difference = scores[same][:, None] - scores[~same][None]
    counted = (difference > 0).mean() + (difference == 0).mean() / 2
    assert Ranking(scores, same).roc().area() == pytest.approx(counted, abs=EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_at_the_equal_error_rate_both_errors_agree(seed: int) -> None:
    scores, same = scored(seed)
    rate = Ranking(scores, same).roc().equal_error()
    thresholds = [np.inf, *np.unique(scores)[::-1]]
    far = [(scores[~same] >= one).mean() for one in thresholds]
    frr = [(scores[same] < one).mean() for one in thresholds]
    assert np.interp(rate, far, np.array(far) - np.array(frr)) == pytest.approx(0, abs=1e-9)


def test_a_perfect_recogniser_has_area_one_and_no_error() -> None:
    same = np.arange(20) < 8
    roc = Ranking(same.astype(np.float32), same).roc()
    assert (roc.area(), roc.equal_error()) == (1.0, 0.0)
    assert roc.tar_at(np.array([0.001, 0.1])).tolist() == [1.0, 1.0]


def test_a_constant_recogniser_has_area_one_half() -> None:
    same = np.arange(20) < 8
    roc = Ranking(np.zeros(20, np.float32), same).roc()
    assert (roc.area(), roc.equal_error()) == (0.5, 0.5)
    assert roc.tar_at(np.array([0.1, 1.0])).tolist() == [0.0, 1.0]


def test_a_recogniser_that_is_always_wrong_has_area_zero() -> None:
    same = np.arange(20) < 8
    roc = Ranking(-same.astype(np.float32), same).roc()
    assert (roc.area(), roc.equal_error()) == (0.0, 1.0)


def test_weights_count_like_repeated_pairs() -> None:
    scores, same = scored(1)
    times = np.random.default_rng(2).integers(0, 4, len(scores))
    ranking = Ranking(scores, same)
    weighted = ranking.roc(times[ranking.order].astype(np.float64))
    repeated = Ranking(np.repeat(scores, times), np.repeat(same, times)).roc()
    fars = np.array([0.02, 0.1, 0.4])
    assert np.array_equal(weighted.tar_at(fars), repeated.tar_at(fars))
    assert weighted.area() == repeated.area()
    assert weighted.equal_error() == pytest.approx(repeated.equal_error(), abs=EXACT)


def test_a_rate_below_one_pair_is_not_measurable() -> None:
    assert measurable(0.01, 100) and measurable(0.29, 100)
    assert not measurable(0.01, 99) and not measurable(1e-4, 9_999)


def test_a_fold_is_judged_at_the_threshold_of_the_others() -> None:
    fold = np.repeat([0, 1], 4)
    same = np.array([True, True, False, False] * 2)
    scores = np.array([0.9, 0.8, 0.3, 0.2, 0.9, 0.4, 0.85, 0.2], np.float32)
    assert best_threshold(scores[:4], same[:4]) == pytest.approx(0.8)
    # fold 0 at fold 1's best, 0.9: three right; fold 1 at 0.8: two right
    assert fold_accuracies(scores, same, fold).tolist() == [0.75, 0.5]
