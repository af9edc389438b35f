"""AttGAN, STGAN and LSTU-Net: told what the sheets say, trained as the sheets say, at any picture size."""

from __future__ import annotations

import pytest
import torch
from faceedit_plugins import attgan, lstunet, stgan
from faceedit_plugins.attgan.model import generator as attgan_generator
from faceedit_plugins.attgan.model import stage as attgan_stage
from faceedit_plugins.lstunet.model import stage as lstunet_stage
from faceedit_plugins.stgan.model import stage as stgan_stage
from faceedit_plugins.unet.objective import critic_terms, editor_terms
from torch import nn

from faceedit_bench.api import THIRTEEN, EditBatch
from faceedit_bench.train import Recipe, TrainBatch

A = len(THIRTEEN)
TINY = {"width": 4, "layers": 3, "critic_width": 4, "critic_layers": 3, "critic_fc": 8, "size": 16}
STAGES = {
    "attgan": (attgan_stage, attgan.Options),
    "stgan": (stgan_stage, stgan.Options),
    "lstunet": (lstunet_stage, lstunet.Options),
}


def stage(name: str, **changes) -> Recipe:
    build, options = STAGES[name]
    torch.manual_seed(0)
    levels = {} if name == "attgan" else {"skip": 2, "inject": 2}
    recipe = build(options(**{**TINY, **levels, **changes}))
    for network in recipe.networks.values():
        network.train()
    return recipe


def batch_of(recipe: Recipe, count: int = 4, side: int = 16) -> TrainBatch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, side, side, generator=generator) * 2 - 1
    labels = (torch.rand(count, A, generator=generator) < 0.3).float()
    return TrainBatch(images, labels, labels.roll(1, 0), generator, 1)


def told(recipe: Recipe, batch: TrainBatch, phase: int) -> torch.Tensor:
    """What the editor is fed in a phase."""
    conditions = []
    editor = recipe.networks["editor"]
    handle = editor.register_forward_hook(lambda network, given, made: conditions.append(given[1]))
    recipe.phases[phase].loss(recipe.networks, batch)
    handle.remove()
    (condition,) = conditions
    return condition


def test_attgan_is_told_every_target_label_and_its_own_for_a_reconstruction():
    recipe = stage("attgan")
    batch = batch_of(recipe)
    wanted, own = batch.target - 0.5, batch.source - 0.5  # ±0.5
    assert torch.equal(told(recipe, batch, 0), wanted)
    assert torch.equal(told(recipe, batch, 1), torch.cat([wanted, own]))


def test_attgan_of_the_second_release_is_told_plus_and_minus_one():
    recipe = stage("attgan", scale=1.0)
    batch = batch_of(recipe)
    assert torch.equal(told(recipe, batch, 0), 2 * batch.target - 1)


@pytest.mark.parametrize("name", ["stgan", "lstunet"])
def test_stgan_and_lstunet_are_told_differences_and_zero_for_a_reconstruction(name):
    recipe = stage(name)
    batch = batch_of(recipe)
    assert torch.equal(told(recipe, batch, 0), batch.change)
    assert torch.equal(told(recipe, batch, 1), torch.cat([batch.change, torch.zeros_like(batch.change)]))


@pytest.mark.parametrize("name", STAGES)
def test_each_phase_moves_its_own_network_and_no_other(name):
    recipe = stage(name)
    wanted = ({"wasserstein", "penalty", "attributes"}, {"adversarial", "attributes", "reconstruction"})
    for phase, names in zip(recipe.phases, wanted, strict=True):
        for owner, network in recipe.networks.items():
            network.requires_grad_(owner == phase.network)
            network.zero_grad()
        terms = phase.loss(recipe.networks, batch_of(recipe))
        sum(terms.values()).backward()
        assert set(terms) == names
        for owner, network in recipe.networks.items():
            moved = [parameter.grad is not None for parameter in network.parameters()]
            assert all(moved) if owner == phase.network else not any(moved)


@pytest.mark.parametrize("name", STAGES)
def test_batch_norm_runs_in_training_mode_in_every_forward_pass(name):
    """STGAN: "Batch norm in train mode in every training forward", critic steps included."""
    recipe = stage(name)
    norm = recipe.networks["editor"].enc[0].bn
    for phase in recipe.phases:
        before = norm.running_mean.clone()
        phase.loss(recipe.networks, batch_of(recipe))
        assert not torch.equal(before, norm.running_mean)


