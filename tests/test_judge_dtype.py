"""Judges asked in float64: the same numbers but for last digits, under fingerprints of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from faceedit_bench import runs, weights
from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.compare import compare
from faceedit_bench.errors import BadConfig, ResultsError, UnknownName
from faceedit_bench.judges.perceptual import Lpips, untrained
from faceedit_bench.judges.view import RESIZES
from faceedit_bench.rescore import rescore
from faceedit_bench.runs import RunResult

DOUBLE = "float64"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, drawn_cache: Path) -> tuple[RunResult, RunResult]:
    """The tiny suite judged in float32, with its pictures, and in float64."""
    folder = tmp_path_factory.mktemp("precision")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEEDIT_CACHE", str(drawn_cache))
        patch.setenv("FACEEDIT_WEIGHTS", str(folder / "weights"))
        told = {"suite": str(Path(__file__).parent / "data" / "tiny.toml"), "workers": 1, "results": folder}
        single = runs.run("truth", **told, measure_cost=False, keep_pictures=True)
        return single, runs.run("truth", **told, measure_cost=False, judge_dtype=DOUBLE)


def test_scores_agree_but_for_last_digits(both: tuple[RunResult, RunResult]) -> None:
    single, double = ({(s.metric, s.edit): s for s in run.scores} for run in both)
    assert single.keys() == double.keys()
    for key, score in single.items():
        other = double[key]
        if score.value is None or other.value is None:
            assert score.value == other.value
        else:  # float32 answers carry 1e-7; distances of ten faces lose two digits of that
            assert other.value == pytest.approx(score.value, rel=1e-4, abs=1e-6), key
    assert any(single[key].value != double[key].value for key in single)


def test_only_judged_scores_have_another_fingerprint_and_the_run_is_another(
    both: tuple[RunResult, RunResult],
) -> None:
    prints = [{s.metric: s.fingerprint for s in run.scores} for run in both]
    same = {metric for metric in prints[0] if prints[0][metric] == prints[1][metric]}
    assert {"psnr", "ssim", "l2"} <= same and not {"tarr", "id", "ssfid", "fid", "is", "leakage"} & same
    single, double = (run.folder.manifest for run in both)
    assert single.id != double.id
    assert all("dtype" not in judge for judge in single.identity["judges"].values())
    assert {judge["dtype"] for judge in double.identity["judges"].values()} == {DOUBLE}


def test_answers_are_stored_as_they_were_given(both: tuple[RunResult, RunResult]) -> None:
    kinds = [run.folder.read_shard(2).states["ssfid"]["edited"].dtype for run in both]
    assert kinds == [np.float32, np.float64]


def test_runs_of_two_precisions_are_not_compared(both: tuple[RunResult, RunResult]) -> None:
    single, double = (run.folder for run in both)
    with pytest.raises(ResultsError, match=r"judge of attributes: .* against .*, float64"):
        compare(single, double)
    assert "attributes-demo 2b70085e, float64" in CliRunner().invoke(cli, ["show", str(double.path)]).output


def test_rescore_asks_as_the_run_did_unless_told_otherwise(both: tuple[RunResult, RunResult]) -> None:
    single, double = (run.folder for run in both)
    (first, *_) = rescore(double, ["precision"])  # of stored answers
    told = ["rescore", str(single.path), "--metric", "precision", "--judge-dtype", DOUBLE, "--json"]
    assert CliRunner().invoke(cli, told).exit_code == 0
    later = single.rescored()
    assert later["sources"]["precision"] == "kept pictures"
    assert later["judges"]["precision"]["pool"]["dtype"] == DOUBLE
    assert {score["fingerprint"] for score in later["scores"]} == {first.fingerprint}
    with pytest.raises(ResultsError, match="recall: wants answers of judges in float32"):
        rescore(double, ["recall"], judge_dtype="float32")


def test_pictures_of_others_are_scored_in_it_too(both: tuple[RunResult, RunResult], tiny: str) -> None:
    pattern = f"{both[0].folder.edited}/{{edit}}/{{id}}.png"
    told = ["score", "--suite", tiny, "--edited", pattern, "--name", "mine", "--judge-dtype", DOUBLE]
    found = CliRunner().invoke(cli, [*told, "--workers", "1"])
    assert found.exit_code == 0, found.output
    assert "identity-demo 2d740496, float64" in found.output


@pytest.mark.parametrize("rule", RESIZES)
def test_every_way_of_resizing_keeps_the_precision(rule: str) -> None:
    faces = torch.rand(1, 3, 20, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen, rough = RESIZES[rule](faces, 9), RESIZES[rule](faces.float(), 9)
    assert seen.dtype == torch.float64 and seen.shape == (1, 3, 9, 9)
    torch.testing.assert_close(seen.float(), rough, rtol=0, atol=1 / 255 if rule.endswith("-u8") else 1e-5)


def test_a_judge_of_pairs_computes_in_it() -> None:
    network = Lpips(untrained("squeeze"))
    for value in network.state_dict().values():
        value.fill_(0.01)
    judge = weights._in_double(network, "lpips-squeeze")
    faces = torch.rand(2, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert judge(faces, faces.flip(0)).dtype == torch.float64


def test_judges_that_share_a_network_keep_theirs() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 2))
    double = weights._in_double(network.forward, "mine")
    assert double(torch.ones(1, 3, dtype=torch.float64)).dtype == torch.float64
    assert network(torch.ones(1, 3)).dtype == torch.float32


def test_what_is_no_network_and_no_known_precision_is_refused() -> None:
    with pytest.raises(BadConfig, match="judge mine cannot be asked in float64: its load gives function"):
        weights._in_double(lambda faces: faces, "mine")
    with pytest.raises(UnknownName, match="float16"):
        weights.identity_of(catalog().judge("identity-demo"), "float16")
