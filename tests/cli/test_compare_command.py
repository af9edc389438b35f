"""`faceedit-bench compare` as a person and a program meet it."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from click.testing import CliRunner, Result
from made_runs import EDITS, a_run

from faceedit_bench.cli import cli


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """RUN_A, RUN_B, --results, folder: B hits more often, and A keeps the person better."""
    root = tmp_path_factory.mktemp("results")
    generator = np.random.default_rng(0)
    hit = generator.random((len(EDITS), 80)) < 0.5
    more = hit | (generator.random(hit.shape) < 0.5)
    cosine = generator.normal(0.5, 0.1, size=(len(EDITS) + 1, 80))
    first = a_run(root, "half", hit=hit, cosine=cosine)
    second = a_run(root, "more", hit=more, cosine=cosine - 0.1 - 0.1 * generator.random(cosine.shape))
    return first.path.name, second.manifest.id, "--results", str(root)


def test_it_says_in_80_columns_who_is_better_in_what(runs: tuple[str, ...]) -> None:
    result = call("compare", *runs, "--edits")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80
    assert "more (B) is better in tarr" in result.output
    assert "half (A) is better in id" in result.output
    assert "equal in every face: psnr" in result.output
    assert "0/4/0" in result.output  # tarr: all four edits
    assert "Eyeglasses" in result.output and "Eyeglasses" not in call("compare", *runs).output


def test_the_longest_edit_name_fits(runs: tuple[str, ...]) -> None:
    from faceedit_bench.cli.compare import _edits_table
    from faceedit_bench.compare import HOLM, HOW, Difference

    longest = Difference(
        "truth_ssim", "Mouth_Slightly_Open", 0.9, 0.7, -0.2, -0.3, -0.1, HOW, p=0.04, p_holm=0.1, verdict=HOLM
    )
    assert max(map(len, _edits_table("truth_ssim", [longest]).splitlines())) <= 80


def test_json_and_csv_carry_every_difference_with_full_precision(runs: tuple[str, ...]) -> None:
    content = json.loads(call("compare", *runs, "--json").output)
    rows = list(csv.DictReader(io.StringIO(call("compare", *runs, "--csv").output)))
    assert (content["faces"], content["of"]) == (80, 80)
    assert len(rows) == len(content["differences"])
    first, line = content["differences"][0], rows[0]
    assert float(line["value"]) == first["value"] == pytest.approx(first["second"] - first["first"])
    assert {row["metric"] for row in rows} >= {"tarr", "tarr.add", "id", "psnr"}


def test_one_metric_may_be_asked_for(runs: tuple[str, ...]) -> None:
    content = json.loads(call("compare", *runs, "--metric", "id", "--json").output)
    assert {entry["metric"] for entry in content["differences"]} == {"id"}


def test_json_and_csv_together_are_refused(runs: tuple[str, ...]) -> None:
    result = call("compare", *runs, "--json", "--csv")
    assert result.exit_code == 1 and "give one" in result.output


def test_a_run_that_is_not_there_is_named(runs: tuple[str, ...]) -> None:
    result = call("compare", runs[0], "0000", *runs[2:])
    assert result.exit_code == 1 and "'0000': no run" in result.output
