"""The recogniser and its training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from faceedit_bench.errors import TrainingFailed
from faceedit_bench.experiments import training
from faceedit_bench.experiments.pictures import Pictures, put
from faceedit_bench.experiments.protocol import Protocol
from faceedit_bench.experiments.recogniser import Recogniser, embeddings
from faceedit_bench.experiments.training import Arm, Order, arms, train

VERSIONS = (0, 1, 2)


def test_it_has_the_papers_numbers_of_parameters() -> None:
    counts = {name: value.numel() for name, value in Recogniser(8_177).named_parameters()}
    assert sum(counts.values()) == 15_371_313
    assert sum(count for name, count in counts.items() if not name.startswith("fc.")) == 11_176_512


def test_it_is_torchvisions_resnet_18() -> None:
    ours, theirs = Recogniser(5).eval(), torchvision.models.resnet18(num_classes=5).eval()
    state = theirs.state_dict()
    ours.load_state_dict({name: state[name] for name in ours.state_dict()})
    faces = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(ours(faces), theirs(faces), atol=1e-5)  # float32, another order of sums


def test_an_embedding_has_length_one_and_does_not_depend_on_company() -> None:
    network = Recogniser(3, width=4)
    faces = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    together, alone = embeddings(network, faces), embeddings(network, faces, batch=1)
    assert torch.allclose(together.norm(dim=1), torch.ones(5))
    assert torch.allclose(together, alone, atol=1e-5)  # kernels may differ with the batch


# ---- the order of pictures ------------------------------------------------------------------------


def test_every_picture_appears_once_an_epoch_and_once_in_each_version() -> None:
    order = Order(10, VERSIONS, batch=4, seed=1)
    shown = [pair for number in range(15) for pair in zip(*order.batch(number), strict=True)]  # 60: 6 epochs
    epochs = [shown[start : start + 10] for start in range(0, 60, 10)]
    assert all(sorted(row for row, _ in epoch) == list(range(10)) for epoch in epochs)
    for turn in (epochs[:3], epochs[3:]):
        assert sorted(pair for epoch in turn for pair in epoch) == [
            (r, v) for r in range(10) for v in VERSIONS
        ]


def test_arms_take_the_same_pictures_in_the_same_batches() -> None:
    plain, edited = Order(10, (0,), batch=4, seed=1), Order(10, VERSIONS, batch=4, seed=1)
    for number in range(8):
        assert np.array_equal(plain.batch(number)[0], edited.batch(number)[0])
        assert not plain.batch(number)[1].any()


def test_a_batch_follows_from_the_seed_and_its_number_alone() -> None:
    straight, late = Order(10, VERSIONS, batch=4, seed=1), Order(10, VERSIONS, batch=4, seed=1)
    for number in range(5):
        straight.batch(number)
    assert np.array_equal(straight.batch(5), late.batch(5))
    assert not np.array_equal(late.batch(5), Order(10, VERSIONS, batch=4, seed=2).batch(5))


def test_each_attribute_makes_an_arm_with_the_picture_and_both_its_edits() -> None:
    assert arms(("Male", "Young")) == [Arm("none", (0,)), Arm("Male", (0, 1, 2)), Arm("Young", (0, 3, 4))]


# ---- training -------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """Four people of one colour each, four pictures of each; versions 1 and 2 are darker."""
    generator = np.random.default_rng(1)
    colours = np.repeat(generator.integers(60, 200, (4, 1, 3, 1, 1)), 4, axis=0)  # (16, 1, 3, 1, 1)
    noise = generator.integers(-30, 30, (16, 1, 3, 32, 32))
    shades = np.array([0, -20, -40]).reshape(1, 3, 1, 1, 1)
    images = (colours + noise + shades).clip(0, 255).astype(np.uint8)  # (16, 3, 3, 32, 32)
    rows = [{"id": str(n), "person": str(n // 4), "labels": [n % 2]} for n in range(16)]
    folder = tmp_path / "train"
    folder.mkdir()
    put(folder, 0, images, rows, {})
    return Pictures(folder, "colours")


def bits(network: Recogniser) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


def test_it_learns_who_is_who(pictures: Pictures, tiny_protocol: Protocol, tmp_path: Path) -> None:
    protocol = dataclasses.replace(tiny_protocol, epochs=20, batch=8, lr=0.05)
    network, course = train(Arm("none", (0,)), pictures, protocol, tmp_path, "cpu")
    assert course["steps"] == 40 and course["losses"][-1]["loss"] < 0.5 < course["losses"][0]["loss"]
    seen = embeddings(network, pictures.take(range(16), [0] * 16)).numpy()
    likeness = seen @ seen.T
    same = np.arange(16)[:, None] // 4 == np.arange(16) // 4
    assert likeness[same].mean() > likeness[~same].mean() + 0.2


def test_the_same_training_gives_the_same_bits_and_edits_change_them(
    pictures: Pictures, tiny_protocol: Protocol, tmp_path: Path
) -> None:
    one, again, edited = (
        bits(train(Arm("arm", versions), pictures, tiny_protocol, tmp_path / name, "cpu")[0])
        for name, versions in (("1", (0,)), ("2", (0,)), ("3", VERSIONS))
    )
    assert one == again and one != edited


def test_a_stopped_training_goes_on_with_the_same_bits(
    pictures: Pictures, tiny_protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = dataclasses.replace(tiny_protocol, epochs=6, batch=8)  # 12 steps
    arm = Arm("edited", VERSIONS)
    straight, _ = train(arm, pictures, protocol, tmp_path / "straight", "cpu")
    (tmp_path / "stopped").mkdir()
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)  # after every step

    class Killed(BaseException):
        pass

    done = 0

    def advance(steps: int) -> None:
        nonlocal done
        done += steps
        if done == 5:
            raise Killed

    with pytest.raises(Killed):
        train(arm, pictures, protocol, tmp_path / "stopped", "cpu", advance)
    sessions: list[int] = []
    resumed, course = train(arm, pictures, protocol, tmp_path / "stopped", "cpu", sessions.append)
    assert sessions[0] == 4 and sum(sessions) == 12  # the fifth step was not saved
    assert bits(resumed) == bits(straight)
    assert [entry["step"] for entry in course["losses"]] == list(range(1, 13))


def test_the_rate_falls_after_a_half_and_after_three_quarters() -> None:
    rates = [training.pace(step, 8) for step in range(8)]
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_a_training_that_diverges_says_so(
    pictures: Pictures, tiny_protocol: Protocol, tmp_path: Path
) -> None:
    protocol = dataclasses.replace(tiny_protocol, lr=1e30, epochs=3)
    with pytest.raises(TrainingFailed, match=r"recogniser 'none': the loss is .* lower lr with --set"):
        train(Arm("none", (0,)), pictures, protocol, tmp_path, "cpu")
