"""SaGAN: a painter and an attention mask per attribute. Quotes are from its sheet and its paper's tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from faceedit_plugins import sagan
from faceedit_plugins.sagan.editor import SaGAN
from faceedit_plugins.sagan.layouts import as_convolution
from faceedit_plugins.sagan.losses import critic_step, generator_step, stage
from faceedit_plugins.sagan.model import Critic, Generator
from official import sagan as official_sagan
from official import variables
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.api import THIRTEEN, BadConfig, EditBatch, WrongWeights
from faceedit_bench.data.images import read_image
from faceedit_bench.edit import Request, edit_photos
from faceedit_bench.errors import UnknownName
from faceedit_bench.importing import import_weights
from faceedit_bench.train import Recipe, Settings, TrainBatch, TrainingConfig, TrainingFaces, train
from faceedit_bench.train.export import write_weights
from faceedit_bench.train.method import train_method
from faceedit_bench.weights import Description, load_method

TWO = ("Eyeglasses", "No_Beard")
TINY = sagan.Options(attributes=TWO, size=16, width=2, blocks=1, critic_width=4, batch_size=4)


# ---- sizes ----------------------------------------------------------------------------------------


def built(**changes) -> tuple[Generator, Critic]:
    options = sagan.Options(**changes)
    with torch.device("meta"):
        return Generator(options).eval(), Critic(options).eval()


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def gflops(network: nn.Module, *inputs: Tensor) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    return counter.get_total_flops() / 1e9


@pytest.mark.parametrize(
    ("changes", "amn", "san", "critic", "cost"),
    [
        ({}, 6_108_579, 6_103_873, 11_190_754, ("4.39", "4.23", "0.35")),
        ({"res_norm": "bn"}, 6_112_675, 6_107_969, 11_190_754, ("4.39", "4.23", "0.35")),
        (
            {"size": 64, "width": 16, "blocks": 2, "critic_width": 16},
            *(940_243, 937_889, 700_914),
            ("0.22", "0.20", "0.018"),
        ),
        (
            {"size": 64, "width": 8, "blocks": 2, "critic_width": 8},
            *(236_651, 235_473, 176_378),
            ("0.067", "0.057", "0.005"),
        ),
        (
            {"size": 32, "width": 8, "blocks": 1, "critic_width": 8},
            *(162_795, 161_617, 44_346),
            ("0.014", "0.012", "0.001"),
        ),
    ],
    ids=["full", "batch norm", "small", "tiny", "micro"],
)
def test_the_networks_have_the_sizes_of_the_sheet(changes, amn, san, critic, cost):
    """Sections 3 and 12: parameters, and GFLOP per picture as printed."""
    generator, judge = built(**changes)
    assert (parameters(generator.amn), parameters(generator.san), parameters(judge)) == (amn, san, critic)
    side = sagan.Options(**changes).size
    picture, with_plane = (torch.empty(1, channels, side, side, device="meta") for channels in (3, 4))
    found = (gflops(generator.amn, with_plane), gflops(generator.san, picture), gflops(judge, picture))
    for wanted, number in zip(cost, found, strict=True):
        assert f"{number:.{len(wanted) - 2}f}" == wanted


def test_the_demo_fits_into_eight_megabytes():
    (spec,) = sagan.faceedit_methods()
    generator, _ = built(**{key: getattr(sagan.DEMO, key) for key in ("size", "width", "blocks")})
    assert spec.presets["demo"].options.attributes == THIRTEEN
    assert 4 * 13 * parameters(generator) < 7_500_000


@pytest.mark.parametrize("count", [1, 2])
def test_the_critic_ends_with_a_map_of_two_by_two_and_one_logit(count):
    """ "D output shapes at H=128: src (B,1,2,2), cls (B,1), also for B = 1"."""
    _, critic = built()
    scores, logits = critic(torch.empty(count, 3, 128, 128, device="meta"))
    assert scores.shape == (count, 1, 2, 2) and logits.shape == (count, 1)


def test_weights_start_from_a_narrow_normal_and_biases_at_zero():
    """ "Initial weight std within 2 % of 0.02 for every conv with more than 10,000 weights; biases 0"."""
    torch.manual_seed(0)
    options = sagan.Options(width=16, blocks=1, critic_width=16, size=64)
    seen = 0
    for network in (Generator(options), Critic(options)):
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                assert not layer.bias.any()
                if layer.weight.numel() > 10_000:
                    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.02)
                    seen += 1
    assert seen > 10


# ---- the formula ----------------------------------------------------------------------------------


def generator_of(mask_logit: float | None = None, options: sagan.Options = TINY) -> Generator:
    """`mask_logit`: what SAN's last layer gives everywhere."""
    torch.manual_seed(0)
    generator = Generator(options).eval()
    if mask_logit is not None:
        nn.init.zeros_(generator.san.last.weight)
        nn.init.constant_(generator.san.last.bias, mask_logit)
    return generator


