"""SeCGAN: sizes, which tensors are soft, hard and detached, and what editing costs. Quotes: its sheet."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from faceedit_plugins import attgan, secgan, stargan
from faceedit_plugins.secgan.backbones import backbone, both
from faceedit_plugins.secgan.editor import COLOURS
from faceedit_plugins.secgan.losses import as_planes, consistency, disagreement, weights
from faceedit_plugins.secgan.parser import BISENET, BiSeNetParser, UNetParser
from faceedit_plugins.secgan.segments import (
    CELEBA_MASK_HQ,
    NINETEEN,
    SEGMENTS,
    merge,
    merge_matrix,
    resized,
)
from faceedit_plugins.secgan.training import generator, networks, stage, stages
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from faceedit_bench import cost, folders
from faceedit_bench.api import EXPLAINING, THIRTEEN, BadConfig, BadDataset, EditBatch, Pin, WrongWeights
from faceedit_bench.catalog import catalog
from faceedit_bench.data import drawn
from faceedit_bench.data.drawn import REGIONS
from faceedit_bench.data.images import read_image
from faceedit_bench.edit import Request, edit_photos
from faceedit_bench.train import (
    Recipe,
    Settings,
    TrainBatch,
    TrainingConfig,
    TrainingFaces,
    train,
    train_method,
)
from faceedit_bench.train.trainer import Training
from faceedit_bench.weights import beside, check, load_method, pin_of

A, K = len(THIRTEEN), len(SEGMENTS)
STARGAN = secgan.StarGANOptions(
    parser="unet", parser_width=2, width=4, blocks=1, critic_width=4, critic_layers=3, size=16
)
ATTGAN = secgan.AttGANOptions(
    parser="unet", parser_width=2, width=4, layers=3, critic_width=4, critic_layers=3, critic_fc=8, size=16
)
TINY = pytest.mark.parametrize("options", [STARGAN, ATTGAN], ids=["stargan", "attgan"])
BASELINE = {"branch": "none", "lambda_sc": 0.0}
CONCAT = {"branch": "concat", "lambda_sc": 0.0}


class Context:
    """A load context that leaves networks as they are made."""

    device = "cpu"

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        return network.eval().requires_grad_(False)


class Palette(nn.Module):
    """A fixed, differentiable parser: softmax of the negative squared distance to twelve colours."""

    def __init__(self) -> None:
        super().__init__()
        colours = torch.rand(K, 3, generator=torch.Generator().manual_seed(5)) * 2 - 1
        self.register_buffer("colours", colours)
        self.sharpness = nn.Parameter(torch.tensor(8.0))

    def forward(self, images: Tensor) -> Tensor:
        distance = (images[:, None] - self.colours[None, :, :, None, None]).square().sum(2)  # (B, 12, H, W)
        return torch.log_softmax(-self.sharpness * distance, dim=1)


def recipe_of(options: secgan.Options) -> Recipe:
    """The main stage with a fixed parser."""
    torch.manual_seed(0)
    made = stage(options)
    made.networks["parser"] = Palette().requires_grad_(False)
    for name, network in made.networks.items():
        network.train(name != "parser")
    return made


def batch_of(count: int = 4, regions: bool = True) -> TrainBatch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, 16, 16, generator=generator) * 2 - 1
    labels = (torch.rand(count, A, generator=generator) < 0.4).float()
    parts = torch.randint(0, K, (count, 16, 16), generator=generator) if regions else None
    return TrainBatch(images, labels, labels.roll(1, 0), generator, 1, parts)


def on_meta(build) -> nn.Module:
    with torch.device("meta"):
        return build()


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


# ---- sizes ----------------------------------------------------------------------------------------

FULL_STARGAN, FULL_ATTGAN = secgan.StarGANOptions(), secgan.AttGANOptions()
SMALL_STARGAN = replace(FULL_STARGAN, size=64, width=16, critic_width=16, blocks=2, critic_layers=5)
SMALL_ATTGAN = replace(
    FULL_ATTGAN, size=64, width=16, critic_width=16, layers=4, critic_layers=4, critic_fc=128
)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (FULL_STARGAN, (8_455_616, 8_512_064, 44_827_584, 44_836_800)),
        (replace(FULL_STARGAN, size=256), (8_455_616, 8_512_064, 45_147_072, 45_156_288)),
        (SMALL_STARGAN, (245_104, 259_216, 713_200, 715_504)),
        (replace(SMALL_STARGAN, width=8, critic_width=8), (65_208, 72_264, 182_520, 183_672)),
        (replace(SMALL_STARGAN, size=32, critic_layers=4), (245_104, 259_216, 180_848, 183_152)),
        (FULL_ATTGAN, (43_459_203, 43_486_860, 44_718_990, 44_728_206)),
        (replace(FULL_ATTGAN, critic_norm=False), (43_459_203, 43_486_860, 44_717_006, 44_726_222)),
        (replace(FULL_ATTGAN, size=256), (43_459_203, 43_486_860, 145_382_286, 145_391_502)),
        (SMALL_ATTGAN, (706_723, 713_644, 699_630, 701_934)),
        (
            replace(SMALL_ATTGAN, size=32, layers=3, critic_layers=3, critic_fc=64),
            (178_339, 185_260, 174_062, 176_366),
        ),
    ],
)
def test_networks_have_the_counts_of_the_sheet(options, wanted):
    """Tables 4.6 and 12: generator and critic of the pictures, then of the segments."""
    made = on_meta(lambda: networks(replace(options, parser="unet")))
    order = (made["editor"], made["semantic_editor"], made["critic"], made["semantic_critic"])
    assert tuple(map(parameters, order)) == (wanted[0], wanted[1], wanted[2], wanted[3])


@pytest.mark.parametrize(("options", "wanted"), [(FULL_STARGAN, 8_493_248), (FULL_ATTGAN, 43_471_491)])
def test_concat_has_the_counts_of_the_sheet_and_the_same_critic(options, wanted):
    plain, concat = (replace(options, parser="unet", **changes) for changes in (BASELINE, CONCAT))
    assert parameters(on_meta(lambda: generator(concat))) == wanted
    first, second = on_meta(lambda: networks(plain)), on_meta(lambda: networks(concat))
    assert parameters(first["critic"]) == parameters(second["critic"])


@pytest.mark.parametrize(("width", "wanted"), [(16, 118_780), (8, 30_020)])
def test_the_small_parser_has_the_counts_of_the_sheet(width, wanted):
    assert parameters(on_meta(lambda: UNetParser(width))) == wanted


def test_bisenet_has_the_counts_of_its_released_weights():
    """ "19 classes 13,300,416 parameters …; 191 state entries"."""
    parser = on_meta(lambda: BiSeNetParser(512))
    assert parameters(parser) == 13_300_416
    assert len(parser.state_dict()) == 191


# ---- what editing costs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            secgan.load(STARGAN, Context()),
            stargan.load(
                stargan.Options(attributes=THIRTEEN, width=4, blocks=1, critic_layers=3, size=16), Context()
            ),
        ),
        (
            secgan.load(ATTGAN, Context()),
            attgan.load(
                attgan.Options(width=4, layers=3, slope=0.01, epsilon=1e-5, size=16, critic_layers=3),
                Context(),
            ),
        ),
    ],
    ids=["stargan", "attgan"],
)
def test_editing_costs_what_the_backbone_costs_to_the_byte_and_the_operation(ours, theirs):
    """ "the deployed model has exactly the backbone's cost and interface"."""
    batch = cost.sample_batch(32, THIRTEEN, "cpu")
    found = []
    for editor in (ours, theirs):
        held = cost.reachable_tensors(editor)

        def run(editor=editor):
            editor.edit(batch)

        peak = cost.peak_activation_bytes(run, held)
        found.append((cost.weight_counts(held), cost.count_flops(run), peak))
    assert found[0] == found[1]
    assert found[0][1] > 0 and found[0][0]["parameters"] > 0


@TINY
def test_with_the_same_weights_the_edit_is_the_backbone_s(options):
    """The same parameter names, and the same bits told the same numbers."""
    ours = generator(options).eval()
    if isinstance(options, secgan.StarGANOptions):
        plain = stargan.Options(attributes=THIRTEEN, width=4, blocks=1, critic_layers=3, size=16)
        theirs = stargan.model.Generator(plain)
    else:
        theirs = attgan.model.generator(attgan.Options(width=4, layers=3, slope=0.01, epsilon=1e-5))
    theirs.load_state_dict(ours.state_dict())
    batch = batch_of()
    assert torch.equal(ours(batch.images, batch.change), theirs.eval()(batch.images, batch.change))


@torch.inference_mode()
@TINY
def test_an_edit_is_told_the_difference_scaled_by_its_strength(options):
    editor = secgan.load(options, Context())
    seen = []
    editor.network.register_forward_hook(lambda network, given, made: seen.append(given[1]))
    source = torch.zeros(3, A)
    source[:, 3] = 1
    target, edited = source.clone(), torch.zeros(3, A, dtype=torch.bool)
    target[:, 0], edited[:, 0] = 1, True
    target[:, 3] = 0  # by a conflict rule
    images, seeds = torch.zeros(3, 3, 16, 16), torch.zeros(3, dtype=torch.int64)
    editor.edit(EditBatch(images, source, target, edited, torch.tensor([1.0, 0.5, 2.0]), seeds, THIRTEEN))
    assert seen[0][:, 0].tolist() == [1.0, 0.5, 2.0]
    assert seen[0][:, 3].tolist() == [-1, -1, -1]
    assert seen[0].count_nonzero() == 6


@torch.inference_mode()
@TINY
def test_concat_shows_the_generator_the_one_hot_segments(options):
    """ "the generator input is cat(x_in, s_in) = 3 + 12 channels (plus n_a for StarGAN), s_in one-hot"."""
    editor = secgan.load(replace(options, **CONCAT), Context())
    batch = cost.sample_batch(18, THIRTEEN, "cpu")  # no multiple of anything: padded and cropped
    seen = []
    editor.network.editor.register_forward_hook(lambda network, given, made: seen.append(given[0]))
    assert editor.edit(batch).shape == batch.images.shape
    (shown,) = seen
    assert shown.shape[1] == 3 + K
    parsed = editor.network.parser(shown[:, :3]).argmax(1)
    assert torch.equal(shown[:, 3:].argmax(1), parsed) and torch.equal(shown[:, 3:], as_planes(parsed))


@torch.inference_mode()
def test_concat_can_show_the_segments_it_is_told():
    editor = secgan.load(replace(STARGAN, **CONCAT), Context())
    editor.network.parser = Palette()
    batch = cost.sample_batch(18, THIRTEEN, "cpu")
    segments = editor.network.parser(batch.images).argmax(1)  # (1, 18, 18)
    picture = editor.explain(batch)["segments"]
    assert picture.shape == (1, 3, 18, 18) and len(set(COLOURS)) == K
    assert torch.equal(picture, painted(segments))


# ---- what shows how it was taught -----------------------------------------------------------------


def painted(segments: Tensor) -> Tensor:
    return torch.tensor(COLOURS)[segments].permute(0, 3, 1, 2)


@torch.inference_mode()
@TINY
def test_it_shows_what_the_parser_and_the_second_generator_see(options):
    """Segments of the source, those that G_seg makes of them, and those of the edited picture."""
    torch.manual_seed(0)
    editor = secgan.load(options, Context())
    palette, second = Palette(), networks(options)["semantic_editor"].eval()
    editor.explainers = nn.ModuleDict({"parser": palette, "semantic_editor": second})
    batch = cost.sample_batch(16, THIRTEEN, "cpu")
    shown = editor.explain(batch)
    segments = palette(batch.images).argmax(1)
    edited = second(as_planes(segments), batch.change).softmax(1).argmax(1)
    of_result = palette(editor.edit(batch)).argmax(1)
    assert list(shown) == ["segments", "segments-edited", "segments-of-result"]
    for picture, wanted in zip(shown.values(), (segments, edited, of_result), strict=True):
        assert torch.equal(picture, painted(wanted))
    assert len({picture.numpy().tobytes() for picture in shown.values()}) == 3
    odd = cost.sample_batch(18, THIRTEEN, "cpu")  # padded and cropped
    assert all(picture.shape == (1, 3, 18, 18) for picture in editor.explain(odd).values())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """`secgan-stargan` after two steps, in a folder of its own."""
    return train_method(short_training(), tmp_path_factory.mktemp("explained"))


@pytest.fixture
def copied(trained, tmp_path):
    """Its weights, card and what explains them, to be tampered with; the path of the weights."""
    for path in trained.weights.parent.glob(f"{trained.weights.stem}*"):
        shutil.copy(path, tmp_path)
    return tmp_path / trained.weights.name


def test_networks_that_only_explain_lie_beside_the_weights_as_they_were_at_the_end(trained):
    saved = torch.load(trained.weights.parent / "editor" / "checkpoint.pt")["networks"]
    found = load_file(trained.explaining)
    wanted = {
        f"{name}.{key}": value for name in ("parser", "semantic_editor") for key, value in saved[name].items()
    }
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], value) for key, value in wanted.items())
    check(trained.explaining, Pin.from_card(trained.weights.with_suffix(".json"), EXPLAINING))


@torch.inference_mode()
def test_they_are_read_when_something_is_explained_and_never_to_edit(trained):
    editor = load_method("secgan-stargan", weights=trained.weights)
    batch = cost.sample_batch(16, THIRTEEN, "cpu")
    editor.edit(batch)
    assert editor.unexplained == ""
    of_generator = sum(value.nbytes for value in load_file(trained.weights).values())
    of_others = sum(value.nbytes for value in load_file(trained.explaining).values())

    def held() -> int:
        return cost.weight_counts(cost.reachable_tensors(editor))["weights_bytes"]

    assert held() == of_generator
    assert len(editor.explain(batch)) == 3
    assert held() == of_generator + of_others


def change_last_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4] + b"next")


def name_other_weights(card: Path) -> None:
    card.write_text(json.dumps({**json.loads(card.read_text()), "sha256": "0" * 64}))


@torch.inference_mode()
@pytest.mark.parametrize(
    ("harm", "ending", "words"),
    [
        (Path.unlink, "-explain.safetensors", r"no such file; wanted .* `faceedit-bench train --method sec"),
        (Path.unlink, ".json", "no card vouches for it; wanted secgan-stargan-demo.json"),
        (name_other_weights, ".json", "no card vouches for it"),
        (change_last_bytes, "-explain.safetensors", "wanted sha256"),
    ],
)
def test_explanations_that_cannot_be_trusted_are_refused_and_edits_go_on(harm, ending, words, copied):
    harm(copied.with_name(f"{copied.stem}{ending}"))
    editor = load_method("secgan-stargan", weights=copied)
    assert editor.edit(cost.sample_batch(16, THIRTEEN, "cpu")).shape == (1, 3, 16, 16)
    photo, out = copied.with_name("me.png"), copied.with_name("out")
    Image.new("RGB", (16, 16)).save(photo)
    asked = {"method": "secgan-stargan", "weights": copied, "request": Request({"Bald": 1})}
    with pytest.raises(WrongWeights, match=words):
        edit_photos([photo], **asked, out=out, explain=True)
    assert not out.exists()
    assert len(edit_photos([photo], **asked, out=out)) == 2


@pytest.mark.parametrize("method", ["secgan-stargan", "secgan-attgan"])
def test_the_shipped_demo_writes_three_maps_beside_the_result(method, tmp_path):
    seeds = [3_000_001]  # of the test split
    face = drawn.draw(seeds, drawn.labels(seeds), 128)
    Image.fromarray(face.images[0].permute(1, 2, 0).numpy()).save(tmp_path / "me.png")
    written = edit_photos(
        [tmp_path / "me.png"], method=method, request=Request({"Bald": 0}), out=tmp_path, explain=True
    )
    names = ["edited", "segments", "segments-edited", "segments-of-result"]
    assert [path.name for path in written] == [*(f"me-{name}.png" for name in names), "sheet.png"]
    palette = (torch.tensor(COLOURS) * 255).round().to(torch.uint8)
    maps = [torch.from_numpy(read_image(path)) for path in written[1:4]]
    numbers = [(found[None] == palette[:, :, None, None]).all(1).long() for found in maps]  # (12, H, W)
    assert all((planes.sum(0) == 1).all() for planes in numbers)  # every pixel has one of the twelve colours
    assert (numbers[0].argmax(0) == face.regions[0]).float().mean() > 0.9
    assert not torch.equal(maps[0], maps[1]) and not torch.equal(maps[0], maps[2])


@pytest.mark.parametrize("method", ["secgan-stargan", "secgan-attgan"])
def test_what_explains_the_shipped_demo_is_small(method):
    (pin,) = catalog().method(method).presets["demo"].weights
    file = beside(Path(secgan.__file__).parent / pin.file)
    assert file.stat().st_size <= 8_000_000


# ---- segments -------------------------------------------------------------------------------------


def test_segments_are_the_regions_of_the_drawn_faces():
    assert SEGMENTS == REGIONS


def test_nineteen_classes_become_twelve_by_name_in_either_numbering():
    """ "12×19, column sums all 1, row sums (1,2,2,1,2,1,1,1,2,1,1,4)"."""
    for classes in (NINETEEN, CELEBA_MASK_HQ):
        matrix = merge_matrix(classes)
        assert matrix.shape == (12, 19)
        assert matrix.sum(0).tolist() == [1] * 19
        assert matrix.sum(1).tolist() == [1, 2, 2, 1, 2, 1, 1, 1, 2, 1, 1, 4]
    assert merge_matrix()[:, 17].argmax() == SEGMENTS.index("hair")
    assert merge_matrix(CELEBA_MASK_HQ)[:, 17].argmax() == SEGMENTS.index("neck")


def test_merged_probabilities_sum_to_one_and_are_the_sums_of_their_parts():
    logits = torch.randn(2, 19, 5, 5, generator=torch.Generator().manual_seed(3)) * 4
    found = merge(logits).exp()
    assert (found.sum(1) - 1).abs().max() < 1e-6
    wanted = torch.einsum("ks,bshw->bkhw", merge_matrix(), logits.softmax(1))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)  # float32


def test_merged_logarithms_stay_finite_where_probabilities_are_zero():
    logits = torch.zeros(1, 19, 1, 1)
    logits[0, 17] = 500.0  # the softmax of all others is 0 in float32
    found = merge(logits)
    assert found.isfinite().all() and found[0, 0, 0, 0] == -500


def test_regions_of_another_size_are_taken_from_the_nearest_pixel():
    regions = torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 11, 11], [2, 2, 11, 11]]])
    assert resized(regions, 2).tolist() == [[[0, 1], [2, 11]]]
    assert resized(regions, 4) is regions


def test_regions_that_are_no_segments_are_refused():
    with pytest.raises(BadDataset, match=r"0 to 11 \(skin, .*found region 12"):
        resized(torch.full((1, 4, 4), 12), 4)


@pytest.mark.parametrize("size", [0, 64])
def test_bisenet_answers_in_twelve_segments_and_lets_gradients_through(size):
    torch.manual_seed(0)
    parser = BiSeNetParser(size).eval().requires_grad_(False)
    images = torch.zeros(1, 3, 32, 32, requires_grad=True)
    found = parser(images)
    assert found.shape == (1, K, 32, 32)
    assert (found.exp().sum(1) - 1).abs().max() < 1e-5  # bilinear weights in float32
    disagreement(torch.full((1, 32, 32), 10), found).backward()
    assert images.grad.count_nonzero() > 0
    assert all(value.grad is None for value in parser.parameters())


# ---- losses ---------------------------------------------------------------------------------------


@TINY
def test_a_generator_of_segments_that_knows_nothing_loses_the_logarithm_of_twelve(options):
    """ "With all-zero final-layer weights in G_seg, … L_rec_seg = L_sc_seg = ln 12 = 2.484907 (±1e-5)"."""
    recipe = recipe_of(options)
    network = recipe.networks["semantic_editor"]
    last = network.last if isinstance(options, secgan.StarGANOptions) else network.dec[-1].conv
    for value in last.parameters():
        nn.init.zeros_(value)
    terms = recipe.phases[1].loss(recipe.networks, batch_of())
    rebuilt = terms["semantic_reconstruction"].item() / options.reconstruction
    agreed = terms["semantic_consistency"].item() / options.lambda_sc
    assert (rebuilt, agreed) == pytest.approx((math.log(12), math.log(12)), abs=1e-5)


def test_two_that_agree_without_doubt_lose_nothing():
    segments = torch.randint(0, K, (2, 8, 8), generator=torch.Generator().manual_seed(2))
    sure = (as_planes(segments) * 200).log_softmax(1)
    assert all(value == 0 for value in consistency(sure, sure, 0.01).values())


def test_each_consistency_is_a_mean_of_logarithms_at_the_other_s_hard_answer():
    """Equations 11 and 12, written out pixel by pixel."""
    generator = torch.Generator().manual_seed(4)
    edited, parsed = (torch.randn(2, K, 3, 3, generator=generator).log_softmax(1) for _ in range(2))

    def written_out(hard: Tensor, soft: Tensor) -> float:
        chosen = torch.zeros_like(hard).scatter_(1, hard.argmax(1, keepdim=True), 1.0)  # one-hot
        return float(-(chosen * soft).sum(1).mean((1, 2)).mean())

    found = consistency(edited, parsed, 0.5)
    assert found["consistency"] == pytest.approx(0.5 * written_out(edited, parsed), rel=1e-6)
    assert found["semantic_consistency"] == pytest.approx(0.5 * written_out(parsed, edited), rel=1e-6)


@TINY
@pytest.mark.parametrize(
    ("term", "moves"), [("consistency", "editor"), ("semantic_consistency", "semantic_editor")]
)
def test_each_consistency_moves_one_generator_and_never_the_parser(options, term, moves):
    recipe = recipe_of(options)
    for network in recipe.networks.values():
        network.requires_grad_(True)
    recipe.phases[1].loss(recipe.networks, batch_of())[term].backward()
    for name, network in recipe.networks.items():
        moved = any(value.grad is not None and value.grad.any() for value in network.parameters())
        untouched = all(value.grad is None for value in network.parameters())
        if name == "parser":  # it has gradients only because this test unfroze it
            assert moves == "editor" or untouched
        else:
            assert moved if name == moves else untouched, name


@TINY
def test_the_frozen_parser_has_no_gradient_although_one_passes_through_it(options):
    recipe = recipe_of(options)
    recipe.phases[1].loss(recipe.networks, batch_of())["consistency"].backward()
    assert recipe.networks["parser"].sharpness.grad is None
    assert any(value.grad is not None for value in recipe.networks["editor"].parameters())


@TINY
def test_the_segments_critic_sees_one_hot_segments_as_real_and_soft_ones_as_fake(options):
    recipe, batch = recipe_of(options), batch_of()
    seen = []
    hook = recipe.networks["semantic_critic"].register_forward_hook(
        lambda net, given, made: seen.append(given)
    )
    recipe.phases[0].loss(recipe.networks, batch)
    hook.remove()
    real, fake = seen[0][0].chunk(2)
    assert torch.equal(real, as_planes(batch.regions))
    assert (fake.sum(1) - 1).abs().max() < 1e-5
    assert ((fake > 0) & (fake < 1)).all()


@TINY
def test_generators_are_told_the_difference_and_nothing_for_a_reconstruction(options):
    recipe, batch = recipe_of(options), batch_of()
    seen = []
    for name in ("editor", "semantic_editor"):
        recipe.networks[name].register_forward_hook(lambda network, given, made: seen.append(given[1]))
    recipe.phases[0].loss(recipe.networks, batch)
    recipe.phases[1].loss(recipe.networks, batch)
    nothing = torch.zeros_like(batch.change)
    assert torch.equal(seen[0], batch.change) and torch.equal(seen[1], batch.change)
    assert torch.equal(seen[2], torch.cat([batch.change, nothing])) and torch.equal(seen[3], seen[2])
    assert set(batch.change.unique().tolist()) <= {-1, 0, 1}
    assert batch.change.sum(0).tolist() == [0] * A  # "for a permuted batch the column sums of y_diff are 0"


@torch.no_grad()
@TINY
def test_edit_and_reconstruction_in_one_pass_are_those_of_two(options):
    network, batch = generator(options).eval(), batch_of()
    edited, rebuilt = both(network, batch.images, batch.change)
    torch.testing.assert_close(edited, network(batch.images, batch.change), atol=1e-5, rtol=0)
    nothing = torch.zeros_like(batch.change)
    torch.testing.assert_close(rebuilt, network(batch.images, nothing), atol=1e-5, rtol=0)  # other batch size


def test_segments_are_the_data_set_s_and_without_them_the_parser_s():
    recipe = recipe_of(STARGAN)
    seen = []
    recipe.networks["semantic_editor"].register_forward_hook(lambda net, given, made: seen.append(given[0]))
    for batch in (batch_of(), batch_of(regions=False)):
        recipe.phases[0].loss(recipe.networks, batch)
    assert torch.equal(seen[0], as_planes(batch_of().regions))
    parsed = recipe.networks["parser"](batch_of().images).argmax(1)
    assert torch.equal(seen[1], as_planes(parsed)) and not torch.equal(seen[0], seen[1])


@TINY
def test_each_phase_moves_both_networks_of_its_kind_and_no_other(options):
    recipe = recipe_of(options)
    for phase, names in zip(
        recipe.phases, [("critic", "semantic_critic"), ("editor", "semantic_editor")], strict=True
    ):
        assert phase.learners == names
        for owner, network in recipe.networks.items():
            network.requires_grad_(owner in names)
            network.zero_grad()
        sum(phase.loss(recipe.networks, batch_of()).values()).backward()
        for owner, network in recipe.networks.items():
            moved = [parameter.grad is not None for parameter in network.parameters()]
            assert all(moved) if owner in names else not any(moved)


@TINY
def test_without_weight_or_before_its_start_the_branches_are_independent(options):
    for changes in ({"lambda_sc": 0.0}, {"sc_start": 1}):
        recipe = recipe_of(replace(options, **changes))
        recipe.networks["parser"] = None  # nobody asks it: the segments are the data set's
        terms = recipe.phases[1].loss(recipe.networks, batch_of())
        assert not {"consistency", "semantic_consistency"} & set(terms)
    assert {"consistency", "semantic_consistency"} < set(
        recipe_of(options).phases[1].loss(recipe_of(options).networks, batch_of())
    )


def test_stargan_sums_the_classification_loss_over_attributes_and_attgan_averages_it():
    assert weights(STARGAN).editor_attributes == 1 * A and weights(STARGAN).critic_attributes == 1 * A
    assert weights(ATTGAN).editor_attributes == 10 and weights(ATTGAN).critic_attributes == 1
    assert (weights(STARGAN).reconstruction, weights(ATTGAN).reconstruction) == (10, 100)


# ---- presets and stages ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["secgan-stargan", "secgan-attgan"])
def test_every_preset_builds_its_stages(name):
    (spec,) = [spec for spec in secgan.faceedit_methods() if spec.name == name]
    assert {"demo", "concat-demo", "baseline-demo", "paper", "concat", "baseline"} <= set(spec.presets)
    for preset in spec.presets.values():
        made = on_meta(lambda preset=preset: spec.recipes(preset.options))
        assert made[-1].exported[0] == "editor"


@pytest.mark.parametrize(
    ("changes", "names", "given", "exported", "regions"),
    [
        ({}, ["parser", "editor"], ("parser",), ("editor",), "welcome"),
        ({"parser": "bisenet"}, ["editor"], ("parser",), ("editor",), "welcome"),
        (CONCAT, ["parser", "editor"], ("parser",), ("editor", "parser"), "unused"),
        (BASELINE, ["editor"], (), ("editor",), "unused"),
    ],
)
def test_stages_and_what_they_need_and_leave(changes, names, given, exported, regions):
    made = stages(replace(STARGAN, **changes))
    assert [recipe.name for recipe in made] == names
    assert (made[-1].given, made[-1].exported, made[-1].regions) == (given, exported, regions)
    assert made[-1].judges == ({"parser": BISENET} if changes.get("parser") == "bisenet" else {})
    assert all(recipe.is_interim and recipe.regions == "needed" for recipe in made[:-1])


def test_schedules_are_the_paper_s():
    """ "lr probes: StarGAN step 150,000 → 5e-5; AttGAN epoch 149 → 2e-5; epoch 199 → 2e-6"."""
    on_stargan = on_meta(lambda: stage(FULL_STARGAN))
    assert (on_stargan.steps, on_stargan.batch_size) == (200_000, 16)
    assert 1e-4 * on_stargan.rate.factor(150_000, 200_000) == pytest.approx(5e-5, rel=1e-4)
    on_attgan = on_meta(lambda: stage(FULL_ATTGAN))
    epoch = 5_687
    assert (on_attgan.steps, on_attgan.batch_size) == (200 * epoch, 32)
    for last_of, wanted in ((99, 2e-4), (149, 2e-5), (199, 2e-6)):
        rate = 2e-4 * on_attgan.rate.factor((last_of + 1) * epoch, 200 * epoch)
        assert rate == pytest.approx(wanted, rel=1e-6)
    for recipe, lr in ((on_stargan, 1e-4), (on_attgan, 2e-4)):
        critic, editor = recipe.phases
        assert (critic.lr, critic.betas, critic.every) == (lr, (0.5, 0.999), 1)
        assert (editor.lr, editor.betas, editor.every, editor.fresh) == (lr, (0.5, 0.999), 5, False)


def test_weights_of_the_losses_are_the_paper_s():
    for options, wanted in ((FULL_STARGAN, (10, 1, 1, 10, 0.01)), (FULL_ATTGAN, (10, 1, 10, 100, 0.01))):
        names = ("penalty", "critic_attributes", "editor_attributes", "reconstruction", "lambda_sc")
        assert tuple(getattr(options, name) for name in names) == wanted


def test_a_consistency_that_has_nobody_to_agree_with_is_refused():
    with pytest.raises(BadConfig, match=r"branch='none' has no second generator.*found 0.01"):
        replace(STARGAN, branch="none")
    with pytest.raises(BadConfig, match="must not be negative"):
        replace(STARGAN, lambda_sc=-1.0)


# ---- training -------------------------------------------------------------------------------------


def faces(with_regions: bool = True, count: int = 12) -> TrainingFaces:
    """Flat faces of three colours; the segments are where the colours are, the labels say which is on top."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (count, A), dtype=np.uint8)
    regions = np.zeros((count, 16, 16), np.uint8)
    regions[:, 4:12, 3:11], regions[:, :4] = 10, 11
    colours = np.full((12, 3), 128, np.uint8)
    colours[0], colours[10], colours[11] = (220, 180, 160), (60, 40, 20), (20, 90, 200)
    images = colours[regions].transpose(0, 3, 1, 2).copy()
    images[labels[:, 0] == 1, 0] //= 2
    return TrainingFaces(images, labels, THIRTEEN, "flat", regions=regions if with_regions else None)


