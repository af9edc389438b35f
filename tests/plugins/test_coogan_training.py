"""Both training stages minimise what the paper says, and each phase moves one network only."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from faceedit_plugins.coogan import DEMO, PAPER, RELEASE, Options, recipes
from faceedit_plugins.coogan.losses import render, view
from faceedit_plugins.unet.objective import editor_terms
from torch import Tensor, nn

from faceedit_bench.api import THIRTEEN, EditBatch
from faceedit_bench.train import Phase, Recipe, TrainBatch

A = len(THIRTEEN)
TINY = Options(
    width=4,
    layers=3,
    skip=2,
    critic_width=4,
    critic_layers=3,
    critic_fc=8,
    local_width=4,
    local_layers=2,
    local_skip=1,
    local_critic_width=4,
    local_critic_layers=3,
    local_critic_fc=8,
    local_size=32,
    snapshot=16,
    patch=16,
    critic_steps=3,
    momentum=0.1,
    lr=2e-3,
)


def batch_of(recipe: Recipe, count: int = 4, side: int = 32, step: int = 1) -> TrainBatch:
    generator = torch.Generator().manual_seed(step)
    smooth = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
    images = nn.functional.interpolate(smooth, (side, side), mode="bilinear")
    labels = (torch.rand(count, A, generator=generator) < 0.3).float()
    return TrainBatch(images, labels, labels.roll(1, 0), generator, step)


def stage(number: int, **changes) -> Recipe:
    torch.manual_seed(0)
    recipe = recipes(dataclasses.replace(TINY, **changes))[number]
    for network in recipe.networks.values():
        network.train()
    return recipe


def backward(recipe: Recipe, phase: Phase, batch: TrainBatch) -> dict[str, Tensor]:
    """One phase as the trainer runs it: only its network requires gradients."""
    for name, network in recipe.networks.items():
        network.requires_grad_(name == phase.network)
        network.zero_grad()
    terms = phase.loss(recipe.networks, batch)
    sum(terms.values()).backward()
    return terms


@pytest.mark.parametrize("number", [0, 1])
def test_each_phase_moves_its_own_network_and_no_other(number):
    recipe = stage(number)
    critic, editor = recipe.phases
    wanted = {
        critic: {"wasserstein", "penalty", "attributes"},
        editor: {"adversarial", "attributes", "reconstruction"},
    }
    for phase, names in wanted.items():
        terms = backward(recipe, phase, batch_of(recipe))
        assert set(terms) == names
        assert all(term.shape == () and term.isfinite() for term in terms.values())
        for name, network in recipe.networks.items():
            moved = [parameter.grad is not None for parameter in network.parameters()]
            assert all(moved) if name == phase.network else not any(moved)


@pytest.mark.parametrize("number", [0, 1])
def test_the_critic_step_builds_no_graph_through_the_generators(number):
    recipe = stage(number)
    critic = recipe.phases[0]
    for network in recipe.networks.values():
        network.requires_grad_(True)
    sum(critic.loss(recipe.networks, batch_of(recipe)).values()).backward()
    for name in recipe.networks.keys() - {"critic"}:
        assert all(parameter.grad is None for parameter in recipe.networks[name].parameters())


def test_the_second_stage_leaves_the_global_generator_as_it_is():
    recipe = stage(1)
    before = {key: value.clone() for key, value in recipe.networks["global"].state_dict().items()}
    for phase in recipe.phases:
        backward(recipe, phase, batch_of(recipe))
    after = recipe.networks["global"].state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)  # running statistics included


@pytest.mark.parametrize("number", [0, 1])
def test_an_editor_learns_to_reconstruct(number):
    recipe = stage(number, editor_attributes=0.0)
    editor = recipe.phases[1]
    optimizer = torch.optim.Adam(
        recipe.networks[editor.network].parameters(), lr=editor.lr, betas=editor.betas
    )
    course = []
    for _ in range(40):
        course.append(float(backward(recipe, editor, batch_of(recipe))["reconstruction"].detach()))
        optimizer.step()
    assert course[-1] < 0.6 * course[0]


def test_the_weights_and_signs_are_those_of_the_paper():
    """λ 10/1/10/100 and `L_G = −D(y) + 10·BCE(C(y), b) + 100·L1`, on a critic with known answers."""
    recipe = stage(0)
    batch = batch_of(recipe)
    scores, logits = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.zeros(4, A)
    real = torch.zeros(4, 3, 16, 16)
    terms = editor_terms(lambda images: (scores, logits), real, real + 0.25, real, batch, Options())
    assert terms["adversarial"].item() == -2.5
    assert terms["attributes"].item() == pytest.approx(10 * 0.693147, rel=1e-5)  # BCE at logit 0 is ln 2
    assert terms["reconstruction"].item() == 25.0
    assert (PAPER.penalty, PAPER.critic_attributes, PAPER.critic_steps) == (10.0, 1.0, 5)


def test_presets_carry_their_rates():
    for options, lr, betas, every in (
        (PAPER, 2e-4, (0.5, 0.99), 5),
        (RELEASE, 3e-4, (0.5, 0.999), 5),
    ):
        with torch.device("meta"):
            stages = recipes(options)
        for recipe in stages:
            critic, editor = recipe.phases
            assert (critic.lr, critic.betas, critic.every) == (lr, betas, 1)
            assert (editor.lr, editor.betas, editor.every) == (lr, betas, every)
    assert [recipe.exported for recipe in recipes(DEMO)] == [("global",), ("local",)]


def test_reconstruction_asks_for_nothing():
    recipe = stage(0)
    asked = []
    recipe.networks["global"].register_forward_hook(lambda network, given, made: asked.append(given[1]))
    batch = batch_of(recipe)
    recipe.phases[1].loss(recipe.networks, batch)
    assert torch.equal(asked[0], torch.cat([batch.change, torch.zeros_like(batch.change)]))


# ---- options of the second stage ------------------------------------------------------------------


def test_the_macro_view_cuts_the_same_four_patches_from_every_picture():
    options = dataclasses.replace(TINY, local_view="macro", local_size=64)
    images = torch.rand(2, 3, 64, 64)
    first, second = view([images, images + 1], torch.Generator().manual_seed(0), options)
    assert first.shape == (2, 3, 32, 32)
    assert torch.equal(second, first + 1)
    corners = {(row, column) for row in (0, 16, 32) for column in (0, 16, 32)}
    assert any(torch.equal(first, images[:, :, r : r + 32, c : c + 32]) for r, c in corners)


def test_the_macro_view_trains():
    recipe = stage(1, local_view="macro", local_size=64, local_critic_layers=3)
    for phase in recipe.phases:
        assert all(term.isfinite() for term in backward(recipe, phase, batch_of(recipe)).values())


def test_consistency_is_an_optional_fourth_term():
    recipe = stage(1, consistency=10.0)
    terms = backward(recipe, recipe.phases[1], batch_of(recipe))
    assert terms["consistency"] > 0


def test_checkpointing_gives_each_row_of_patches_its_own_statistics_and_the_same_function():
    recipe = stage(1)
    editor = recipe.networks["local"].eval()  # running statistics: rows no longer matter
    pictures, guide, asked = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.ones(2, A)
    whole = render(editor, pictures, guide, asked, TINY)
    by_rows = render(editor, pictures, guide, asked, dataclasses.replace(TINY, checkpointing=True))
    torch.testing.assert_close(whole, by_rows, rtol=0, atol=1e-5)  # float32, other batch size


@pytest.mark.parametrize("number", [0, 1])
def test_previews_have_pictures_for_a_sheet(number):
    recipe = stage(number)
    for network in recipe.networks.values():
        network.eval()
    labels = torch.zeros(2, A)
    batch = EditBatch(
        images=torch.zeros(2, 3, 32, 32),
        source=labels,
        target=labels,
        edited=labels.bool(),
        strength=torch.ones(2),
        seeds=torch.arange(2),
        attributes=THIRTEEN,
    )
    shown = recipe.preview(recipe.networks, batch)
    side = (TINY.snapshot, 32)[number]
    assert shown.shape == (2, 3, side, side)
    assert shown.abs().max() <= 1