def pictures(count: int = 2, side: int = 16, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@torch.inference_mode()
def test_no_attention_leaves_the_picture_and_full_attention_gives_the_painted_one():
    """ "b ≡ 0 ⇒ I^ = I exactly; b ≡ 1 ⇒ I^ = I_a exactly"."""
    images, target = pictures(), torch.ones(2, 1)
    closed, opened = generator_of(-200.0)(images, target), generator_of(200.0)(images, target)
    assert torch.equal(closed.mask, torch.zeros(2, 1, 16, 16)) and torch.equal(closed.image, images)
    assert torch.equal(opened.mask, torch.ones(2, 1, 16, 16)) and torch.equal(opened.image, opened.raw)


@torch.inference_mode()
def test_half_attention_is_the_mean():
    """ "With zero weights in SAN's L12, b = 0.5 everywhere"."""
    images = pictures()
    edit = generator_of(0.0)(images, torch.ones(2, 1))
    assert torch.equal(edit.mask, torch.full((2, 1, 16, 16), 0.5))
    torch.testing.assert_close(edit.image, (edit.raw + images) / 2)


@torch.inference_mode()
def test_the_mask_does_not_know_what_is_asked_but_the_painter_does():
    """ "mask(I, 0) == mask(I, 1) bit for bit"."""
    generator, images = generator_of(), pictures()
    off, on = (generator(images, torch.full((2, 1), value)) for value in (0.0, 1.0))
    assert torch.equal(off.mask, on.mask) and not torch.allclose(off.raw, on.raw)
    again = generator(images, torch.ones(2, 1), off.mask)
    assert torch.equal(again.image, on.image)


@torch.inference_mode()
def test_the_value_asked_for_is_a_plane_behind_the_colours():
    """ "AMN's input has 4 channels, order R, G, B, c"."""
    generator, images, seen = generator_of(), pictures(), []
    generator.amn.register_forward_hook(lambda network, given, made: seen.append(given[0]))
    generator(images, torch.tensor([[0.0], [1.0]]))
    assert torch.equal(seen[0][:, :3], images)
    assert torch.equal(seen[0][:, 3], torch.stack([torch.zeros(16, 16), torch.ones(16, 16)]))


# ---- training -------------------------------------------------------------------------------------


def stage_of(attribute: str = "No_Beard", options: sagan.Options = TINY) -> Recipe:
    torch.manual_seed(0)
    return stage(attribute, options)


def batch_of(count: int = 4) -> TrainBatch:
    generator = torch.Generator().manual_seed(1)
    source = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])[:count]
    return TrainBatch(pictures(count), source, 1 - source, generator, 1)


def test_every_attribute_has_a_stage_and_networks_of_its_own():
    first, second = sagan.recipes(TINY)
    assert (first.name, second.name) == TWO
    assert (first.exported, second.exported) == (("Eyeglasses",), ("No_Beard",))
    assert not set(map(id, first.networks.values())) & set(map(id, second.networks.values()))


def test_training_always_asks_for_the_opposite():
    """ "c = 1 − c_g for every sample"."""
    labels = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert torch.equal(stage_of().targets(labels, torch.Generator()), 1 - labels)


def test_three_critic_steps_and_one_generator_step_take_four_batches():
    """ "One schedule cycle makes 3 D steps and 1 G step and consumes 4 batches"."""
    critic, generator = stage_of().phases
    due = [phase.name for step in (1, 2, 3) for phase in (critic, generator) if phase.is_due(step)]
    assert due == ["critic", "critic", "critic", "generator"]
    assert critic.fresh and generator.fresh


