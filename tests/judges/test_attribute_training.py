"""The attributes judge of photographs: faces read alike each time, trained, measured, written."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file, save_file

from faceedit_bench.cli import cli, train_attributes
from faceedit_bench.contracts import THIRTEEN, Pin, Sample, View
from faceedit_bench.errors import BadDataset
from faceedit_bench.judges import attribute_training as training
from faceedit_bench.judges.attribute_network import AttributeJudge

NAMES = (*THIRTEEN, "Smiling")
VIEW = View(32, "torch-bilinear-aa")
SETTINGS = training.Settings(
    backbone="test_resnet", epochs=20, batch=4, warm_up=1, head_rate=3e-2, average=0.9
)


class Blobs:
    """Faces whose brightness tells one attribute."""

    attributes = NAMES

    def __init__(self, number: int = 16, shift: int = 0, names: tuple[str, ...] = NAMES) -> None:
        self.number, self.shift, self.attributes = number, shift, names

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, i: int) -> Sample:
        labels = np.zeros(len(self.attributes), np.uint8)
        labels[7] = i % 2
        image = np.full((3, 40, 40), 60 + 120 * (i % 2) + self.shift + i % 5, np.uint8)
        return Sample(f"{i:03d}", image, labels)

    def digest(self) -> str:
        return "blobs"


def test_what_is_random_depends_on_seed_item_and_epoch_alone() -> None:
    faces, again = (training.Faces([Blobs(), Blobs(shift=3)], seed=1) for _ in range(2))
    assert all(torch.equal(faces[i][0], again[i][0]) for i in (5, 3, 3))
    crops = [int(faces[i][0].float().mean()) - (60 + 120 * (i % 2) + i % 5) for i in range(16)]
    assert {round(crop / 3) for crop in crops} == {0, 1}  # either crop
    again.epoch = 1
    assert any(not torch.equal(faces[i][0], again[i][0]) for i in range(16))


def test_ids_that_are_left_out_are_not_trained_on() -> None:
    faces = training.Faces([Blobs(6)], seed=0, left_out=["001", "004", "999"])
    assert (len(faces), faces.left_out, faces.rows) == (4, 2, [0, 2, 3, 5])


def test_crops_of_other_faces_and_labels_without_the_thirteen_are_refused() -> None:
    with pytest.raises(BadDataset, match="crops of the same faces"):
        training.Faces([Blobs(6), Blobs(7)], seed=0)
    with pytest.raises(BadDataset, match="needs labels of Bald"):
        training.Faces([Blobs(names=("Smiling",) * 8)], seed=0)


def test_views_in_training_keep_shape_range_and_colour() -> None:
    images = torch.full((4, 3, 40, 40), 200, dtype=torch.uint8)
    seen = training.varied(images, torch.Generator().manual_seed(0), VIEW)
    assert seen.shape == (4, 3, 32, 32) and seen.isfinite().all()
    assert torch.allclose(
        seen[:, 0], seen[:, 2], atol=1e-5
    )  # grey stays grey: hair and skin are told by colour


def test_a_judge_learns_what_it_is_shown_and_keeps_the_thirteen() -> None:
    faces = training.Faces([Blobs()], seed=0)
    network, took = training.train(faces, SETTINGS, VIEW)
    found, labels = training.answers(network, Blobs(20), VIEW, SETTINGS)
    gates = training.gates(found, labels)
    assert took["steps"] == 80 and found.shape == (20, 13)
    assert gates["accuracy"]["Male"] == 100 and gates["present_seen"]["Male"] == 100
    assert gates["present_seen"]["Bald"] is None  # there is no bald face


def test_the_same_seed_gives_the_same_judge() -> None:
    short = dataclasses.replace(SETTINGS, epochs=0.5)
    first, second = (training.train(training.Faces([Blobs()], seed=0), short, VIEW)[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_gates_by_hand() -> None:
    found = np.full((4, 13), 0.1)
    found[:, 0] = [0.9, 0.9, 0.2, 0.6]
    labels = np.zeros((4, 13))
    labels[:2, 0] = 1
    told = training.gates(found, labels)
    assert told["accuracy"]["Bald"] == 75 and told["accuracy_mean"] == pytest.approx(
        100 * (12 + 0.75) / 13, abs=0.01
    )
    assert (told["present_seen"]["Bald"], told["absent_seen"]["Bald"]) == (100, 50)
    wanted = (2 * 0.1 + 0.2 + 0.6) / 4  # 0.9 twice right, 0.2 and 0.6 absent
    assert told["calibration_error"]["Bald"] == pytest.approx(100 * wanted, abs=0.01)


def test_pace_warms_up_and_ends_at_nothing() -> None:
    rates = [training.pace(step, 100, 10) for step in range(100)]
    assert rates[0] == 0.1 and rates[10] == 1 and max(rates) == 1 and rates[-1] < 1e-3
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces of few pixels, to be quick."""
    monkeypatch.setattr(train_attributes, "SIZE", 32)
    monkeypatch.setattr(train_attributes, "RENDERINGS", (16, 32))


