"""The papers' suites: what their sections say, and that each runs whole on a tree of drawn faces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from faceedit_bench import suite as suites
from faceedit_bench.catalog import catalog
from faceedit_bench.errors import FaceEditError
from faceedit_bench.runs import RunResult, run
from faceedit_bench.suite import THIRTEEN

TREES = {
    "celeba-128-secgan": "celeba",
    "celeba-128-stgan": "celeba",
    "celebahq-256-secgan": "hq",
    "celebahq-768-coogan": "hq",
    "lfw-128-sagan": "lfw",
}
DEMO = {
    "attributes": "attributes-demo",
    "identity": "identity-demo",
    "features": "swav-demo",
    "classes": "classes-demo",
}


def with_demo_judges(name: str, folder: Path, **changes: object) -> str:
    """The suite's file with judges that the package ships and fewer faces."""
    suite = suites.load(name)
    text = (suites.builtin_folder() / f"{name}.toml").read_text()
    for role, judge in suite.judges.items():
        text = text.replace(f'{role} = "{judge}"', f'{role} = "{DEMO[role]}"')
    for key, value in changes.items():
        text = text.replace(f"{key} = {json.dumps(getattr(suite, key))}", f"{key} = {json.dumps(value)}", 1)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return str(path)


def run_small(name: str, trees: Path, folder: Path, **changes: object) -> RunResult:
    path = with_demo_judges(name, folder, **changes)
    return run("copy", suite=path, data=trees / TREES[name], workers=1, measure_cost=False)


@pytest.mark.parametrize(("name", "faces"), [("celeba-128-secgan", 19_962), ("celebahq-256-secgan", 1_500)])
def test_secgans_protocol_is_thirteen_single_flips_that_clear_nothing(name: str, faces: int) -> None:
    suite = suites.load(name)
    assert (suite.count, suite.conflicts, suite.attributes) == (faces, "none", THIRTEEN)
    assert [edit.flips for edit in suite.edits] == [(name,) for name in THIRTEEN]
    assert {"tarr", "ssfid", "is"} <= set(suite.metrics)


@pytest.mark.parametrize(
    ("name", "data", "size"),
    [("celeba-128-stgan", "celeba-170", 128), ("celebahq-768-coogan", "celebahq", 768)],
)
def test_stgans_and_coogans_protocols_reconstruct_too(name: str, data: str, size: int) -> None:
    suite = suites.load(name)
    assert (suite.dataset, suite.resolution, suite.conflicts, suite.split) == (data, size, "stgan", "test")
    assert suite.edits[0].is_reconstruction and len(suite.edits) == 14
    assert suite.metrics == ("tarr", "psnr", "ssim")


@pytest.mark.parametrize("name", sorted(TREES))
def test_judges_of_a_papers_suite_answer_for_photographs_and_for_its_attributes(name: str) -> None:
    suite = suites.load(name)
    judges = [catalog().judge(judge) for judge in suite.judges.values()]
    assert all(judge.faces == "photographs" for judge in judges)
    outputs = [judge.outputs for judge in judges if judge.role == "attributes"]
    assert outputs in ([], [suite.attributes])
    assert set(suite.attributes) <= set(catalog().dataset(suite.dataset).attributes)


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_papers_suite_runs_whole_on_drawn_faces(name: str, trees: Path, tmp_path: Path) -> None:
    size = min(suites.load(name).resolution, 64)
    result = run_small(name, trees, tmp_path, resolution=size, count=0)
    scores = result.folder.scores()
    assert {re.split(r"[./]", score.metric)[0] for score in scores} == set(suites.load(name).metrics)
    assert result.absent == {}
    assert {score.edit for score in scores if score.metric == "tarr"} in (set(), {*THIRTEEN, "all"})


def test_a_part_of_the_set_does_not_pass_for_the_protocol(trees: Path, tmp_path: Path) -> None:
    with pytest.raises(
        FaceEditError, match=r"wanted the first 19962 faces of split 'test' of celeba, found 6; "
    ):
        run_small("celeba-128-secgan", trees, tmp_path)