def test_the_paper_s_preset_carries_rates_length_and_weights():
    (spec,) = sagan.faceedit_methods()
    options = spec.presets["paper"].options
    assert options == sagan.Options()
    assert (options.penalty, options.attributes_weight, options.dual, options.identity) == (10, 1, 20, 100)
    with torch.device("meta"):
        recipes = spec.recipes(options)
    assert [recipe.name for recipe in recipes] == [
        "Eyeglasses",
        "Mouth_Slightly_Open",
        "Smiling",
        "No_Beard",
    ]
    for recipe in recipes:
        critic, generator = recipe.phases
        assert (critic.lr, critic.betas) == (generator.lr, generator.betas) == (2e-4, (0.5, 0.999))
        assert (recipe.steps, recipe.batch_size, recipe.rate.kind) == (62_500, 16, "none")
        assert recipe.steps * recipe.batch_size == 1_000_000  # "1,000,000 images shown to D"


def test_the_critic_minimises_the_sheet_s_sum():
    """−E[D(I)] + E[D(I^)] + 10·E[(‖∇D(Ĩ)‖ − 1)²] + BCE(D_cls(I), c_g)."""
    recipe, batch = stage_of(), batch_of()
    terms = critic_step(recipe.networks, batch, "No_Beard", TINY)
    own = batch.source[:, 1:]  # the second attribute of two
    with torch.no_grad():
        fake = recipe.networks["No_Beard"](batch.images, 1 - own).image
        (real_map, logits), (fake_map, _) = (
            recipe.networks["critic"](batch.images),
            recipe.networks["critic"](fake),
        )
    torch.testing.assert_close(terms["wasserstein"], fake_map.mean() - real_map.mean())
    probability = torch.sigmoid(logits)
    wanted = -(own * probability.log() + (1 - own) * (1 - probability).log()).mean()
    torch.testing.assert_close(terms["attribute"], wanted)

    weight = torch.rand(4, 1, 1, 1, generator=torch.Generator().manual_seed(1))
    between = ((1 - weight) * batch.images + weight * fake).requires_grad_()
    (slope,) = torch.autograd.grad(recipe.networks["critic"](between)[0].sum(), between)
    wanted = 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(terms["penalty"], wanted)


def test_the_generator_minimises_the_sheet_s_sum():
    """−E[D(I^)] + BCE(D_cls(I^), c) + 20·E|I − G(G(I, c), c_g)| + 100·E|I − G(I, c_g)|."""
    recipe, batch = stage_of(), batch_of()
    terms = generator_step(recipe.networks, batch, "No_Beard", TINY)
    generator, own = recipe.networks["No_Beard"], batch.source[:, 1:]
    with torch.no_grad():
        edited = generator(batch.images, 1 - own).image
        back, same = generator(edited, own).image, generator(batch.images, own).image
        scores, logits = recipe.networks["critic"](edited)
    torch.testing.assert_close(terms["adversarial"], -scores.mean())
    torch.testing.assert_close(terms["attribute"], F.binary_cross_entropy(torch.sigmoid(logits), 1 - own))
    torch.testing.assert_close(terms["dual"], 20 * (batch.images - back).abs().mean())
    torch.testing.assert_close(terms["identity"], 100 * (batch.images - same).abs().mean())


def test_each_phase_moves_its_own_network_and_no_other():
    recipe = stage_of()
    for phase in recipe.phases:
        for owner, network in recipe.networks.items():
            network.requires_grad_(owner == phase.network)
            network.zero_grad()
        sum(phase.loss(recipe.networks, batch_of()).values()).backward()
        for owner, network in recipe.networks.items():
            moved = [value.grad is not None for value in network.parameters()]
            assert all(moved) if owner == phase.network else not any(moved)


def test_the_critic_s_attribute_loss_looks_at_real_pictures_only():
    """ "D's cls loss on fakes contributes nothing to D's update"."""
    recipe, batch = stage_of(), batch_of()
    before = critic_step(recipe.networks, batch, "No_Beard", TINY)["attribute"]
    with torch.no_grad():
        for value in recipe.networks["No_Beard"].parameters():
            value.add_(1.0)  # other edits
    assert torch.equal(before, critic_step(recipe.networks, batch, "No_Beard", TINY)["attribute"])


