"""The training programs of the demo judges: what is drawn, the losses, the loop, what is written."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from faceedit_bench.cli.train_judge import NAMES, train_judge
from faceedit_bench.contracts import Pin, View
from faceedit_bench.judges.augment import as_edited, crops
from faceedit_bench.judges.classes import kinds
from faceedit_bench.judges.fit import Settings, fit, pace
from faceedit_bench.judges.identity import accept_above, contrast
from faceedit_bench.judges.pictures import (
    TEST,
    TRAIN,
    Artist,
    flipped,
    paint,
    training_order,
    uncorrelated,
)
from faceedit_bench.judges.pictures import (
    testing_order as order_to_test,
)
from faceedit_bench.judges.recipe import RECIPES, make
from faceedit_bench.judges.specs import KINDS
from faceedit_bench.judges.swav import assign, swapped_prediction
from faceedit_bench.suite import THIRTEEN

BALD, BANGS, BLACK = THIRTEEN.index("Bald"), THIRTEEN.index("Bangs"), THIRTEEN.index("Black_Hair")


def toy_artist() -> Artist:
    """Draws flat pictures whose colour is the labels'."""

    def labels(seeds: torch.Tensor) -> torch.Tensor:
        return uncorrelated(len(seeds), int(seeds[0]))

    def draw(seeds: torch.Tensor, rows: torch.Tensor, size: int, *, scenes: torch.Tensor) -> SimpleNamespace:
        shades = torch.stack([rows[:, :5].sum(1), rows[:, 5:9].sum(1), rows[:, 9:].sum(1)], 1) * 50
        return SimpleNamespace(images=shades[:, :, None, None].expand(-1, -1, size, size).to(torch.uint8))

    return Artist(draw=draw, labels=labels, digest="toy" * 10)


# ---- what is drawn ----------------------------------------------------------------------------------


def test_train_and_test_people_are_disjoint() -> None:
    train, test = training_order(toy_artist(), 50).seeds, order_to_test(toy_artist(), 50).seeds
    assert train.min() == TRAIN and test.min() == TEST
    assert not set(train.tolist()) & set(test.tolist())


def test_each_training_person_is_drawn_in_six_scenes() -> None:
    order = training_order(toy_artist(), 20)
    pairs = set(zip(order.seeds.tolist(), order.scenes.tolist(), strict=True))
    assert len(order.seeds) == len(pairs) == 120


def test_a_flip_follows_the_conflict_rule() -> None:
    blacks = torch.zeros(1, 13, dtype=torch.uint8)
    blacks[0, [BANGS, BLACK]] = 1
    bald = flipped(blacks, torch.tensor([BALD]))
    assert bald[0, BALD] == 1 and bald.sum() == 1


def test_test_pictures_are_the_source_its_thirteen_flips_and_another_scene() -> None:
    order = order_to_test(toy_artist(), 7)
    labels, scenes = order.labels.view(15, 7, 13), order.scenes.view(15, 7)
    assert (labels[14] == labels[0]).all() and (scenes[14] != scenes[0]).all()
    for column in range(13):
        assert (labels[1 + column, :, column] == 1 - labels[0, :, column]).all()
        assert (scenes[1 + column] == scenes[0]).all()


def test_uncorrelated_labels_are_possible_people() -> None:
    labels = uncorrelated(500, 1)
    colours = labels[:, BLACK : BLACK + 3].sum(1)
    assert (labels[:, BALD] + colours <= 1).all() and (labels[:, BALD] * labels[:, BANGS] == 0).all()
    assert labels.float().mean(0).min() > 0.1


def test_faces_are_drawn_once_with_a_cache(tmp_path: Path) -> None:
    artist = toy_artist()
    order = training_order(artist, 3)
    first = paint(artist, order, View(size=16), cache=tmp_path)

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("drawn again")

    again = paint(dataclasses.replace(artist, draw=never), order, View(size=16), cache=tmp_path)
    assert torch.equal(first.images, again.images) and first.images.shape == (18, 3, 16, 16)
    with pytest.raises(AssertionError, match="drawn again"):
        paint(
            dataclasses.replace(artist, draw=never, digest="another renderer"),
            order,
            View(size=16),
            cache=tmp_path,
        )


def test_kinds_of_people_are_named_by_their_labels() -> None:
    labels = torch.zeros(2, 13)
    labels[0, [THIRTEEN.index(name) for name in ("Blond_Hair", "Young", "Eyeglasses")]] = 1
    labels[1, THIRTEEN.index("Male")] = 1
    assert [KINDS[k] for k in kinds(labels)] == [
        "blond woman young with glasses",
        "auburn or grey man old without glasses",
    ]


