"""StarGAN: labels as planes, losses summed over attributes, hair colours set. Quotes are from its sheet."""

from __future__ import annotations

import pytest
import torch
from faceedit_plugins import stargan
from faceedit_plugins.stargan.editor import StarGAN, set_colours
from faceedit_plugins.stargan.losses import attribute_loss
from faceedit_plugins.stargan.model import Critic, Generator

from faceedit_bench.api import THIRTEEN, EditBatch
from faceedit_bench.train import Recipe, TrainBatch

TINY = stargan.Options(width=4, blocks=1, critic_width=4, critic_layers=3, size=16)
A = len(TINY.attributes)


def stage(options: stargan.Options = TINY) -> Recipe:
    torch.manual_seed(0)
    (recipe,) = stargan.recipes(options)
    return recipe


def batch_of(count: int = 4) -> TrainBatch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, 16, 16, generator=generator) * 2 - 1
    source = (torch.rand(count, A, generator=generator) < 0.5).float()
    return TrainBatch(images, source, source.roll(1, 0), generator, 1)


def edit_of(source: dict[str, int], edited: str, strength: float = 1.0) -> EditBatch:
    names = TINY.attributes
    labels = torch.tensor([[float(source.get(name, 0)) for name in names]])
    asked = torch.tensor([[name == edited for name in names]])
    target = torch.where(asked, 1 - labels, labels)
    seeds = torch.zeros(1, dtype=torch.int64)
    return EditBatch(torch.zeros(1, 3, 16, 16), labels, target, asked, torch.tensor([strength]), seeds, names)


def test_classification_is_summed_over_attributes_and_averaged_over_the_batch():
    """ "BCE-with-logits …, summed over attributes, averaged over batch"."""
    logits, labels = torch.zeros(3, A), torch.ones(3, A)
    assert attribute_loss(logits, labels).item() == pytest.approx(A * 0.693147, rel=1e-5)


def test_the_editor_is_told_labels_and_comes_back_with_the_source_labels():
    """ "G cycle | mean L1 between x and G(G(x,b), a)"."""
    recipe, batch = stage(), batch_of()
    seen = []
    recipe.networks["editor"].register_forward_hook(lambda network, given, made: seen.append((given, made)))
    terms = recipe.phases[1].loss(recipe.networks, batch)
    (there, fake), (back, again) = seen
    assert torch.equal(there[1], batch.target) and torch.equal(back[1], batch.source)
    assert torch.equal(back[0], fake)
    torch.testing.assert_close(terms["cycle"], 10 * (again - batch.images).abs().mean())


def test_scores_are_a_map_whose_mean_is_over_batch_and_patches():
    critic = Critic(stargan.Options(width=4, critic_width=4, critic_layers=3, size=32))
    scores, logits = critic(torch.zeros(2, 3, 32, 32))
    assert scores.shape == (2, 4, 4) and logits.shape == (2, A)


def test_the_editor_learns_from_the_batch_of_the_critic_step_before_it():
    """ "G updated every 5th iteration …, on the same batch as that D update"."""
    (recipe,) = stargan.recipes(TINY)
    critic, editor = recipe.phases
    assert (critic.fresh, editor.fresh, editor.every) == (True, False, 5)


def test_presets_carry_the_schedule():
    """ "Adam, lr 1e-4, betas (0.5, 0.999)", batch 16, 200 000 iterations, linear to 0 over the last half."""
    (spec,) = stargan.faceedit_methods()
    for preset, kind in (("paper", "linear"), ("release", "release")):
        with torch.device("meta"):
            (recipe,) = spec.recipes(spec.presets[preset].options)
        critic, editor = recipe.phases
        assert (critic.lr, critic.betas) == (editor.lr, editor.betas) == (1e-4, (0.5, 0.999))
        assert (recipe.steps, recipe.batch_size) == (200_000, 16)
        assert (recipe.rate.kind, recipe.rate.start) == (kind, 0.5)