def faces_with_a_mark(count: int = 32, side: int = 16) -> TrainingFaces:
    """Grey noise; who has Eyeglasses has a white bar over rows 4 to 7."""
    random = np.random.default_rng(0)
    images = random.integers(90, 130, (count, 3, side, side), dtype=np.uint8)
    labels = np.stack([np.arange(count) % 2, random.integers(0, 2, count)], axis=1).astype(np.uint8)
    images[labels[:, 0] == 1, :, 4:8, 2:14] = 250
    return TrainingFaces(images, labels, TWO, "marks")


def test_a_short_training_learns_to_paint_where_the_attribute_is(tmp_path):
    """ "mean |I^ − I| outside … is below the mean inside it by a factor ≥ 3": 27 where this was written.

    Under the paper's weights the mask stays shut for longer than a test may take: reconstruction counts less.
    """
    options = replace(TINY, width=8, critic_width=8, lr=3e-3, identity=20.0, dual=5.0)
    recipe, faces = stage_of("Eyeglasses", options), faces_with_a_mark()
    settings = Settings(steps=150, batch_size=8, ema=0.9, sample_every=0, threads=1)
    result = train(recipe, faces, settings, tmp_path)
    generator = Generator(options).eval()
    generator.load_state_dict(result.averages["Eyeglasses"])
    images = torch.from_numpy(faces.images).float() / 127.5 - 1
    own = torch.from_numpy(faces.labels[:, :1]).float()
    with torch.inference_mode():
        edit = generator(images, 1 - own)
    change = (edit.image - images).abs().mean(dim=(0, 1))  # (16, 16)
    inside = torch.zeros(16, 16, dtype=torch.bool)
    inside[4:8, 2:14] = True
    assert change[inside].mean() > 0.1
    assert change[inside].mean() > 3 * change[~inside].mean()


def test_one_stage_is_trained_alone_and_the_file_grows_with_each(tmp_path):
    options = {"size": 16, "width": 2, "critic_width": 4, "attributes": list(TWO), "balanced": False}
    chosen = TrainingConfig(
        "sagan", "demo", options, count=4, size=16, steps=3, batch_size=2, sample_every=0, save_every=3
    )
    last = train_method(chosen, tmp_path, stage="No_Beard")
    assert {key.split(".")[0] for key in keys(last.weights)} == {"No_Beard"}
    first = train_method(chosen, tmp_path, stage="Eyeglasses")
    assert {".".join(key.split(".")[:2]) for key in keys(first.weights)} == {
        f"{name}.{half}" for name in TWO for half in ("amn", "san")
    }
    assert set(load_method("sagan", weights=first.weights).models) == set(TWO)


