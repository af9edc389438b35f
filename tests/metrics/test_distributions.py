"""Fréchet distance and Inception Score against SciPy, torch-fidelity and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from observations import Seen, features, pictures, score, seen, state_of
from scipy.linalg import sqrtm
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric

from faceedit_bench.contracts import Undefined
from faceedit_bench.errors import BrokenPromise
from faceedit_bench.metrics.frechet import Frechet, frechet_distance, frechet_from_moments
from faceedit_bench.metrics.frechet_infinity import FrechetInfinity, frechet_infinity
from faceedit_bench.metrics.frechet_target import FrechetTarget
from faceedit_bench.metrics.inception import InceptionScore, split_scores
from faceedit_bench.metrics.states import Moments


def two_sets(first: int, second: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    a = features(first, width).double().numpy()
    b = features(second, width, seed=1).double().numpy() * 1.2 + 0.3
    return a, b


def total_variance(*sets: np.ndarray) -> float:
    return sum(float(each.var(axis=0, ddof=1).sum()) for each in sets)


def by_fidelity(a: np.ndarray, b: np.ndarray) -> float:
    statistics = [fid_features_to_statistics(torch.from_numpy(each)) for each in (a, b)]
    return fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]


def by_sqrtm(a: np.ndarray, b: np.ndarray) -> float:
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(axis=0) - b.mean(axis=0)
    return float(shift @ shift + np.trace(first + second - 2 * sqrtm(first @ second).real))


@pytest.mark.parametrize("reference", [by_fidelity, by_sqrtm])
def test_full_rank_distance_equals_the_libraries(reference: object) -> None:
    a, b = two_sets(400, 300, 32)
    limit = 1e-8 * total_variance(a, b)  # metrics.md section 11
    assert frechet_distance(a, b) == pytest.approx(reference(a, b), abs=limit)  # type: ignore[operator]


@pytest.mark.parametrize(("first", "second"), [(20, 20), (20, 30), (20, 300), (300, 20), (64, 65), (65, 64)])
def test_rank_deficient_distance_equals_the_libraries(first: int, second: int) -> None:
    a, b = two_sets(first, second, 64)
    # the references take square roots of a singular product: 1e-4 absolute at a total variance near 70
    limit = 1e-4 * total_variance(a, b) / 70
    assert frechet_distance(a, b) == pytest.approx(by_fidelity(a, b), abs=limit)


def test_distance_has_a_closed_form_where_covariances_commute() -> None:
    generator = np.random.default_rng(0)
    basis = np.linalg.qr(generator.normal(size=(5, 5)))[0]
    one, two = np.array([1.0, 2, 3, 4, 0]), np.array([4.0, 2, 1, 0, 9])
    expected = ((np.sqrt(one) - np.sqrt(two)) ** 2).sum() + 5 * 0.25
    first, second = (basis @ np.diag(values) @ basis.T for values in (one, two))
    found = frechet_from_moments(np.zeros(5), first, np.full(5, 0.5), second)
    assert found == pytest.approx(expected, abs=1e-6 * (one.sum() + two.sum()))


def test_both_routes_agree_where_both_apply() -> None:
    a, b = two_sets(100, 100, 40)
    moments = [(each.mean(axis=0), np.cov(each, rowvar=False)) for each in (a, b)]
    limit = 1e-8 * total_variance(a, b)
    assert frechet_distance(a, b) == pytest.approx(frechet_from_moments(*moments[0], *moments[1]), abs=limit)


@pytest.mark.parametrize("shards", [1, 2, 7, 64])
def test_distance_from_merged_moments_equals_that_from_features(shards: int) -> None:
    a, b = two_sets(210, 210, 20)
    merged = []
    for each in (a, b):
        moments = Moments(20)
        for batch in np.array_split(each, shards):
            moments.update(batch)
        merged += [moments.mean, moments.covariance]
    # metrics.md section 11: 1e-9 relative however the set is cut
    assert frechet_from_moments(*merged) == pytest.approx(frechet_distance(a, b), rel=1e-9)


@pytest.mark.parametrize(("first", "second"), [(20, 20), (20, 300), (300, 20), (64, 65)])
def test_rank_deficient_distance_equals_singular_values_of_roots(first: int, second: int) -> None:
    """tr (Σ1 Σ2)^½ is the sum of the singular values of Σ1^½ Σ2^½, here with NumPy's roots of both."""
    a, b = two_sets(first, second, 64)

    def root(features: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(np.cov(features, rowvar=False))
        return vectors @ np.diag(np.sqrt(values.clip(min=0))) @ vectors.T

    shift, variance = a.mean(axis=0) - b.mean(axis=0), total_variance(a, b)
    common = np.linalg.svd(root(a) @ root(b), compute_uv=False).sum()
    # metrics.md section 11: 1e-6 of the traces
    assert frechet_distance(a, b) == pytest.approx(shift @ shift + variance - 2 * common, abs=1e-6 * variance)


@pytest.mark.parametrize("number", [2, 20, 64, 65, 200])
def test_a_set_is_at_no_distance_from_itself(number: int) -> None:
    a, _ = two_sets(number, 1, 64)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)


