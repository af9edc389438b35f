"""What holds for each built-in metric: shards add up to the whole, names exist, specs are light."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
from typing import Any

import pytest
import torch
from observations import Seen, features, pictures, seen

from faceedit_bench import suite
from faceedit_bench.contracts import MetricSpec
from faceedit_bench.metrics.intervals import interval
from faceedit_bench.metrics.specs import SPECS

NUMBER, NAMES = 60, ("Bald", "Male")  # KID wants 50 pictures
every_metric = pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faceedit_bench.metrics.frechet_target.SMALLEST", 10)


def observation(edit_index: int, start: int, stop: int) -> Seen:
    """Samples [start, stop) of 60 faces under one of two edits, with all judges, labels and truth."""
    part = slice(start, stop)
    told = {
        (role, image): torch.rand(NUMBER, 2, generator=torch.Generator().manual_seed(seed + edit_index))[part]
        for role in ("attributes", "attributes-second")
        for image, seed in (("source", 0), ("edited", 1))
    }
    lpips = {f"lpips-{net}": 1 for net in ("alex", "psp256", "vgg", "squeeze")}
    for role, width in {**lpips, "lpips-map": 16 * 16}.items():
        for image, seed in (("edited", 5 + edit_index), ("reconstruction", 8)):
            told[role, f"{image} against source"] = features(NUMBER, width, seed=seed)[part].abs()
    for image, seed in (("source", 2), ("edited", 3 + edit_index)):
        told["parser", image] = parses(seed)[part]
    for role in ("identity", "identity-second", "features", "pool", "classes", "dinov2"):
        told[role, "source"] = features(NUMBER, 6)[part]
        told[role, "edited"] = features(NUMBER, 6, seed=9 + edit_index)[part] * 1.3
    points = torch.arange(11).float().expand(NUMBER, -1)[part] + 1
    told["landmarks", "source"] = told["landmarks", "edited"] = points
    source, edited, truth = (pictures(NUMBER, 16, seed=seed)[part] for seed in (0, 1 + edit_index, 7))
    truth[:, :, 8:] = source[:, :, 8:]
    labels = [[i % 2, i % 3 == 0] for i in range(NUMBER)][part]
    return seen(
        source,
        edited,
        labels=labels,
        flips=[NAMES[edit_index]],
        attributes=NAMES,
        edit_index=edit_index,
        first_sample=start,
        truth=truth,
        reconstruction=pictures(NUMBER, 16, seed=8)[part],
        told=told,
    )


def parses(seed: int) -> torch.Tensor:
    """(60, 64) classes of 8×8 pixels: background on the left, skin and other parts on the right."""
    parts = torch.randint(0, 18, (NUMBER, 8, 8), generator=torch.Generator().manual_seed(seed))
    parts[:, :, :4], parts[:, 2:, 5] = 0, 1
    return parts.flatten(1).float()


def folded(spec: MetricSpec, shard_size: int) -> object:
    """The state over both edits, evaluated shard by shard, sent through arrays, merged in order; beside a
    reconstruction where the metric wants one."""
    metric, states = spec.load(), []
    for edit_index in range(2):
        for start in range(0, NUMBER, shard_size):
            state = metric.empty()
            for first in range(start, start + shard_size, 4):
                metric.update(state, observation(edit_index, first, first + 4))
            state.shards = range(len(states), len(states) + 1)
            states.append(type(state).from_arrays(state.to_arrays()))
    state = functools.reduce(lambda earlier, later: earlier.merge(later), states)
    return metric.beside(state, reconstruction(metric)) if hasattr(metric, "beside") else state


def reconstruction(metric: Any) -> Any:
    """The state of the same faces, edited in another way and called a reconstruction."""
    state = metric.empty()
    metric.update(state, dataclasses.replace(observation(1, 0, NUMBER), edit_index=2))
    return state


@every_metric
@pytest.mark.parametrize("shard_size", [20, 12])
def test_shards_give_the_bits_of_the_whole(spec: MetricSpec, shard_size: int) -> None:
    metric, whole, parts = spec.load(), folded(spec, NUMBER), folded(spec, shard_size)
    assert metric.finish(parts) == metric.finish(whole)
    assert interval(spec, metric, parts, 5) == interval(spec, metric, whole, 5)


@every_metric
def test_every_metric_scores_under_its_own_name_within_its_bounds(spec: MetricSpec) -> None:
    metric, state = spec.load(), folded(spec, NUMBER)
    value = metric.finish(state)[spec.name]
    low, high = interval(spec, metric, state)[spec.name]
    assert low <= value <= high
    assert low < high


WAYS = {"psnr": "higher", "ssim": "higher", "locality": "higher", "area": ""}


@every_metric
def test_numbers_beside_a_metric_are_better_their_own_way(spec: MetricSpec) -> None:
    metric: Any = spec.load()
    if spec.interval != "bootstrap":
        return
    numbers = [
        key.removeprefix(f"{spec.name}.") for key in metric.per_sample(folded(spec, 20)) if "/" not in key
    ]
    for number in numbers:
        assert spec.better_of(f"{spec.name}.{number}") == WAYS.get(number, spec.better)
    assert set(spec.other_ways) <= set(numbers)


@every_metric
def test_every_row_knows_its_sample_and_edit(spec: MetricSpec) -> None:
    state = folded(spec, 12)
    assert state.column("sample").tolist() == [*range(NUMBER), *range(NUMBER)]
    assert state.column("edit").tolist() == [0] * NUMBER + [1] * NUMBER


@every_metric
def test_scores_per_sample_have_the_mean_that_is_reported(spec: MetricSpec) -> None:
    metric, state = spec.load(), folded(spec, NUMBER)
    if spec.interval == "bootstrap":
        values = metric.per_sample(state)[spec.name]
        assert len(values) == 2 * NUMBER
        assert values.mean() == pytest.approx(metric.finish(state)[spec.name], rel=1e-12)


@pytest.mark.parametrize("name", suite.names())
def test_the_suites_name_metrics_and_give_them_their_judges(name: str) -> None:
    offered, chosen = {spec.name: spec for spec in SPECS}, suite.load(name)
    assert set(chosen.metrics) <= set(offered)


def test_listing_metrics_imports_nothing_heavy() -> None:
    code = (
        "import sys, faceedit_bench.metrics.specs as specs; "
        "assert specs.SPECS; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