def keys(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return list(file.keys())


# ---- editing --------------------------------------------------------------------------------------


def editor_of(options: sagan.Options = TINY, scale: float = 5.0) -> SaGAN:
    torch.manual_seed(0)
    models = nn.ModuleDict({name: Generator(options) for name in options.attributes}).eval()
    with torch.no_grad():
        for value in models.parameters():
            value.mul_(scale)  # so that an untrained network changes something
    return SaGAN(models, options)


def asked(images: Tensor, *names: str, value: float = 1.0, strength: float = 1.0) -> EditBatch:
    count = len(images)
    edited = torch.tensor([[name in names for name in TWO]]).expand(count, -1)
    source = torch.where(edited, 1 - value, 0.0)
    target = torch.where(edited, value, 0.0)
    seeds = torch.zeros(count, dtype=torch.int64)
    return EditBatch(images, source, target, edited, torch.full((count,), strength), seeds, TWO)


@torch.inference_mode()
def test_several_attributes_are_edited_one_after_the_other():
    editor, images = editor_of(), pictures()
    first = editor.edit(asked(images, "Eyeglasses"))
    both = editor.edit(asked(images, "Eyeglasses", "No_Beard"))
    assert torch.equal(both, editor.edit(asked(first, "No_Beard")))
    assert not torch.equal(both, first)


@torch.inference_mode()
def test_at_its_own_size_an_edit_is_the_generator_s_picture():
    editor, images = editor_of(), pictures()
    wanted = editor.models["No_Beard"](images, torch.zeros(2, 1)).image
    assert torch.equal(editor.edit(asked(images, "No_Beard", value=0.0)), wanted)


@torch.inference_mode()
def test_rows_are_edited_by_the_models_that_are_asked_of_them():
    editor, images = editor_of(), pictures()
    batch = replace(asked(images, *TWO), edited=torch.tensor([[True, False], [False, False]]))
    result = editor.edit(batch)
    alone = editor.edit(asked(images[:1], "Eyeglasses"))
    torch.testing.assert_close(result[:1], alone, atol=1e-6, rtol=0)
    assert torch.equal(result[1:], images[1:])  # nothing asked, nothing changed


@torch.inference_mode()
def test_strength_scales_the_mask():
    """ "an optional strength s may be offered as I + s·b·(I_a − I)"."""
    editor, images = editor_of(), pictures()
    model = editor.models["Eyeglasses"](images, torch.ones(2, 1))
    half = editor.edit(asked(images, "Eyeglasses", strength=0.5))
    torch.testing.assert_close(half, images + 0.5 * model.mask * (model.raw - images))
    assert torch.equal(editor.edit(asked(images, "Eyeglasses", strength=0.0)), images)
    assert editor.edit(asked(images, "Eyeglasses", strength=9.0)).abs().max() <= 1


@torch.inference_mode()
@pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 40), (33, 17), (64, 48)])
def test_pictures_of_any_size_keep_it_and_so_does_the_mask(height, width):
    images = torch.rand(1, 3, height, width) * 2 - 1
    editor, batch = editor_of(), asked(images, "Eyeglasses")
    assert editor.edit(batch).shape == images.shape
    assert editor.explain(batch)["attention-Eyeglasses"].shape == (1, 1, height, width)


@torch.inference_mode()
def test_what_the_mask_leaves_alone_keeps_every_detail_of_a_large_picture():
    editor, images = editor_of(), pictures(1, side=100)
    nn.init.zeros_(editor.models["Eyeglasses"].san.last.weight)
    nn.init.constant_(editor.models["Eyeglasses"].san.last.bias, -200.0)
    assert torch.equal(editor.edit(asked(images, "Eyeglasses")), images)


@torch.inference_mode()
def test_it_explains_by_the_mask_of_every_attribute_asked():
    editor, images = editor_of(), pictures()
    assert editor.explain(asked(images)) == {}
    shows = editor.explain(asked(images, *TWO))
    assert list(shows) == ["attention-Eyeglasses", "attention-No_Beard"]
    assert torch.equal(shows["attention-Eyeglasses"], editor.models["Eyeglasses"].san(images).sigmoid())
    after = editor.edit(asked(images, "Eyeglasses"))  # the second model sees what the first one made
    assert torch.equal(shows["attention-No_Beard"], editor.models["No_Beard"].san(after).sigmoid())


# ---- files and refusals ---------------------------------------------------------------------------


def weights_of(path: Path, *names: str, options: sagan.Options = TINY) -> Path:
    """A file with models of `names` that says it was made with `options`."""
    from faceedit_bench.manifest import plain

    editor = editor_of(options)
    states = {name: editor.models[name].state_dict() for name in names}
    write_weights(path, states, Description("sagan", "demo", plain(options)))
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)).save(
        tmp_path / "me.png"
    )
    return tmp_path / "me.png"


def test_photos_are_edited_and_their_masks_written_beside_them(photo, tmp_path):
    path = weights_of(tmp_path / "two.safetensors", *TWO)
    request = Request({"Eyeglasses": 1, "No_Beard": 0})
    written = edit_photos(
        [photo], method="sagan", weights=path, request=request, out=tmp_path / "out", explain=True
    )
    assert [file.name for file in written] == [
        "me-edited.png",
        "me-attention-Eyeglasses.png",
        "me-attention-No_Beard.png",
        "sheet.png",
    ]
    mask = read_image(written[1])
    assert mask.shape == (3, 24, 20) and np.array_equal(mask[0], mask[1])


def test_an_attribute_without_a_model_is_refused_with_those_that_have_one(photo, tmp_path):
    path = weights_of(tmp_path / "two.safetensors", *TWO)
    with pytest.raises(UnknownName, match="unknown attribute for sagan 'Young'; known: Eyeglasses, No_Beard"):
        edit_photos([photo], method="sagan", weights=path, request=Request({"Young": 0}), out=tmp_path)


