"""Judges that align faces, on CelebA's trees: whose points, where from, and what is refused without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from faceedit_bench import evaluate, folders, weights
from faceedit_bench import suite as suites
from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import JudgeSpec
from faceedit_bench.data import demands, packing
from faceedit_bench.data.landmarks import ALIGNED
from faceedit_bench.data.photographs import reader
from faceedit_bench.errors import BadConfig, BadDataset, WrongWeights
from faceedit_bench.halving import Halving, Patient
from faceedit_bench.judges import asked, photographs
from faceedit_bench.judges.alignment import PLACES, aligned
from faceedit_bench.judges.view import look
from faceedit_bench.observe import to_unit
from faceedit_bench.rescore import rescore
from faceedit_bench.runs import RunResult, run
from faceedit_bench.score import score
from faceedit_bench.store.fingerprint import fingerprint

Copy = Callable[[str], Path]
ARCFACE, RETINA = "arcface-irse50-aligned", "retinaface-resnet50"


def seen(faces: Tensor) -> Tensor:
    """In place of a network: what it is shown, 7×7 pixels of it."""
    return torch.nn.functional.adaptive_avg_pool2d(faces, 7).flatten(1)


def finder(faces: Tensor) -> Tensor:
    """In place of RetinaFace: a face in every picture of more than one colour, lower where it is bright."""
    sure = (faces.flatten(2).std(2).amax(1, keepdim=True) > 1).float()
    down = faces.mean((1, 2, 3))[:, None] / 2000
    return torch.cat([sure, torch.tensor(PLACES).flatten() / 112 * 0.8 + down], dim=1)


@pytest.fixture(autouse=True)
def arcface(monkeypatch: pytest.MonkeyPatch) -> JudgeSpec:
    """The judge, and the finder of faces, with a weights file that is here, and no network."""
    folders.weights().mkdir(parents=True, exist_ok=True)
    path = folders.weights() / "network.safetensors"
    save_file({"weight": torch.zeros(1)}, path)
    judge = replace(catalog().judge(ARCFACE), pin=weights.pin_of(path), width=147, load=lambda context: seen)
    monkeypatch.setitem(catalog().judges, ARCFACE, judge)
    retina = replace(catalog().judge(RETINA), pin=weights.pin_of(path), load=lambda context: finder)
    monkeypatch.setitem(catalog().judges, RETINA, retina)
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
    lines += ['edits = [{ name = "Eyeglasses", flips = ["Eyeglasses"] }]', "[judges]"]
    lines += [f'identity = "{judge}"', f'landmarks = "{RETINA}"']
    path = folder / f"{dataset}-{judge}.toml"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def copied(suite: str, data: Path | None = None, **more: object) -> RunResult:
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
    packing.pack(reader("celeba"), "celeba", trees / "celeba", split="test", resolution=64, folder=folder)
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
    packing.pack(reader("celeba"), "celeba", root, split="test", resolution=64, folder=tmp_path / "pack")
    with pytest.raises(BadDataset, match="pack again what was packed without it"):
        copied(suite_file(tmp_path), tmp_path / "pack")


def test_a_face_whose_points_lie_in_one_place_is_named(trees: Path, tmp_path: Path) -> None:
    suite = suites.load(suite_file(tmp_path))
    samples = evaluate.open_samples(suite, str(trees / "celeba"))
    points = samples.landmarks.copy()
    points[1], points[2, 3, 1] = 30, np.nan
    broken = type("Broken", (), {"landmarks": points, "__getitem__": lambda self, row: samples[row]})()
    metrics = [catalog().metric("id")]
    with pytest.raises(BadDataset, match=rf"2 faces of 'celeba' .*\n  {samples[1].id}\n  {samples[2].id}"):
        demands.check_landmarks(suite, broken, metrics)
    points[1:3] = samples.landmarks[1:3]
    demands.check_landmarks(suite, broken, metrics)


def test_drawn_faces_are_aligned_where_they_are_drawn_and_other_judges_do_not_notice(tmp_path: Path) -> None:
    identities = {}
    for judge in (ARCFACE, "identity-demo"):
        result = copied(suite_file(tmp_path, "drawn-faces", judge, count=3))
        assert result.folder.scores()[0].value == pytest.approx(1)
        identities[judge] = result.folder.manifest.identity["data"]
    assert len(identities[ARCFACE].pop("landmarks")) == 64
    assert identities[ARCFACE] == identities["identity-demo"]


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


# ---- faces that a judge finds in each picture ---------------------------------------------------------


def test_pairs_without_a_face_are_counted_and_not_dropped(trees: Path, tmp_path: Path) -> None:
    """Faces of CelebA-HQ, which have no points; one comes back black, the others as they were."""
    suite = suite_file(tmp_path, "celebahq", split="train", metrics=["id_detected"])
    faces = evaluate.open_samples(suites.load(suite), str(trees / "hq"))
    for position, face in enumerate(faces.ids):
        picture = faces[position].image.transpose(1, 2, 0) * (position > 0)
        Image.fromarray(np.ascontiguousarray(picture)).save(tmp_path / f"{face}.png")
    result = score("half", str(tmp_path / "{id}.png"), suite=suite, data=trees / "hq", workers=1)
    found = {one.metric: one.value for one in result.scores if one.edit == "all"}
    count = len(faces)
    assert found == {
        "id_detected": pytest.approx(1),
        "id_detected.strict": pytest.approx(1 - 1 / count),
        "id_detected.n_failed": 1,
    }
    assert set(result.folder.manifest.identity["judges"]) == {"identity", "landmarks"}
    assert "landmarks" not in result.folder.manifest.identity["data"]


def test_each_picture_is_aligned_by_what_is_found_in_it(trees: Path, tmp_path: Path) -> None:
    suite = suites.load(suite_file(tmp_path, metrics=["id_detected"]))
    bench = evaluate.workbench(evaluate.Setup("copy", suite, data=str(trees / "celeba")))
    with torch.inference_mode():
        view = evaluate.observe(bench, suite.edits[0], 0, [(i, bench.samples[i]) for i in range(2)])
        view.edited = view.edited // 2
        for image, pictures in (("source", view.source), ("edited", view.edited)):
            shares = view.judge("landmarks", image)[:, 1:].view(-1, 5, 2)
            shown = aligned((to_unit(pictures) + 1) / 2, shares * 64 - 0.5) * 2 - 1
            assert torch.allclose(view.judge("identity", image, "landmarks"), seen(shown), atol=1e-5)
        by_data = view.judge("identity", "source")
    assert not torch.allclose(by_data, view.judge("identity", "source", "landmarks"), atol=0.1)
    assert {role for role, _ in view.remembered} == {"landmarks", "identity", "identity at landmarks"}


def test_a_judge_of_a_fixed_place_cannot_follow_what_is_found(trees: Path, tmp_path: Path) -> None:
    suite = suite_file(tmp_path, metrics=["id_detected"], judge="identity-demo")
    with pytest.raises(BadConfig, match=r"'id_detected' wants a judge that aligns .*'identity-demo' looks"):
        copied(suite, trees / "celeba")


def test_weights_that_are_not_here_are_listed_with_those_of_the_finder(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (ARCFACE, RETINA):
        published = {spec.name: spec for spec in photographs.SPECS}[name]
        monkeypatch.setitem(catalog().judges, name, published)
    with pytest.raises(WrongWeights) as caught:
        copied(suite_file(tmp_path, metrics=["id_detected"]), trees / "celeba")
    text = str(caught.value)
    assert "2 weights file(s) are not here" in text and f"for judge {RETINA}" in text
    assert "detection_Resnet50_Final.pth: 109497761 bytes, licence MIT" in text