def losses_of(run, steps):
    return [{key: float(value) for key, value in run.take_step().items()} for _ in range(steps)]


@TINY
@pytest.mark.parametrize("changes", [{}, CONCAT, BASELINE], ids=["semantic", "concat", "none"])
def test_it_learns_to_rebuild_faces_and_their_segments(options, changes):
    torch.manual_seed(0)
    quick = replace(options, **changes, critic_steps=1, lr=5e-3, parser_width=4, parser_lr=2e-2)
    settings = Settings(steps=16, batch_size=4, flip=True, sample_every=0)
    *first, main = stages(quick)
    start = {}
    for recipe in first:
        run = Training(recipe, faces(), settings, torch.device("cpu"), {})
        seen = losses_of(run, 16)
        assert seen[-1]["parser.segments"] < 0.8 * seen[0]["parser.segments"]
        start = run.averaged_states()
    run = Training(main, faces(), settings, torch.device("cpu"), start)
    seen = losses_of(run, 16)
    names = ["editor.reconstruction"] + (["editor.semantic_reconstruction"] if not changes else [])
    for name in names:
        before, after = (sum(step[name] for step in part) for part in (seen[:3], seen[-3:]))
        assert after < 0.8 * before, name
    assert all(math.isfinite(value) for step in seen for value in step.values())