def command(*words: str) -> Result:
    return CliRunner().invoke(cli, ["train-judge", "attributes", *words])


def test_the_command_trains_on_drawn_faces_prints_accuracies_and_writes_a_pin(
    small: None, tmp_path: Path
) -> None:
    start = tmp_path / "start.pth"
    backbone = AttributeJudge("test_resnet").backbone
    torch.save({**backbone.state_dict(), "fc.weight": torch.zeros(3)}, start)
    (tmp_path / "ids.txt").write_text("nobody\n")
    result = command(
        *("--data", "drawn-faces", "--limit", "4", "--batch", "2", "--epochs", "0.5", "--out", str(tmp_path)),
        *(
            "--backbone",
            "test_resnet",
            "--backbone-weights",
            str(start),
            "--leave-out",
            str(tmp_path / "ids.txt"),
        ),
    )
    assert result.exit_code == 0, result.output
    for word in ("at 16 px", "at 32 px", "accuracy_mean", "Mouth_Slightly_Open", "weights add"):
        assert word in result.output
    card = tmp_path / "attributes-test_resnet.json"
    pin = Pin.from_card(card)
    assert pin is not None and pin.is_whole and pin.sha256 in result.output
    assert load_file(tmp_path / pin.file)["head.weight"].shape[0] == 13
    assert json.loads(card.read_text())["training"]["backbone_weights"] == "start.pth"
    assert "CelebA" not in pin.licence and "drawn-faces" in pin.licence


def test_the_command_refuses_what_does_not_belong_together(small: None, tmp_path: Path) -> None:
    assert "attributes wants --data" in command().output
    assert "attributes does not take --people" in command("--data", "drawn-faces", "--people", "200").output
    assert "has no labels" in command("--data", "ffhq", "--root", str(tmp_path)).output
    demo = CliRunner().invoke(cli, ["train-judge", "swav-demo", "--data", "celeba"])
    assert "swav-demo does not take --data" in demo.output
    assert "attributes does not take --drawn" in command("--data", "drawn-faces", "--drawn", "x").output
    wrong = tmp_path / "wrong.safetensors"
    save_file({"conv1.weight": torch.zeros(2)}, wrong)
    words = (
        "--data",
        "drawn-faces",
        "--limit",
        "2",
        "--backbone",
        "test_resnet",
        "--backbone-weights",
        str(wrong),
    )
    assert "does not fit" in command(*words, "--out", str(tmp_path)).output


def test_the_settings_are_those_of_the_recipe() -> None:
    told = dataclasses.asdict(training.Settings())
    assert (told["batch"], told["epochs"], told["smoothing"], told["average"]) == (256, 12, 0.02, 0.9998)