def test_a_quarter_of_dead_features_does_no_harm() -> None:
    a, b = two_sets(300, 300, 32)
    a[:, :8] = b[:, :8] = 0
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(a[:, 8:], b[:, 8:]), abs=1e-6)


def test_a_larger_shift_is_a_larger_distance() -> None:
    a, _ = two_sets(50, 1, 16)
    assert 0 < frechet_distance(a, a + 0.1) < frechet_distance(a, a + 0.2)


def test_one_sample_or_broken_features_are_refused() -> None:
    a, b = two_sets(5, 5, 3)
    with pytest.raises(ValueError, match="at least 2 samples"):
        frechet_distance(a[:1], b)
    b[3, 0] = np.inf
    with pytest.raises(ValueError, match="row 3 "):
        frechet_distance(a, b)


def feature_edit(number: int, width: int, seed: int, edit_index: int = 0, scale: float = 1.5) -> object:
    source = features(number, width)
    told = {
        ("features", "source"): source,
        ("features", "edited"): features(number, width, seed=seed) * scale,
    }
    faces = pictures(number, side=2)
    return seen(faces, faces, edit_index=edit_index, told=told)


def test_the_score_over_edits_is_the_mean_of_edits() -> None:
    metric = Frechet("ssfid", "features")
    edits = [feature_edit(30, 8, seed, index) for index, seed in enumerate((3, 4, 5))]
    each = [score(metric, edit)["ssfid"] for edit in edits]
    assert score(metric, *edits) == {"ssfid": pytest.approx(np.mean(each)), "ssfid.rank_deficient": 0}


def test_copying_scores_zero_and_its_spread_is_zero() -> None:
    source = features(24, 16)
    told = {("pool", "source"): source, ("pool", "edited"): source}
    faces, metric = pictures(24, side=2), Frechet("fid", "pool")
    state = state_of(metric, seen(faces, faces, told=told))
    assert metric.finish(state)["fid"] == pytest.approx(0, abs=1e-5)
    assert metric.spread(state, 0)["fid"] == pytest.approx((0, 0), abs=1e-5)


def test_seven_pictures_are_flagged_and_get_no_spread_and_one_gets_nothing() -> None:
    metric = Frechet("ssfid", "features")
    state = state_of(metric, feature_edit(7, 16, 3))
    assert metric.finish(state)["ssfid.rank_deficient"] == 1
    assert metric.spread(state, 0) == {"ssfid": None}
    assert score(metric, feature_edit(1, 16, 3)) == {}


def test_the_spread_lies_about_the_value_and_repeats() -> None:
    metric = Frechet("ssfid", "features")
    state = state_of(metric, feature_edit(60, 6, 3))
    low, high = metric.spread(state, 7)["ssfid"]
    assert low < metric.finish(state)["ssfid"] < high
    assert metric.spread(state, 7)["ssfid"] == (low, high) != metric.spread(state, 8)["ssfid"]


def test_the_spread_of_halves_estimates_the_deviation_of_the_whole() -> None:
    metric = Frechet("ssfid", "features")
    states = [state_of(metric, feature_edit(200, 4, seed)) for seed in range(2, 42)]
    truth = np.std([metric.finish(state)["ssfid"] for state in states])
    reaches = [(high - low) / 4 for low, high in (metric.spread(state, 0)["ssfid"] for state in states)]
    assert 0.5 < np.mean(reaches) / truth < 1.5  # few halves: a rough figure, but not the wrong order