def test_the_released_code_hardly_lowers_the_rate():
    """ "the rate falls by just 0.1 % overall"."""
    (recipe,) = stargan.recipes(stargan.Options(width=4, critic_width=4, decay="release"))
    assert recipe.rate.factor(200_000, 200_000) == pytest.approx(0.999, abs=1e-5)


def test_each_phase_moves_its_own_network_and_no_other():
    recipe = stage()
    for phase in recipe.phases:
        for owner, network in recipe.networks.items():
            network.requires_grad_(owner == phase.network)
            network.zero_grad()
        sum(phase.loss(recipe.networks, batch_of()).values()).backward()
        for owner, network in recipe.networks.items():
            moved = [parameter.grad is not None for parameter in network.parameters()]
            assert all(moved) if owner == phase.network else not any(moved)


# ---- editing --------------------------------------------------------------------------------------


def test_label_planes_follow_the_colours():
    """ "concatenated after the RGB channels: [R, G, B, c_0 … c_{c-1}]", values {0, 1}."""
    generator = Generator(TINY).eval()
    seen = []
    generator.down[0].conv.register_forward_hook(lambda network, given, made: seen.append(given[0]))
    labels = torch.tensor([[0.0, 1.0, 0.0, 1.0, 1.0]])
    images = torch.rand(1, 3, 16, 16)
    generator(images, labels)
    assert torch.equal(seen[0][:, :3], images)
    assert torch.equal(seen[0][0, 3:].amin((1, 2)), labels[0])
    assert torch.equal(seen[0][0, 3:].amax((1, 2)), labels[0])


@torch.inference_mode()
def test_a_picture_does_not_depend_on_its_company():
    """ "batch size never matters: all norms are per-instance"; nor do training and inference mode differ."""
    torch.manual_seed(0)
    generator = Generator(TINY)
    images, labels = torch.rand(3, 3, 16, 16), torch.rand(3, A).round()
    together = generator.train()(images, labels)
    alone = torch.cat([generator.eval()(images[i : i + 1], labels[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)  # float32, other batch size


def test_a_zero_padded_border_lets_labels_through():
    """ "Keep zero padding": without a border, instance norm would remove a constant plane."""
    torch.manual_seed(0)
    generator = Generator(TINY)
    images = torch.zeros(1, 3, 16, 16)
    on, off = (generator(images, torch.full((1, A), value)) for value in (1.0, 0.0))
    assert not torch.allclose(on, off)


def test_the_released_rule_sets_a_hair_colour_even_if_it_was_set_before():
    """ "sets it to 1 and all other colours to 0, even if it was already 1"."""
    names = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
    target = torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 1.0, 0.0, 1.0]])
    edited = torch.tensor([[True, False, False, False, False], [False, False, True, False, False]])
    assert set_colours(target, edited, names).tolist() == [[1, 0, 0, 1, 1], [0, 0, 1, 0, 1]]


def test_under_the_suite_s_rule_a_colour_is_reversed():
    editor = StarGAN(Generator(TINY), TINY)
    assert editor.labels(edit_of({"Black_Hair": 1}, "Black_Hair"))[0].tolist() == [0, 0, 0, 0, 0]
    released = StarGAN(Generator(TINY), stargan.Options(label_rule="stargan"))
    assert released.labels(edit_of({"Black_Hair": 1}, "Black_Hair"))[0].tolist() == [1, 0, 0, 0, 0]


def test_the_other_attributes_are_flipped_under_both_rules():
    for rule in ("suite", "stargan"):
        editor = StarGAN(Generator(TINY), stargan.Options(label_rule=rule))
        assert editor.labels(edit_of({"Male": 1, "Blond_Hair": 1}, "Male"))[0].tolist() == [0, 1, 0, 0, 0]


def test_the_thirteen_of_the_other_methods_are_a_preset():
    (spec,) = stargan.faceedit_methods()
    assert spec.attributes_for(spec.presets["celeba13"].options) == THIRTEEN
    assert spec.attributes_for(spec.presets["paper"].options) == stargan.FIVE
