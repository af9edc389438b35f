"""export: a finished run as a record that a board accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from faceedit_bench import folders
from faceedit_bench import suite as suites
from faceedit_bench.board import check_record
from faceedit_bench.cli import cli
from faceedit_bench.manifest import Manifest
from faceedit_bench.store.folder import RunFolder, begin
from faceedit_bench.store.score import Score

IDENTITY = {"method": {"name": "toy"}, "suite": {"name": "tiny"}, "data": {"count": 10}}
MANIFEST = Manifest(IDENTITY, {"when": "now"})


@pytest.fixture
def run(tiny: str) -> RunFolder:
    """A complete run in the results folder."""
    folder = begin(folders.results(), MANIFEST, suites.load(tiny))
    score = Score("tarr", "1", "all", 50.0, 49.0, 51.0, 10, "bootstrap 95 %")
    faces = {"of": 10, "scored": 10, "unusable": []}
    folder.finish([score], pd.DataFrame({"sample": ["a"]}), {"parameters": 3}, faces)
    return folder


def export(run: str, to: Path) -> Result:
    return CliRunner().invoke(cli, ["export", run, "--to", str(to)])


def test_a_record_is_named_by_its_id_and_holds_scores_identity_and_cost(
    run: RunFolder, tmp_path: Path
) -> None:
    result = export(MANIFEST.id[:6], tmp_path)
    place = tmp_path / "runs" / "tiny" / f"{MANIFEST.id}.json"
    assert result.exit_code == 0 and result.stdout.strip() == str(place)
    record = check_record(json.loads(place.read_text()), place)
    assert record["scores"][0]["value"] == 50.0
    assert record["cost"] == {"parameters": 3}


def test_exporting_again_changes_nothing(run: RunFolder, tmp_path: Path) -> None:
    export(str(run.path), tmp_path)
    (place,) = tmp_path.glob("runs/tiny/*.json")
    first = place.read_bytes()
    assert export(str(run.path), tmp_path).exit_code == 0
    assert place.read_bytes() == first


def test_other_scores_under_the_same_identity_are_refused(run: RunFolder, tmp_path: Path) -> None:
    export(str(run.path), tmp_path)
    scores = run.path / "scores.json"
    scores.write_text(scores.read_text().replace("50.0", "99.0"))
    result = export(str(run.path), tmp_path)
    assert result.exit_code == 1 and "other scores for the same run" in result.output
    (place,) = tmp_path.glob("runs/tiny/*.json")
    assert "99.0" not in place.read_text()


def test_a_run_that_is_not_complete_is_refused(run: RunFolder, tmp_path: Path) -> None:
    (run.path / "scores.json").unlink()
    result = export(str(run.path), tmp_path)
    assert result.exit_code == 1 and "not complete" in result.output
    assert not (tmp_path / "runs").exists()


def test_an_unknown_run_is_named(tmp_path: Path) -> None:
    result = export("nothing-like-it", tmp_path)
    assert result.exit_code == 1 and "'nothing-like-it': no run" in result.output
