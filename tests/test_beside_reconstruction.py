"""Metrics that compare an edit with the reconstruction of the same faces: in a run, later, without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faceedit_plugins.copy import Copy

from faceedit_bench import evaluate, runs
from faceedit_bench import suite as suites
from faceedit_bench.api import EditBatch
from faceedit_bench.errors import BadConfig
from faceedit_bench.rescore import rescore

RECONSTRUCTION = '    { name = "reconstruction" },\n'


@pytest.fixture(autouse=True)
def lossy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method darkens every face by a tenth, and one that it edits by a half."""

    def edit(self: Copy, batch: EditBatch) -> object:
        return batch.images * (0.5 if batch.edited.any() else 0.9)

    monkeypatch.setattr(Copy, "edit", edit)


def a_run(tiny: str, folder: Path, name: str, metrics: list[str], *, plain: bool = True) -> runs.RunResult:
    text = Path(tiny).read_text(encoding="utf-8")
    start, stop = text.index("metrics = ["), text.index("edits = [")
    text = text[:start] + f"metrics = {json.dumps(metrics)}\n" + text[stop:]
    path = folder / f"{name}.toml"
    path.write_text(text if plain else text.replace(RECONSTRUCTION, ""), encoding="utf-8")
    return runs.run(
        "copy", suite=str(path), results=folder / name, workers=1, measure_cost=False, keep_pictures=True
    )


def test_what_a_run_subtracts_is_the_reconstruction_of_the_same_faces_and_later_it_is_the_same(
    tiny: str, tmp_path: Path
) -> None:
    whole = a_run(tiny, tmp_path, "whole", ["preservation", "preservation_excess"])
    found = {(score.metric, score.edit): score.value for score in whole.scores}
    assert ("preservation_excess", "reconstruction") not in found
    for edit in ("Eyeglasses", "Male"):
        excess, again = found["preservation_excess", edit], found["preservation_excess.reconstruction", edit]
        assert excess is not None and again is not None
        assert excess + again == pytest.approx(found["preservation", edit])
        assert again == pytest.approx(excess / 4, rel=0.02)  # 0.1 beside 0.5 − 0.1 of a face, rounded
    later = rescore(a_run(tiny, tmp_path, "partial", ["preservation"]).folder, ["preservation_excess"])
    assert later and {(score.metric, score.edit): score.value for score in later}.items() <= found.items()


def test_a_suite_without_a_reconstruction_leaves_the_metric_out_and_says_why(
    tiny: str, tmp_path: Path
) -> None:
    run = a_run(tiny, tmp_path, "plain", ["preservation", "preservation_excess"], plain=False)
    assert {score.metric.partition(".")[0] for score in run.scores} == {"preservation"}
    _, absent = evaluate.usable_metrics(suites.load(str(tmp_path / "plain.toml")))
    assert absent == {"preservation_excess": "needs a reconstruction, for which suite 'tiny' does not ask"}
    with pytest.raises(BadConfig, match="preservation_excess needs a reconstruction, for which suite"):
        rescore(run.folder, ["preservation_excess"])