def test_a_parser_that_nobody_gave_is_asked_for(tmp_path):
    with pytest.raises(
        BadConfig, match=r"stage 'editor' wants trained weights of network 'parser'.*--weights-from"
    ):
        train(stage(STARGAN), faces(), Settings(steps=1, batch_size=2), tmp_path)


def short_training() -> TrainingConfig:
    """Both stages of `secgan-stargan` on a few drawn faces."""
    tiny = {"parser_width": 2, "width": 4, "blocks": 1, "critic_width": 4, "critic_layers": 2, "size": 16}
    return TrainingConfig(
        "secgan-stargan", options=tiny, count=6, size=32, steps=2, batch_size=3, sample_every=0, threads=1
    )


def on_photographs(method: str, preset: str, **changes) -> TrainingConfig:
    """A short training with BiSeNet, narrow otherwise."""
    tiny = {
        "width": 4,
        "critic_width": 4,
        "critic_layers": 2,
        "size": 32,
        "critic_steps": 1,
        "parser_size": 0,
    }
    options = {**tiny, **changes}
    return TrainingConfig(
        method,
        preset=preset,
        options=options,
        count=4,
        size=32,
        steps=1,
        batch_size=2,
        sample_every=0,
        threads=1,
    )


def test_the_parser_of_photographs_is_the_pinned_judge(tmp_path, monkeypatch):
    """Its file is asked for by name, size and command; where it is, the training has its weights."""
    chosen = on_photographs("secgan-stargan", "paper", blocks=1)
    with pytest.raises(
        WrongWeights, match=r"parsing_bisenet.pth: 53289463(.|\n)*weights fetch(.|\n)*'parser'"
    ):
        train_method(chosen, tmp_path / "without")
    torch.manual_seed(0)
    released = BiSeNetParser(0).network.state_dict()
    folders.weights().mkdir()
    torch.save(released, folders.weights() / "parsing_bisenet.pth")
    with pytest.raises(WrongWeights, match="wanted 53289463 bytes"):
        train_method(chosen, tmp_path / "other")
    judge = catalog().judge(BISENET)
    pin = replace(pin_of(folders.weights() / "parsing_bisenet.pth"), origin="made here")
    monkeypatch.setitem(catalog().judges, BISENET, replace(judge, pin=pin))
    trained = train_method(chosen, tmp_path / "with")
    saved = torch.load(tmp_path / "with" / "editor" / "checkpoint.pt")["networks"]["parser"]
    assert all(torch.equal(saved[f"network.{key}"], value) for key, value in released.items())
    assert trained.card["judges"] == {"parser": {"name": BISENET, "version": "1", "sha256": pin.sha256}}
    assert {key.partition(".")[0] for key in load_file(trained.weights)} == {"editor"}