def test_the_objective_has_the_weights_and_means_of_the_sheets():
    """AttGAN, section 3: D 1, GP 10, λ3 = 1; G 1, λ2 = 10, λ1 = 100; means over every element."""
    logits = torch.zeros(8, A)
    scores = torch.arange(8.0)

    def critic(images):
        return images.flatten(1).sum(1) * 0 + scores[: len(images)], logits[: len(images)]

    options = attgan.Options()
    recipe = stage("attgan")
    batch = batch_of(recipe)
    real = torch.zeros(4, 3, 16, 16)
    terms = critic_terms(critic, real, real + 1, batch, options)
    assert terms["wasserstein"] == 4.0  # mean(4..7) − mean(0..3)
    assert terms["penalty"] == 10.0  # a flat critic has slope 0: 10 · (0 − 1)²
    assert terms["attributes"].item() == pytest.approx(0.693147, rel=1e-5)
    terms = editor_terms(critic, real, real + 0.25, real, batch, options)
    assert terms["adversarial"] == -1.5
    assert terms["attributes"].item() == pytest.approx(6.93147, rel=1e-5)
    assert terms["reconstruction"] == 25.0


# ---- presets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "preset", "lr", "betas", "steps", "batch", "rate"),
    [
        (attgan, "paper", 2e-4, (0.5, 0.999), 947_000, 32, ("tenth", 0.5)),
        (attgan, "v2", 2e-4, (0.5, 0.999), 284_000, 32, ("linear", 0.5)),
        (stgan, "paper", 2e-4, (0.5, 0.999), 947_000, 32, ("tenth", 0.5)),
        (lstunet, "paper", 2e-4, (0.5, 0.99), 947_000, 32, ("tenth", 0.5)),
        (lstunet, "release", 3e-4, (0.5, 0.999), 947_000, 32, ("tenth", 0.5)),
        (lstunet, "256", 3e-4, (0.5, 0.999), 758_000, 40, ("tenth", 0.5)),
    ],
)
def test_presets_carry_rates_schedule_and_batch(method, preset, lr, betas, steps, batch, rate):
    """947 editor updates an epoch, 200 epochs, five critic updates for each; a tenth from epoch 100."""
    (spec,) = method.faceedit_methods()
    with torch.device("meta"):
        (recipe,) = spec.recipes(spec.presets[preset].options)
    critic, editor = recipe.phases
    assert (critic.lr, critic.betas, critic.every) == (lr, betas, 1)
    assert (editor.lr, editor.betas, editor.every, editor.fresh) == (lr, betas, 5, True)
    assert (recipe.steps, recipe.batch_size) == (steps, batch)
    assert (recipe.rate.kind, recipe.rate.start) == rate


@pytest.mark.parametrize("method", [attgan, stgan, lstunet])
def test_every_preset_builds_its_networks(method):
    (spec,) = method.faceedit_methods()
    for name, preset in spec.presets.items():
        with torch.device("meta"):
            (recipe,) = spec.recipes(preset.options)
        assert recipe.exported == ("editor",), name


# ---- editing --------------------------------------------------------------------------------------


class Context:
    device = "cpu"

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        return network.eval().requires_grad_(False)


@torch.inference_mode()
@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 33), (1, 1), (40, 24)])
def test_pictures_of_any_size_keep_it(height, width):
    editor = attgan.load(attgan.Options(**TINY), Context())
    labels = torch.zeros(2, A)
    images = torch.rand(2, 3, height, width) * 2 - 1
    batch = EditBatch(
        images, labels, labels, labels.bool(), torch.ones(2), torch.zeros(2, dtype=torch.int64), THIRTEEN
    )
    assert editor.edit(batch).shape == images.shape


@torch.inference_mode()
def test_what_is_padded_does_not_move_the_picture():
    """Padding is at the right and bottom: the first rows and columns see the same neighbourhood."""
    network = attgan_generator(attgan.Options(**TINY)).eval()
    options = attgan.Options(**TINY)
    editor = attgan.load(options, Context())
    editor.network = network
    labels = torch.zeros(1, A)
    whole = torch.rand(1, 3, 64, 64) * 2 - 1
    cropped = whole[:, :, :60, :60]

    def edit(images):
        one = torch.zeros(1, dtype=torch.int64)
        return editor.edit(EditBatch(images, labels, labels, labels.bool(), torch.ones(1), one, THIRTEEN))

    near, far = edit(whole)[:, :, :8, :8], edit(cropped)[:, :, :8, :8]
    torch.testing.assert_close(near, far, atol=1e-5, rtol=0)  # 60 pixels away is beyond three layers' view
