"""The papers' suites: what their sections say, and that each runs whole on a tree of drawn faces."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from faceedit_bench import folders, weights
from faceedit_bench import suite as suites
from faceedit_bench.catalog import catalog
from faceedit_bench.errors import FaceEditError
from faceedit_bench.judges import perceptual
from faceedit_bench.runs import RunResult, run
from faceedit_bench.suite import THIRTEEN

TREES = {
    "celeba-128-secgan": "celeba",
    "celeba-128-stgan": "celeba",
    "celebahq-256-secgan": "hq",
    "celebahq-768-coogan": "hq",
    "celebahq-1024-gradstyle": "hq",
    "lfw-128-sagan": "lfw",
}
DEMO = {
    "attributes": "attributes-demo",
    "identity": "identity-demo",
    "features": "swav-demo",
    "classes": "classes-demo",
}
WITHOUT_DEMO = ("id_detected", "id_second", "lpips", "lpips_vgg")
"""Metrics whose judges have no counterpart for drawn faces."""


def with_demo_judges(name: str, folder: Path, **changes: object) -> str:
    """The suite's file with judges that the package ships and fewer faces."""
    suite = suites.load(name)
    text = (suites.builtin_folder() / f"{name}.toml").read_text()
    for role, judge in suite.judges.items():
        text = text.replace(f'{role} = "{judge}"', f'{role} = "{DEMO.get(role, judge)}"')
    for key, value in changes.items():
        before = getattr(suite, key)
        before = list(before) if isinstance(before, tuple) else before
        text = text.replace(f"{key} = {json.dumps(before)}", f"{key} = {json.dumps(value)}", 1)
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
    own = ("accuracy", "err_stgan", "psnr", "ssim_uniform7", "ssim")
    assert suite.metrics == (own if name == "celeba-128-stgan" else ("tarr", "psnr", "ssim"))


def test_gradstyles_protocol_moves_a_thousand_faces_of_1024_pixels_to_four_sides() -> None:
    suite = suites.load("celebahq-1024-gradstyle")
    assert (suite.count, suite.split, suite.resolution) == (1000, "first-1000", 1024)
    assert [edit.set for edit in suite.edits[1:]] == [
        {"Pose": 1},
        {"Pose": 0},
        {"Smiling": 1},
        {"Smiling": 0},
    ]
    assert {"id_detected", "ssim", "l2", "lpips", "lpips_vgg", "psnr"} <= set(suite.metrics)
    assert (suite.judges["landmarks"], suite.judges["identity"]) == ("mtcnn", "curricularface-ir101-aligned")


@pytest.mark.parametrize("name", sorted(TREES))
def test_judges_of_a_papers_suite_answer_for_photographs_and_for_its_attributes(name: str) -> None:
    suite = suites.load(name)
    judges = [catalog().judge(judge) for judge in suite.judges.values()]
    assert all(judge.faces == "photographs" for judge in judges)
    outputs = [judge.outputs for judge in judges if judge.role == "attributes"]
    known = [name for name in suite.attributes if name in catalog().dataset(suite.dataset).attributes]
    assert set(suite.attributes) - set(known) == ({"Pose"} if "gradstyle" in name else set())
    assert all(set(suite.attributes) - set(names) <= {"Smiling"} for names in outputs)


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_papers_suite_runs_whole_on_drawn_faces(name: str, trees: Path, tmp_path: Path) -> None:
    suite = suites.load(name)
    metrics = [metric for metric in suite.metrics if metric not in WITHOUT_DEMO]
    size = min(suite.resolution, 64)
    result = run_small(name, trees, tmp_path, resolution=size, count=0, metrics=metrics)
    scores = result.folder.scores()
    assert {re.split(r"[./]", score.metric)[0] for score in scores} == set(metrics)
    assert result.absent == {}
    rated = {score.edit: score.value for score in scores if score.metric in ("tarr", "accuracy")}
    assert set(rated) == ({*(name for edit in suite.edits for name in edit.flips), "all"} if rated else set())
    unknown = [edit for edit, value in rated.items() if value is None]
    assert unknown == (["Smiling"] if name == "lfw-128-sagan" else [])


def test_gradstyles_suite_scores_lpips_where_its_weights_are(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random AlexNet under the published names, 64 pixels: what is shown is that the protocol runs."""
    backbone = perceptual.untrained("alex").net.state_dict()
    published = {
        f"features.{name.partition('.')[2]}": torch.randn(v.shape) / 30 for name, v in backbone.items()
    }
    folders.weights().mkdir(parents=True, exist_ok=True)
    path = folders.weights() / "alexnet.pth"
    torch.save(published, path)
    judge = catalog().judge("lpips-alex")
    monkeypatch.setitem(catalog().judges, "lpips-alex", replace(judge, pin=weights.pin_of(path)))
    name = "celebahq-1024-gradstyle"
    result = run_small(name, trees, tmp_path, resolution=64, count=0, metrics=["id", "lpips"])
    found = {(score.metric, score.edit): score.value for score in result.folder.scores()}
    assert found["lpips", "reconstruction"] == 0  # the method returns its input
    assert {edit for metric, edit in found if metric == "id"} >= {"Pose-plus", "Smiling-minus"}


def test_a_part_of_the_set_does_not_pass_for_the_protocol(trees: Path, tmp_path: Path) -> None:
    with pytest.raises(
        FaceEditError, match=r"wanted the first 19962 faces of split 'test' of celeba, found 6; "
    ):
        run_small("celeba-128-secgan", trees, tmp_path)
