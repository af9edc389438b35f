"""Planning: against the textbook's number, against repeated sampling, and as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from made_runs import EDITS, a_run

from faceedit_bench import runs
from faceedit_bench.cli import cli
from faceedit_bench.errors import BadConfig, ResultsError, UnknownName
from faceedit_bench.metrics.intervals import replicate_means
from faceedit_bench.plan import plan
from faceedit_bench.statistics.sample_size import (
    faces_needed,
    of_faces,
    smallest_difference,
    spread,
)

GENERATOR = np.random.default_rng(2)
HARD = GENERATOR.random((len(EDITS), 100)) < 0.5
BETTER = HARD | (GENERATOR.random(HARD.shape) < 0.3)


def test_the_number_is_the_textbooks() -> None:
    # (1.96 + 0.8416)² = 7.849; sd 10, difference 2: 25 · 7.849 = 196.2
    assert faces_needed(10, 2) == 197
    assert faces_needed(10, 2, power=0.5) == 97  # 25 · 1.96² = 96.04
    assert faces_needed(0.0, 1) == 10
    assert smallest_difference(10, 197) == pytest.approx(2, rel=0.005)


def test_so_many_faces_find_the_difference_as_often_as_was_asked() -> None:
    generator = np.random.default_rng(4)
    faces = faces_needed(10, 2)
    drawn = generator.normal(2, 10, size=(2000, faces))
    found = np.abs(drawn.mean(axis=1)) > 1.96 * drawn.std(axis=1, ddof=1) / np.sqrt(faces)
    assert found.mean() == pytest.approx(0.8, abs=0.03)  # standard deviation 0.009


def test_what_faces_add_has_the_variance_that_the_cluster_bootstrap_finds() -> None:
    generator = np.random.default_rng(6)
    faces, edits = np.tile(np.arange(150), 3), np.repeat([1, 2, 7], 150)
    values = np.tile(generator.normal(size=150), 3) + generator.normal(size=450)
    values[generator.random(450) < 0.3] = np.nan
    error = spread(of_faces(values, faces, edits)) / np.sqrt(150)
    draws = replicate_means(values[:, None], faces, edits, replicates=4000, seed=1)
    assert error == pytest.approx(draws.std(), rel=0.05)  # of 4000 replicates: 1.1 %


def test_two_methods_that_fail_on_the_same_faces_need_fewer(tmp_path: Path) -> None:
    one, other = a_run(tmp_path, "a", hit=HARD), a_run(tmp_path, "b", hit=BETTER)
    strange = a_run(tmp_path, "c", hit=GENERATOR.random(HARD.shape) < 0.5)
    pairs = plan([one, other, strange], "tarr", 1.0).needs
    assert [(pair.first[0], pair.second[0]) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert pairs[0].faces < pairs[1].faces
    sigma = (BETTER.mean(axis=0) - HARD.mean(axis=0)).std(ddof=1) * 100
    assert pairs[0].sigma == pytest.approx(sigma)
    assert pairs[0].faces == faces_needed(sigma, 1.0)


def test_from_one_run_a_second_of_the_same_spread_is_supposed(tmp_path: Path) -> None:
    needs = plan([a_run(tmp_path, "a", hit=HARD)], "tarr", 1.0).needs
    alone = 100 * HARD.mean(axis=0).std(ddof=1)
    assert [need.correlation for need in needs] == [0.0, 0.5, 0.9]
    assert [need.sigma for need in needs] == pytest.approx([alone * np.sqrt(2), alone, alone * np.sqrt(0.2)])


def test_one_edit_and_a_number_beside_the_metric_may_be_planned_for(tmp_path: Path) -> None:
    run = a_run(tmp_path, "a", hit=HARD)
    assert plan([run], "tarr", 1.0, edit="Bald").needs[1].sigma == pytest.approx(100 * HARD[0].std(ddof=1))
    assert plan([run], "tarr.add", 1.0).needs[0].faces > plan([run], "tarr", 1.0).needs[0].faces


def test_a_metric_of_the_reconstruction_needs_one_picture_a_face(tmp_path: Path, tiny: str) -> None:
    folder = runs.run("copy", suite=tiny, workers=1, measure_cost=False, results=tmp_path).folder
    assert plan([folder], "l2", 0.1).pictures == 1 < plan([folder], "tarr", 1.0).pictures


def test_what_cannot_be_planned_is_refused_with_the_reason(tmp_path: Path) -> None:
    run = a_run(tmp_path, "a", hit=HARD)
    with pytest.raises(BadConfig, match="no mean over faces"):
        plan([run], "fid", 1.0)
    for difference in (0.0, float("nan"), float("inf")):
        with pytest.raises(BadConfig, match="above 0"):
            plan([run], "tarr", difference)
    with pytest.raises(ResultsError, match=r"tarr \(Bald\) is defined in 1 faces; wanted at least 10"):
        plan([a_run(tmp_path, "one", hit=HARD[:, :1])], "tarr", 1.0, edit="Bald")
    with pytest.raises(BadConfig, match="--power wants a probability"):
        plan([run], "tarr", 1.0, power=80)
    with pytest.raises(UnknownName, match="did you mean 'Bald'"):
        plan([run], "tarr", 1.0, edit="bald")
    with pytest.raises(ResultsError, match="wanted version 1 of leakage, found none"):
        plan([run], "leakage", 1.0)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["plan", *arguments])


def test_the_command_tells_faces_and_pictures_in_80_columns(tmp_path: Path) -> None:
    a_run(tmp_path, "a", hit=HARD)
    a_run(tmp_path, "b", hit=BETTER)
    a_run(tmp_path, "copy", hit=HARD)
    a_run(tmp_path, "half", hit=BETTER, complete=False)
    asked = ("--metric", "tarr", "--difference", "1", "--suite", "made", "--results", str(tmp_path))
    result = call(*asked)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80
    assert "edited pictures a face: 4)" in result.output and "left out, not complete: half-" in result.output
    (need,) = json.loads(call(*asked, "--json").output)["needs"]
    assert f"{need['faces']:,}" in result.output


def test_the_command_wants_something_to_learn_from(tmp_path: Path) -> None:
    asked = ("--metric", "tarr", "--difference", "1", "--results", str(tmp_path))
    assert "either --suite NAME or --run RUN" in call(*asked).output
    a_run(tmp_path, "copy", hit=HARD)
    assert "other than copy and truth" in call(*asked, "--suite", "made").output
    assert "did you mean 'made'" in call(*asked, "--suite", "mad").output
