"""Intervals against closed forms, loops and repeated sampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from observations import pictures, score, seen, state_of

from faceedit_bench.metrics.intervals import bootstrap_mean, bootstrap_means, interval, kind, wilson
from faceedit_bench.metrics.specs import SPECS

METRICS = {spec.name: spec for spec in SPECS}


def test_wilson_equals_a_published_value() -> None:
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611
    assert wilson(81, 263) == pytest.approx((25.53, 36.62), abs=0.005)
    assert wilson(0, 20) == pytest.approx((0, 16.11), abs=0.005)
    assert wilson(20, 20) == pytest.approx((100 - 16.11, 100), abs=0.005)
    assert wilson(0, 0) is None


def test_the_bootstrap_of_independent_values_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(5, 2, size=400)
    low, high = bootstrap_mean(values, np.arange(400))
    error = values.std() / 20
    assert (low, high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error
    )


def test_repeating_every_face_thirteen_times_does_not_narrow_the_interval() -> None:
    values = np.random.default_rng(0).normal(size=100)
    once = bootstrap_mean(values, np.arange(100))
    repeated = bootstrap_mean(np.tile(values, 13), np.tile(np.arange(100), 13))
    assert repeated == pytest.approx(once, abs=1e-12)


def test_the_bootstrap_of_edit_means_equals_a_loop() -> None:
    generator = np.random.default_rng(3)
    faces, edits = np.tile(np.arange(30), 3), np.repeat([4, 5, 9], 30)
    values = generator.normal(size=90)
    values[generator.random(90) < 0.2] = np.nan
    draws = np.random.default_rng(11).integers(0, 30, size=(50, 30))
    expected = [
        np.mean(
            [
                np.nanmean(np.concatenate([values[(faces == f) & (edits == e)] for f in draw]))
                for e in (4, 5, 9)
            ]
        )
        for draw in draws
    ]
    found = bootstrap_means(values[:, None], faces, edits, replicates=50, seed=11)[0]
    assert found == pytest.approx(tuple(np.quantile(expected, [0.025, 0.975])), abs=1e-12)


def test_the_bootstrap_repeats_with_its_seed_and_leaves_global_randomness_alone() -> None:
    values = np.random.default_rng(0).normal(size=50)
    before = np.random.get_state()[1].tobytes()
    first, second = (bootstrap_mean(values, np.arange(50), seed=1) for _ in range(2))
    assert first == second != bootstrap_mean(values, np.arange(50), seed=2)
    assert np.random.get_state()[1].tobytes() == before


def test_seven_faces_get_no_interval() -> None:
    assert bootstrap_mean(np.arange(7.0), np.arange(7)) is None


def test_a_column_without_defined_values_gets_no_interval() -> None:
    assert bootstrap_mean(np.full(20, np.nan), np.arange(20)) is None


def label_edit(number: int, index: int) -> object:
    generator = torch.Generator().manual_seed(index)
    told = {
        ("attributes", image): torch.rand(number, 2, generator=generator) for image in ("source", "edited")
    }
    labels = torch.randint(0, 2, (number, 2), generator=generator).tolist()
    faces = pictures(number, side=2)
    flips = [("Male", "Young")[index]]
    return seen(
        faces, faces, labels=labels, flips=flips, attributes=("Male", "Young"), edit_index=index, told=told
    )


def test_one_edits_rate_has_wilsons_interval_and_several_a_bootstrap() -> None:
    spec, metric = METRICS["tarr"], METRICS["tarr"].load()
    one, several = state_of(metric, label_edit(50, 0)), state_of(metric, label_edit(50, 0), label_edit(50, 1))
    rate = metric.finish(one)["tarr"]
    assert interval(spec, metric, one)["tarr"] == wilson(round(rate / 2), 50)
    assert kind(spec, metric, one, "tarr") == "wilson 95 %"
    assert kind(spec, metric, several, "tarr").startswith("bootstrap 95 % over faces")
    for state in (one, several):
        bounds, values = interval(spec, metric, state), metric.finish(state)
        assert all(bounds[key][0] <= values[key] <= bounds[key][1] for key in values)


def test_leakage_is_bootstrapped_and_its_matrix_row_is_not() -> None:
    spec, metric = METRICS["leakage"], METRICS["leakage"].load()
    state = state_of(metric, label_edit(50, 0))
    assert kind(spec, metric, state, "leakage").startswith("bootstrap")
    assert kind(spec, metric, state, "leakage/Young") == "wilson 95 %"
    assert set(interval(spec, metric, state)) == {"leakage", "leakage/Male", "leakage/Young"}


def test_a_constant_score_has_an_interval_without_width() -> None:
    faces = pictures(12)
    spec, metric = METRICS["psnr"], METRICS["psnr"].load()
    assert interval(spec, metric, state_of(metric, seen(faces, faces))) == {"psnr": (100, 100)}
    assert score(metric, seen(faces, faces))["psnr"] == 100


def test_a_spread_is_called_a_spread() -> None:
    for name in ("ssfid", "fid", "is"):
        assert "not a confidence interval" in kind(METRICS[name], METRICS[name].load(), None, name)
