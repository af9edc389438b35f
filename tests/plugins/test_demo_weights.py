"""The shipped demo weights: small, trained with equal budgets or one of their own, and they edit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from faceedit_bench import config
from faceedit_bench.api import THIRTEEN, EditBatch
from faceedit_bench.data import drawn
from faceedit_bench.suite import target_labels
from faceedit_bench.train import TrainingConfig
from faceedit_bench.weights import load_method

ROOT = Path(__file__).parents[2]
EQUAL = ("stargan", "attgan", "stgan", "lstunet", "coogan", "secgan-attgan", "secgan-stargan")  # one budget
METHODS = (*EQUAL, "sagan", "e4e", "gradstyle")  # the others' stages are of other kinds
FOLDERS = {"secgan-attgan": "secgan", "secgan-stargan": "secgan"}  # where it is not the method's name
HELPERS = {"parser"}  # stages that train no editor, with budgets of their own
SEEDS = [3_000_000, 3_000_001, 3_000_003]  # of the test split: no training saw them; the second is pale
EDGE = 8_000_000  # bytes that a shipped file may have


def card(method: str) -> dict[str, Any]:
    folder = FOLDERS.get(method, method)
    return json.loads((ROOT / "plugins" / folder / f"{method}-demo.json").read_text())


@pytest.fixture(scope="module")
def faces() -> tuple[Tensor, Tensor]:
    """(N, 3, 128, 128) in [-1, 1] and (N, 13): drawn people."""
    labels = drawn.labels(SEEDS)
    images = drawn.draw(SEEDS, labels, 128).images
    return images.float() / 127.5 - 1, labels.float()


def batch_of(faces: tuple[Tensor, Tensor], flips: tuple[str, ...]) -> EditBatch:
    images, source = faces
    asked = [target_labels(row, flips, THIRTEEN, "drawn") for row in source.int().tolist()]
    return EditBatch(
        images=images,
        source=source,
        target=torch.tensor([target for target, _ in asked], dtype=torch.float32),
        edited=torch.tensor([edited for _, edited in asked]),
        strength=torch.ones(len(images)),
        seeds=torch.arange(len(images)),
        attributes=THIRTEEN,
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_file_is_small_and_its_training_was_finished(method):
    facts = card(method)
    assert facts["bytes"] <= EDGE
    assert facts["complete"] is True
    assert facts["origin"].startswith(f"faceedit-bench train --config configs/train/{method}-demo.toml")


def test_budgets_are_equal():
    """Same faces, steps and batches for every stage of an editor, and those of the training files."""
    budgets = set()
    for method in EQUAL:
        facts = card(method)
        chosen = config.load(TrainingConfig, ROOT / "configs" / "train" / f"{method}-demo.toml")
        for name, stage in facts["stages"].items():
            if name in HELPERS:
                continue
            assert (stage["steps"], stage["batch_size"]) == (chosen.steps, chosen.batch_size)
            budgets.add(tuple(stage[key] for key in ("steps", "batch_size", "size", "faces", "digest")))
    assert len(budgets) == 1


@pytest.mark.parametrize("method", METHODS)
def test_every_stage_had_the_steps_of_its_training_file(method):
    chosen = config.load(TrainingConfig, ROOT / "configs" / "train" / f"{method}-demo.toml")
    for name, stage in card(method)["stages"].items():
        own = chosen.stages.get(name)
        wanted = (own and own.steps) or chosen.steps
        assert stage["steps"] == wanted, name


@pytest.mark.parametrize("method", METHODS)
def test_the_card_tells_the_options_of_the_preset(method):
    from faceedit_bench.catalog import catalog
    from faceedit_bench.manifest import plain

    options = catalog().method(method).presets["demo"].options
    assert card(method)["options"] == plain(options)


@pytest.mark.parametrize("method", METHODS)
@torch.inference_mode()
def test_a_face_that_is_to_stay_stays(method, faces):
    images, _ = faces
    rebuilt = load_method(method).edit(batch_of(faces, ()))
    plain = images.mean((2, 3), keepdim=True)  # one colour, the best that needs no picture at all
    error, blank = ((other - images).square().mean() for other in (rebuilt, plain))
    assert error < blank / 2


@pytest.mark.parametrize("method", METHODS)
@torch.inference_mode()
def test_pale_skin_makes_faces_paler(method, faces):
    """The widest edit of all: the middle of the picture moves towards white, or away from it."""
    images, source = faces
    edited = load_method(method).edit(batch_of(faces, ("Pale_Skin",)))
    middle = (slice(None), slice(None), slice(48, 80), slice(48, 80))
    moved = (edited[middle] - images[middle]).mean((1, 2, 3))
    is_pale = source[:, THIRTEEN.index("Pale_Skin")] == 1
    assert (moved[~is_pale] > 0.05).all()
    assert (moved[is_pale] < 0.0).all()