def test_a_broken_feature_names_its_sample() -> None:
    broken = features(4, 3)
    broken[2] = torch.inf
    told = {("features", "source"): features(4, 3), ("features", "edited"): broken}
    faces = pictures(4, side=2)
    with pytest.raises(BrokenPromise, match="sample 12 "):
        score(Frechet("ssfid", "features"), seen(faces, faces, first_sample=10, told=told))


# ---- Inception Score ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [50, 57, 10])
@pytest.mark.parametrize("shuffle", [True, False])
def test_inception_score_equals_torch_fidelity(number: int, shuffle: bool) -> None:
    logits = features(number, 12) * 2
    expected = isc_features_to_metric(logits, splits=10, shuffle=shuffle, rng_seed=2020)
    found = split_scores(logits.numpy(), seed=2020 if shuffle else None)
    assert found.mean() == pytest.approx(expected["inception_score_mean"], abs=1e-10)
    assert found.std() == pytest.approx(expected["inception_score_std"], abs=1e-10)


def test_a_pool_sorted_by_edit_scores_lower_unshuffled() -> None:
    kinds = np.repeat(np.eye(10), 20, axis=0) * 6
    assert split_scores(kinds, seed=None).mean() == pytest.approx(1)
    assert split_scores(kinds).mean() > 3


def test_inception_score_has_hand_worked_bounds() -> None:
    sure = np.tile(np.eye(4) * 1000, (5, 1))  # certain of four classes, equally often in one split
    assert split_scores(sure, splits=1).mean() == pytest.approx(4)
    assert split_scores(np.zeros((20, 4))).tolist() == [1] * 10


def test_few_pictures_get_fewer_splits_and_no_spread() -> None:
    faces, metric = pictures(7, side=2), InceptionScore()
    state = state_of(metric, seen(faces, faces, told={("classes", "edited"): features(7, 5)}))
    assert metric.finish(state)["is.splits"] == 7
    assert metric.spread(state, 0) == {"is": None}


def test_the_spread_of_the_score_is_its_deviation_over_splits() -> None:
    faces, metric = pictures(40, side=2), InceptionScore()
    state = state_of(metric, seen(faces, faces, told={("classes", "edited"): features(40, 5)}))
    found, (low, high) = metric.finish(state), metric.spread(state, 0)["is"]
    assert ((low + high) / 2, (high - low) / 2) == pytest.approx((found["is"], found["is.std"]))


# ---- FD∞ --------------------------------------------------------------------------------------------


