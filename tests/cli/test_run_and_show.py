"""`run` and `show` as a person meets them."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from faceedit_bench.cli import cli


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """One run of `copy`, cost included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEEDIT_CACHE", str(tmp_path_factory.getbasetemp() / "run-cache"))
        patch.setenv("FACEEDIT_QUIET", "1")
        results = tmp_path_factory.mktemp("results")
        tiny = str(Path(__file__).parents[1] / "data" / "tiny.toml")
        command = ["run", "--method", "copy", "--suite", tiny, "--workers", "1", "--results", str(results)]
        return call(*command), results


def test_run_prints_every_metric_per_edit_in_80_columns(ran: tuple[Result, Path]) -> None:
    result, results = ran
    assert result.exit_code == 0, result.output
    tables = [line for line in result.output.splitlines() if not line.startswith(("results", "sheet"))]
    assert max(map(len, tables)) <= 80
    for word in ("tarr %", "ssfid", "truth_psnr dB", "all", "Male", "reconstruction", "parameters", "p90"):
        assert word in result.output
    assert str(results) in result.output
    assert next(results.glob("*/*/images/sheet.png")).stat().st_size > 1000


def test_show_prints_the_same_as_run(ran: tuple[Result, Path]) -> None:
    result, results = ran
    (folder,) = results.glob("tiny/copy-*")
    assert call("show", str(folder)).output == result.output
    assert call("show", folder.name[-16:-8], "--results", str(results)).output == result.output


def test_show_lists_the_runs(ran: tuple[Result, Path]) -> None:
    listed = json.loads(call("show", "--results", str(ran[1]), "--json").output)
    assert [(entry["method"], entry["state"]) for entry in listed] == [("copy", "complete")]


def test_json_carries_scores_manifest_and_cost(ran: tuple[Result, Path]) -> None:
    (folder,) = ran[1].glob("tiny/copy-*")
    content = json.loads(call("show", str(folder), "--json").output)
    assert {score["metric"] for score in content["scores"]} >= {"tarr", "ssfid", "is", "psnr"}
    assert content["cost"]["parameters"] == 0
    assert content["manifest"]["identity"]["suite"]["name"] == "tiny"


def test_csv_tells_why_a_number_is_undefined(ran: tuple[Result, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(next(ran[1].glob("tiny/copy-*")), tmp_path / "copy"))
    scores = json.loads((folder / "scores.json").read_text())
    scores[0] |= {"value": None, "low": None, "high": None, "reason": "wanted 50 pictures, found 10"}
    (folder / "scores.json").write_text(json.dumps(scores))
    first, *others = csv.DictReader(io.StringIO(call("show", str(folder), "--csv").output))
    assert (first["value"], first["reason"]) == ("", "wanted 50 pictures, found 10")
    assert others and not any(row["reason"] for row in others if row["value"])


def test_demo_judges_on_photographs_are_warned_of_and_tarr_is_named_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    Image.new("RGB", (80, 60), (120, 90, 70)).save(tmp_path / "one.png")
    result = call("run", "--method", "copy", "--data", str(tmp_path), "--workers", "1", "--no-cost")
    assert result.exit_code == 0, result.output
    assert "identity-demo learned on drawn faces" in result.output
    assert "absent   tarr: needs labels" in result.output


@pytest.mark.parametrize("command", ["run", "train", "cost", "edit", "experiment augmentation"])
def test_options_of_the_method_are_called_alike_by_every_command(command: str) -> None:
    assert "--option" in call(*command.split(), "--help").output


@pytest.mark.parametrize("name", ["--option", "--set"])
def test_the_older_name_of_an_option_means_the_same(name: str) -> None:
    assert "unknown key 'width'" in call("run", "--method", "copy", name, "width=3").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--method", "cogan"], "did you mean 'coogan'"),
        (["run", "--method", "copy", "--option", "width"], "--option 'width': wanted key=value"),
        (["run", "--method", "copy", "--device", "cuda:7"], "not usable here"),
        (["show", "0000"], "no run of that id"),
    ],
)
def test_mistakes_are_one_clear_line_and_exit_code_1(arguments: list[str], words: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output