def test_augmentation_keeps_shape_and_repeats_with_its_generator() -> None:
    images = torch.rand(5, 3, 32, 32) * 2 - 1
    first, again = (as_edited(images, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, again) and first.shape == images.shape and not torch.equal(first, images)


def test_a_crop_without_zoom_or_shift_is_the_picture() -> None:
    images = torch.rand(2, 3, 16, 16)
    same = crops(images, torch.Generator(), size=16, zoom=(1, 1), shift=0, mirror=False)
    assert torch.allclose(same, images, atol=1e-5)  # bilinear weights in float32


# ---- losses -----------------------------------------------------------------------------------------


def test_sinkhorn_codes_sum_to_one_and_share_prototypes_evenly() -> None:
    scores = torch.rand(64, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    codes = assign(scores, rounds=50)
    assert torch.allclose(codes.sum(1), torch.ones(64), atol=1e-5)  # rows end the iteration: float32 rounding
    assert torch.allclose(codes.sum(0), torch.full((8,), 8.0), atol=1e-2)  # columns converge


def test_sinkhorn_splits_a_batch_that_prefers_one_prototype() -> None:
    scores = torch.zeros(4, 2)
    scores[:, 0] = torch.tensor([0.9, 0.8, 0.2, 0.1])
    assert assign(scores, rounds=50).argmax(1).tolist() == [0, 0, 1, 1]


def test_swav_loss_is_small_when_crops_agree_and_larger_when_they_do_not() -> None:
    sure = torch.eye(8).repeat(1, 1) * 2 - 1  # eight faces, each its own prototype
    agree = swapped_prediction(torch.stack([sure] * 4))
    disagree = swapped_prediction(torch.stack([sure, sure.roll(1, 0), sure, sure]))
    assert agree < 0.01 < 1 < disagree


def test_swav_loss_of_undecided_crops_is_the_logarithm_of_the_prototypes() -> None:
    value = swapped_prediction(torch.zeros(5, 6, 96))
    assert value.item() == pytest.approx(torch.tensor(96.0).log().item(), abs=1e-5)


def test_contrast_is_lower_when_pictures_of_a_person_lie_together() -> None:
    who = torch.tensor([0, 0, 1, 1])
    together = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    mixed = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    assert contrast(together, who) < 0.01 < 10 < contrast(mixed, who)


def test_the_threshold_lets_the_asked_share_of_strangers_pass() -> None:
    others = torch.arange(10_000.0)
    assert (others > accept_above(others, 1e-3)).sum() == 10


# ---- loop and files -----------------------------------------------------------------------------------


def line(seed: int, **settings: float) -> tuple[torch.Tensor, object]:
    """Fit one weight to 3 through `fit`."""
    part = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(part.weight)

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        x = torch.randn(8, 1, generator=generator)
        return (part(x) - 3 * x).square().mean()

    course = fit(part, loss, Settings(rate=0.2, seed=seed, decay=0.0, **{"steps": 120, **settings}))
    return part.weight.detach(), course


def test_the_loop_learns_and_repeats_to_the_bit() -> None:
    (first, _), (again, _), (other, _) = line(1), line(1), line(2)
    assert abs(float(first) - 3) < 0.1
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_the_loop_stops_when_its_minutes_are_over() -> None:
    _, course = line(1, steps=10_000_000, minutes=0.005)
    assert 0 < course.steps < 10_000_000 and course.seconds < 5


def test_the_rate_rises_then_falls_to_nearly_nothing() -> None:
    settings = Settings(steps=100, warm_up=10)
    assert pace(0, settings) < 0.2 < 0.9 < pace(9, settings) and pace(99, settings) < 0.02
    assert pace(9, settings, clock=1.0) < 0.02


@pytest.mark.parametrize("judge", NAMES)
def test_a_recipe_writes_weights_and_a_card_that_pins_them(judge: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(RECIPES[judge].settings, steps=2, batch=12, people=26)
    make(judge, toy_artist(), settings, tmp_path, test_people=40)
    card = json.loads((tmp_path / f"{judge}.json").read_text())
    pin = Pin.from_card(tmp_path / f"{judge}.json")
    assert pin is not None and pin.bytes == (tmp_path / pin.file).stat().st_size
    assert card["training"]["steps"] == 2 and card["gates"]["test_people"] == 40
    assert all(told["count"] for told in card["answers"].values()) and judge in card["answers"]
    assert f"train-judge {judge} --steps 2" in pin.origin and not list(tmp_path.glob("*.part"))


def test_the_command_knows_every_recipe() -> None:
    assert set(NAMES) == set(RECIPES)


def test_the_command_refuses_an_unknown_judge() -> None:
    result = CliRunner().invoke(train_judge, ["attributes"])
    assert result.exit_code != 0 and "attributes-demo" in result.output