def test_a_parser_of_ones_own_takes_the_place_of_the_judge_s(tmp_path):
    own = {f"parser.{key}": value for key, value in BiSeNetParser(0).state_dict().items()}
    save_file(own, tmp_path / "parser.safetensors")
    chosen = on_photographs("secgan-attgan", "concat", layers=2)
    trained = train_method(chosen, tmp_path / "own", weights_from=tmp_path / "parser.safetensors")
    kept = load_file(trained.weights)
    assert all(torch.equal(kept[key], value) for key, value in own.items())
    assert "judges" not in trained.card


def test_the_small_parser_wants_data_that_know_the_segments(tmp_path):
    with pytest.raises(BadDataset, match="stage 'parser' learns from the parts of faces"):
        train(stages(STARGAN)[0], faces(with_regions=False), Settings(steps=1, batch_size=2), tmp_path)


def test_weights_that_edit_hold_the_generator_alone(tmp_path):
    """ "exporting must not need P", and what is loaded is G_rgb of the checkpoint bit for bit."""
    made = stage(STARGAN)
    start = {"parser": made.networks["parser"].state_dict()}
    result = train(
        made, faces(), Settings(steps=2, batch_size=2, ema=0.0, sample_every=1), tmp_path, start=start
    )
    assert set(result.averages) == {"editor"}
    editor = secgan.load(STARGAN, Context())
    editor.network.load_state_dict(result.averages["editor"])
    batch = batch_of()
    trained = made.networks["editor"].eval()
    labels = torch.ones(len(batch.images), dtype=torch.float32)
    asked = EditBatch(
        batch.images, batch.source, batch.target, batch.change != 0, labels, labels.long(), THIRTEEN
    )
    with torch.no_grad():
        assert torch.equal(editor.edit(asked), trained(batch.images, batch.change))
    assert backbone(STARGAN).multiple(STARGAN) == 4


def test_from_drawn_faces_to_an_edit(trained, tmp_path):
    """Parser and GANs are trained, the file holds the editor alone, and it edits without being told more."""
    chosen = short_training()
    assert [result.recipe for result in trained.results] == ["parser", "editor"]
    assert {key.partition(".")[0] for key in load_file(trained.weights)} == {"editor"}
    concat = replace(chosen, preset="concat-demo")
    alone = train_method(concat, tmp_path / "parser", stage="parser")
    told = train_method(concat, tmp_path / "told", stage="editor", weights_from=alone.weights)
    for name, made in {"editor": trained, "parser": told}.items():
        assert any(key.startswith(name) for key in load_file(made.weights))
        editor = load_method("secgan-stargan", weights=made.weights)
        batch = cost.sample_batch(20, THIRTEEN, "cpu")
        with torch.no_grad():
            assert editor.edit(batch).shape == batch.images.shape
    given, kept = load_file(alone.weights), load_file(told.weights)
    assert given and all(torch.equal(value, kept[key]) for key, value in given.items())