def clouds(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(number, 32) twice: features, and the same moved by 0.3 with noise; true distance 32·0.3² + scales."""
    generator = np.random.default_rng(seed)
    source = generator.normal(size=(number, 32))
    return source * 1.25**0.5 + 0.3, generator.normal(size=(number, 32))


def test_the_extrapolated_distance_is_nearer_the_truth_than_the_distance() -> None:
    truth = 32 * (0.3**2 + (1.25**0.5 - 1) ** 2)
    sets = [clouds(400, seed) for seed in range(4)]
    plain = np.mean([frechet_distance(*pair) for pair in sets])
    found = np.mean([frechet_infinity(*pair) for pair in sets])
    assert plain > truth + 1  # 32 dimensions of 400 pictures: about 1.7 too large
    assert found == pytest.approx(truth, abs=0.5)  # four repeats; their deviation is about 0.3


def test_what_falls_as_one_over_n_is_extrapolated_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "faceedit_bench.metrics.frechet_infinity.frechet_distance", lambda a, _: 3 + 7 / len(a)
    )
    sets = np.zeros((101, 2))
    assert frechet_infinity(sets, sets) == pytest.approx(3, abs=1e-9)


def test_copying_scores_zero_at_infinity_and_few_pictures_are_undefined() -> None:
    faces, found = pictures(60, side=2), features(60, 4)
    same = seen(faces, faces, told={("pool", "source"): found, ("pool", "edited"): found})
    assert score(FrechetInfinity("fid_infinity", "pool"), same) == {
        "fid_infinity": pytest.approx(0, abs=1e-5)
    }
    few = seen(faces[:9], faces[:9], told={("pool", "source"): found[:9], ("pool", "edited"): found[:9]})
    assert isinstance(score(FrechetInfinity("fid_infinity", "pool"), few)["fid_infinity"], Undefined)


def test_the_ordered_inception_score_keeps_the_order_of_the_edits() -> None:
    faces, logits = pictures(20, side=2), features(20, 5) * 3
    edit = seen(faces, faces, told={("classes", "edited"): logits})
    ordered, shuffled = score(InceptionScore("is_ordered", seed=None), edit), score(InceptionScore(), edit)
    assert ordered["is_ordered"] == pytest.approx(split_scores(logits.numpy(), seed=None).mean(), rel=1e-12)
    assert ordered["is_ordered"] != pytest.approx(shuffled["is"], rel=1e-3)


# ---- distance to real pictures that have what is asked -------------------------------------------------


def reversed_edit(with_it: int, without: int, width: int = 6, move: float = 0.8, edit_index: int = 0) -> Seen:
    """Faces with Male, then without; features of the two differ by 1, and the edit moves them by `move`."""
    labels = torch.tensor([1] * with_it + [0] * without)
    source = features(len(labels), width) + labels[:, None]
    told = {
        ("features", "source"): source,
        ("features", "edited"): source + move * (1 - 2 * labels[:, None]),
    }
    faces = pictures(len(labels), side=2)
    return seen(
        faces,
        faces,
        labels=labels[:, None].tolist(),
        flips=["Male"],
        attributes=["Male"],
        edit_index=edit_index,
        told=told,
    )


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceedit_bench.metrics.frechet_target.SMALLEST", 20)


@pytest.mark.usefixtures("small_groups")
def test_the_distance_to_the_target_is_to_real_pictures_of_each_value_asked_for() -> None:
    edit = reversed_edit(20, 30)
    edit.told["features", "edited"][:20] *= 1.2  # the two ways are not edited alike
    source, edited = (edit.told["features", image].numpy() for image in ("source", "edited"))
    to_off, to_on = frechet_distance(edited[:20], source[20:]), frechet_distance(edited[20:], source[:20])
    found = score(FrechetTarget("ssfid_target", "features"), edit)
    assert found == {
        "ssfid_target": pytest.approx((to_off + to_on) / 2, rel=1e-12),
        "ssfid_target.rank_deficient": 0,
        "ssfid_target.edits": 1,
    }
    assert to_off != pytest.approx(to_on, rel=1e-3)


@pytest.mark.usefixtures("small_groups")
def test_a_copy_is_far_from_the_target_and_an_edit_that_goes_there_is_near() -> None:
    metric = FrechetTarget("ssfid_target", "features")
    copied, half, there = (
        score(metric, reversed_edit(60, 60, move=move))["ssfid_target"] for move in (0, 0.5, 1)
    )
    assert copied > half > there
    assert copied - there == pytest.approx(6, abs=1)  # a shift of 1 in each of 6 features


@pytest.mark.usefixtures("small_groups")
def test_faces_that_have_what_is_set_are_real_pictures_only() -> None:
    edit = reversed_edit(20, 30)
    edit.batch.target.fill_(1)
    source, edited = (edit.told["features", image].numpy() for image in ("source", "edited"))
    found = score(FrechetTarget("ssfid_target", "features"), edit)["ssfid_target"]
    assert found == pytest.approx(frechet_distance(edited[20:], source[:20]), rel=1e-12)


def test_fewer_than_a_thousand_real_pictures_with_the_target_are_refused_with_their_number() -> None:
    metric, edit = FrechetTarget("ssfid_target", "features"), reversed_edit(999, 1200, width=2)
    assert score(metric, edit)["ssfid_target"] == Undefined(
        "wanted at least 1000 real pictures with what is asked, and as many faces to get it, found 999"
    )
    assert metric.spread(state_of(metric, edit), 0) == {"ssfid_target": None}
    assert isinstance(score(metric, reversed_edit(1000, 1000, width=2))["ssfid_target"], float)


@pytest.mark.usefixtures("small_groups")
def test_an_edit_with_too_few_is_left_out_of_the_mean_and_of_its_spread() -> None:
    metric = FrechetTarget("ssfid_target", "features")
    few, enough = reversed_edit(19, 31), reversed_edit(25, 25, edit_index=1)
    alone, both = (state_of(metric, *edits) for edits in ((enough,), (few, enough)))
    assert metric.finish(both) == metric.finish(alone)
    assert metric.spread(both, 3) == metric.spread(alone, 3) != {"ssfid_target": None}