def test_a_file_of_fewer_models_says_which_it_has(tmp_path):
    path = weights_of(tmp_path / "one.safetensors", "No_Beard")
    with pytest.raises(
        WrongWeights, match=r'models of No_Beard, none of Eyeglasses.*attributes=\["No_Beard"\]'
    ):
        load_method("sagan", weights=path)
    assert set(load_method("sagan", weights=path, options={"attributes": ["No_Beard"]}).models) == {
        "No_Beard"
    }


def test_a_file_of_more_models_gives_those_wanted(tmp_path):
    path = weights_of(tmp_path / "two.safetensors", *TWO)
    editor = load_method("sagan", weights=path, options={"attributes": ["No_Beard"]})
    assert list(editor.models) == ["No_Beard"]


def test_a_file_that_holds_no_model_is_refused(tmp_path):
    write_weights(tmp_path / "other.safetensors", {"editor": {"x": torch.zeros(1)}})
    with pytest.raises(WrongWeights, match="does not fit"):
        load_method("sagan", weights=tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"size": 96}, "power of two"),
        ({"size": 8}, "power of two of at least 16"),
        ({"attributes": ()}, "at least one name"),
        ({"attributes": ("Male", "Male")}, "each once"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong, what):
    with pytest.raises(BadConfig, match=what):
        replace(TINY, **wrong)


# ---- the third party's checkpoints ----------------------------------------------------------------


def third_party_state(width: int = 2, blocks: int = 2) -> dict[str, Tensor]:
    return variables.drawn(official_sagan.generator_shapes(width=width, blocks=blocks), 3)


def test_the_third_party_s_files_have_144_entries():
    """Section 9: "G has 144 entries", of four residual blocks."""
    assert len(third_party_state(blocks=4)) == 144


def test_an_imported_checkpoint_computes_what_the_third_party_s_program_does(tmp_path):
    """ "max abs difference ≤ 1e-5 on image and mask", eval mode, H = 128."""
    state = third_party_state()
    torch.save(state, tmp_path / "1000000.G.pth")
    out = tmp_path / "eyeglasses.safetensors"
    report = import_weights("sagan", tmp_path / "1000000.G.pth", out=out, layout="eyeglasses")
    assert report.attributes == ("Eyeglasses",)
    assert (report.options.width, report.options.blocks, report.options.res_norm) == (2, 2, "bn")

    images = pictures(1, side=128)
    ours = load_method("sagan", weights=out).models["Eyeglasses"](images, torch.ones(1, 1))
    image, mask = official_sagan.sagan(state, images, torch.ones(1, 1))
    assert mask.std() > 0.01  # a comparison of something
    torch.testing.assert_close(ours.mask, mask, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.image, image, atol=1e-5, rtol=0)


def test_a_transposed_last_layer_becomes_a_plain_one():
    """ "max abs difference ≤ 1e-5 on unit-normal input", at full width."""
    torch.manual_seed(0)
    kernel, x = 0.02 * torch.randn(32, 3, 7, 7), torch.randn(1, 32, 32, 32)
    plain = as_convolution("AMN.deconv.9.weight", kernel)
    wanted = F.conv_transpose2d(x, kernel, padding=3)
    torch.testing.assert_close(F.conv2d(x, plain, padding=3), wanted, atol=1e-5, rtol=0)


def test_the_attribute_of_a_checkpoint_has_to_be_named(tmp_path):
    torch.save(third_party_state(), tmp_path / "1000000.G.pth")
    with pytest.raises(WrongWeights, match="give --layout, one of: eyeglasses, mouth_slightly_open"):
        import_weights("sagan", tmp_path / "1000000.G.pth", out=tmp_path / "any.safetensors")


def test_the_discriminator_s_file_is_refused(tmp_path):
    torch.save({"cls.0.weight": torch.zeros(1), "src.weight": torch.zeros(1)}, tmp_path / "1000000.D.pth")
    with pytest.raises(WrongWeights, match=r"a discriminator, which cannot edit; wanted .*1000000\.G\.pth"):
        import_weights(
            "sagan", tmp_path / "1000000.D.pth", out=tmp_path / "any.safetensors", layout="smiling"
        )
