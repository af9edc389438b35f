"""The attributes judge of photographs: faces read alike each time, trained, measured, written."""

from __future__ import annotations

import dataclasses
import io
import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file, save_file

from faceedit_bench.cli import cli, train_attributes
from faceedit_bench.contracts import THIRTEEN, Pin, Sample, View
from faceedit_bench.errors import BadDataset
from faceedit_bench.judges import attribute_gates as gates
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
    found, labels = gates.answers(network, Blobs(20), VIEW, batch=4, device="cpu")
    told = gates.measured(found, labels)
    assert took["steps"] == 80 and found.shape == (20, 13)
    assert told["accuracy"]["Male"] == 100 and told["present_seen"]["Male"] == 100
    assert told["present_seen"]["Bald"] is None  # there is no bald face


def test_the_same_seed_gives_the_same_judge() -> None:
    short = dataclasses.replace(SETTINGS, epochs=0.5)
    first, second = (training.train(training.Faces([Blobs()], seed=0), short, VIEW)[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


class Ended(Exception):
    """As if the process were killed."""


class Shelf:
    """Keeps a training as a file would: bytes, read without code."""

    def __init__(self, ends_after: int = 0) -> None:
        self.content, self.saved, self.ends_after = b"", 0, ends_after

    def load(self) -> dict[str, Any] | None:
        return torch.load(io.BytesIO(self.content), weights_only=True) if self.content else None

    def save(self, content: dict[str, Any]) -> None:
        stored = io.BytesIO()
        torch.save(content, stored)
        self.content, self.saved = stored.getvalue(), self.saved + 1
        if self.saved == self.ends_after:
            raise Ended


@pytest.mark.parametrize("ends_after", [1, 2, 3])
def test_a_training_that_was_ended_goes_on_to_the_same_bits(ends_after: int) -> None:
    short = dataclasses.replace(SETTINGS, epochs=2.5)

    def trained(kept: training.Kept | None) -> tuple[AttributeJudge, list[str]]:
        said: list[str] = []
        return training.train(training.Faces([Blobs()], 0), short, VIEW, kept=kept, say=said.append)[0], said

    straight, _ = trained(None)
    shelf = Shelf(ends_after)
    with pytest.raises(Ended):
        trained(shelf)
    resumed, said = trained(shelf)
    assert said[0] == f"going on after step {[4, 8, 10][ends_after - 1]}"
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters(), strict=True))


def test_the_average_follows_by_its_share() -> None:
    mine, theirs = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(mine.weight)
    torch.nn.init.ones_(theirs.weight)
    training.follow(mine, theirs, 0.9998)
    assert mine.weight.item() == pytest.approx(2e-4)


@pytest.mark.parametrize(("device", "is_on"), [("cpu", False), ("cuda:0", True)])
def test_a_gpu_trains_in_bfloat16(device: str, is_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def autocast(kind: str, dtype: torch.dtype, *, enabled: bool) -> AbstractContextManager[None]:
        asked.append((kind, dtype, enabled))
        return nullcontext()

    monkeypatch.setattr(torch, "autocast", autocast)
    network = AttributeJudge("test_resnet")
    loss = training._loss(
        network, torch.zeros(2, 3, 32, 32), torch.ones(2, 13), dataclasses.replace(SETTINGS, device=device)
    )
    assert asked == [("cuda", torch.bfloat16, is_on)] and loss.dtype == torch.float32


def test_pace_warms_up_and_ends_at_nothing() -> None:
    rates = [training.pace(step, 100, 10) for step in range(100)]
    assert rates[0] == 0.1 and rates[10] == 1 and max(rates) == 1 and rates[-1] < 1e-3
    assert rates[10:] == sorted(rates[10:], reverse=True)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces of few pixels, to be quick."""
    monkeypatch.setattr(train_attributes, "SIZE", 32)
    monkeypatch.setattr(train_attributes, "FIRST", 16)
    monkeypatch.setattr(train_attributes, "FURTHER", (32, 48))


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
    for word in ("at 16 px", "at 32 px", "at 48 px", "mean accuracy", "Mouth_Slightly_Open", "weights add"):
        assert word in result.output
    told = result.stdout.splitlines()
    assert [line for line in told if len(line) > 80 and str(tmp_path) not in line] == []
    words = " ".join(result.output.split())
    assert "no other judge: --second FILE" in words and "not told: --leave-out-hq" in words
    assert "not to be published: of 5 gates" in words
    card = tmp_path / "attributes-test_resnet.json"
    pin = Pin.from_card(card)
    assert pin is not None and pin.is_whole and pin.sha256 in result.output
    assert load_file(tmp_path / pin.file)["head.weight"].shape[0] == 13
    told = json.loads(card.read_text())
    assert told["training"]["backbone_weights"] == "start.pth"
    assert told["gates"]["drawn-faces at 16 px"]["floor"].keys() == set(THIRTEEN)
    assert {one["verdict"] for one in told["gates"]["verdicts"]} > {"not measured"}
    assert "CelebA" not in pin.licence and "drawn-faces" in pin.licence


def test_a_second_architecture_is_compared_without_training_again(small: None, tmp_path: Path) -> None:
    words = (
        "--data",
        "drawn-faces",
        "--limit",
        "4",
        "--batch",
        "2",
        "--epochs",
        "0.5",
        "--out",
        str(tmp_path),
    )
    first, second = ((*words, "--backbone", backbone) for backbone in ("test_resnet", "resnet10t"))
    assert command(*first).exit_code == 0 and command(*second).exit_code == 0
    weights = {name: tmp_path / f"attributes-{name}.safetensors" for name in ("test_resnet", "resnet10t")}
    before = weights["test_resnet"].read_bytes()
    result = command(*first, "--second", str(weights["resnet10t"]))
    assert result.exit_code == 0 and "going on after step 1" in result.stderr, result.output
    assert weights["test_resnet"].read_bytes() == before and "% decided as the other judge" in result.output
    told = json.loads((tmp_path / "attributes-test_resnet.json").read_text())
    assert 0 <= told["gates"]["drawn-faces at 16 px"]["agreement"] <= 100
    assert "is a test_resnet too" in command(*first, "--second", str(weights["test_resnet"])).output
    other = command(*first, "--seed", "1").output
    assert "holds another training: seed was 0, is 1" in other
    weights["resnet10t"].with_suffix(".json").unlink()
    assert "wanted attributes-resnet10t.json" in command(*first, "--second", str(weights["resnet10t"])).output


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
