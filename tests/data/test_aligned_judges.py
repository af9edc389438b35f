"""Judges that align faces, on CelebA's trees: whose points, where from, and what is refused without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from faceedit_bench import evaluate, folders, weights
from faceedit_bench import suite as suites
from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import JudgeSpec
from faceedit_bench.data import packed
from faceedit_bench.data.landmarks import ALIGNED
from faceedit_bench.data.photographs import reader
from faceedit_bench.errors import BadDataset
from faceedit_bench.halving import Halving, Patient
from faceedit_bench.judges import asked
from faceedit_bench.judges.alignment import PLACES, aligned
from faceedit_bench.judges.view import look
from faceedit_bench.observe import to_unit
from faceedit_bench.rescore import rescore
from faceedit_bench.runs import RunResult, run
from faceedit_bench.store.fingerprint import fingerprint

Copy = Callable[[str], Path]
ARCFACE = "arcface-irse50-aligned"


def seen(faces: Tensor) -> Tensor:
    """In place of a network: what it is shown, 7×7 pixels of it."""
    return torch.nn.functional.adaptive_avg_pool2d(faces, 7).flatten(1)


@pytest.fixture(autouse=True)
def arcface(monkeypatch: pytest.MonkeyPatch) -> JudgeSpec:
    """The judge with a weights file that is here, and no network."""
    folders.weights().mkdir(parents=True, exist_ok=True)
    path = folders.weights() / "network.safetensors"
    save_file({"weight": torch.zeros(1)}, path)
    judge = replace(catalog().judge(ARCFACE), pin=weights.pin_of(path), width=147, load=lambda context: seen)
    monkeypatch.setitem(catalog().judges, ARCFACE, judge)
    evaluate.workbench.cache_clear()  # it was built with another judge of that name
    return judge


def suite_file(folder: Path, dataset: str = "celeba", judge: str = ARCFACE, **changes: object) -> str:
    told = {
        "name": "aligned",
        "version": "1",
        "summary": "identity",
        "dataset": dataset,
        "split": "test",
        "resolution": 64,
        "attributes": ["Eyeglasses"],
        "metrics": ["id"],
        **changes,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
    lines += [
        'edits = [{ name = "Eyeglasses", flips = ["Eyeglasses"] }]',
        "[judges]",
        f'identity = "{judge}"',
    ]
    path = folder / f"{dataset}-{judge}.toml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def copied(suite: str, data: Path, **more: object) -> RunResult:
    return run("copy", suite=suite, data=data, workers=1, measure_cost=False, **more)


def test_a_copy_is_the_same_person_and_the_run_names_the_points(trees: Path, tmp_path: Path) -> None:
    result = copied(suite_file(tmp_path), trees / "celeba")
    (score, *_) = result.folder.scores()
    assert (score.metric, score.edit, score.value) == ("id", "Eyeglasses", pytest.approx(1))
    assert len(result.folder.manifest.identity["data"]["landmarks"]) == 64


def test_both_pictures_are_aligned_by_the_points_of_the_source(trees: Path, tmp_path: Path) -> None:
    """What became of a face may look elsewhere: an identity judge is not to follow it."""
    suite = suites.load(suite_file(tmp_path))
    bench = evaluate.workbench(evaluate.Setup("copy", suite, data=str(trees / "celeba")))
    faces = [(i, bench.samples[i]) for i in range(3)]
    with torch.inference_mode():
        view = evaluate.observe(bench, suite.edits[0], 0, faces)
        view.edited = view.edited.roll(9, dims=3)
        answers = {image: view.judge("identity", image) for image in ("source", "edited")}
    points = torch.tensor(bench.samples.landmarks[:3])
    for image, pictures in (("source", view.source), ("edited", view.edited)):
        shown = aligned((to_unit(pictures) + 1) / 2, points) * 2 - 1
        assert torch.allclose(answers[image], seen(shown), atol=1e-5)
    assert (answers["source"] - answers["edited"]).abs().max() > 0.1


def test_faces_that_are_packed_or_halved_are_aligned_alike(trees: Path, tmp_path: Path) -> None:
    suite = suite_file(tmp_path)
    folder = tmp_path / "pack"
    packed.pack(reader("celeba"), "celeba", trees / "celeba", split="test", resolution=64, folder=folder)
    files, arrays = copied(suite, trees / "celeba"), copied(suite, folder)
    assert files.folder.manifest.id == arrays.folder.manifest.id
    judge, halving = weights.build_judge(catalog().judge(ARCFACE), "cpu"), Halving(most={"judge of it": 1})
    samples = catalog().dataset("celeba").open(folder, "test", 64, 3)
    pictures, points = to_unit(torch.tensor(samples.images)), torch.tensor(samples.landmarks)
    assert torch.equal(Patient("it", judge, halving)(pictures, points), judge(pictures, points))


def test_other_points_are_another_run_unless_no_judge_wants_them(
    trees: Path, copy_of: Copy, tmp_path: Path
) -> None:
    root = copy_of("celeba")
    lines = (root / ALIGNED).read_text().splitlines()
    (root / ALIGNED).write_text("\n".join([*lines[:-1], lines[-1][:-2] + "77"]) + "\n")
    whose = {}
    for judge in (ARCFACE, "identity-demo"):
        suite = suite_file(tmp_path, judge=judge)
        whose[judge] = [copied(suite, place).folder.manifest.id for place in (trees / "celeba", root)]
    assert whose[ARCFACE][0] != whose[ARCFACE][1]
    assert whose["identity-demo"][0] == whose["identity-demo"][1]


def test_a_run_that_kept_its_pictures_is_scored_later_by_a_judge_that_aligns(
    trees: Path, tmp_path: Path
) -> None:
    suite = suite_file(tmp_path, judge="identity-demo")
    before = copied(suite, trees / "celeba", keep_pictures=True).folder
    judges = {"identity-second": ARCFACE}
    later = rescore(before, ["id_second"], judges=judges, data=trees / "celeba")
    assert [score.value for score in later] == pytest.approx([1, 1])  # the edit, and all


def test_without_the_list_it_is_said_what_is_missing(trees: Path, copy_of: Copy, tmp_path: Path) -> None:
    root = copy_of("celeba")
    (root / ALIGNED).unlink()
    wanted = (
        rf"'celeba' for five points of every face, which judge {ARCFACE} \(identity\) wants: .* not there"
    )
    with pytest.raises(BadDataset, match=wanted):
        copied(suite_file(tmp_path), root)
    packed.pack(reader("celeba"), "celeba", root, split="test", resolution=64, folder=tmp_path / "pack")
    with pytest.raises(BadDataset, match="pack again what was packed without it"):
        copied(suite_file(tmp_path), tmp_path / "pack")


def test_data_that_have_no_points_are_refused_with_all_that_they_lack(trees: Path, tmp_path: Path) -> None:
    suite = suite_file(tmp_path, "celebahq", split="tset")
    with pytest.raises(BadDataset, match=rf"'tset'(.|\n)*five points .* {ARCFACE} \(identity\) wants"):
        copied(suite, trees / "hq")


def test_alignment_is_part_of_the_fingerprint_of_a_score() -> None:
    told = [{"name": name, "version": "1", "sha256": "ab" * 32} for name in ("arcface-irse50", ARCFACE)]
    assert len({fingerprint("id", "1", {"identity": judge}) for judge in told}) == 2


def test_a_judge_that_aligns_is_asked_about_the_formulas_pictures_too(arcface: JudgeSpec) -> None:
    judge = weights.build_judge(arcface, "cpu")
    points = torch.tensor(PLACES)[None].expand(8, -1, -1) * (128 / 112)
    faces = look(to_unit(asked.formula_pictures()), arcface.view, points)
    assert asked.numbers_of(judge)["norm"] == pytest.approx(float(seen(faces).double().norm()))
    assert np.isfinite(asked.numbers_of(judge)["first"]).all()
