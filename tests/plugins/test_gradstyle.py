"""GradStyle: sizes, places, attention, warp, both streams, gradients. Quotes are of the build sheet."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from faceedit_plugins import e4e, gradstyle
from faceedit_plugins.e4e.editor import Inversion
from faceedit_plugins.e4e.encoder import Encoder
from faceedit_plugins.gradstyle.aligner import (
    SelectiveAttention,
    attention_weights,
    kept,
    least_kept,
    position_code,
)
from faceedit_plugins.gradstyle.places import places_of
from faceedit_plugins.gradstyle.residuals import Projection, ResBlock
from faceedit_plugins.gradstyle.streams import Refinement, Stream
from faceedit_plugins.gradstyle.training import (
    Made,
    critic_step,
    editing_terms,
    reconstruction_terms,
    refine_step,
    stage,
    streams,
)
from faceedit_plugins.gradstyle.warp import CORNERS, homographies, warp
from faceedit_plugins.stylegan2.generator import StyleGAN2
from faceedit_plugins.stylegan2.sizes import NANO32, TINY64, Sizes
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.api import BadConfig
from faceedit_bench.train import TrainBatch

NANO = gradstyle.over(
    e4e.sized(NANO32, (8, 16, 32, 64), (1, 1, 1, 1)),
    blocks=(3, 6),
    width=32,
    head_width=16,
    layers=1,
    ffn=64,
    loss_size=32,
)
TINY_64 = gradstyle.over(
    e4e.sized(TINY64, (16, 32, 64, 128), (2, 2, 2, 2)),
    width=64,
    head_width=32,
    layers=2,
    ffn=128,
    loss_size=64,
)
SMALLEST = gradstyle.over(  # what is run here
    e4e.sized(Sizes(32, (8, 8, 8, 8), w_dim=8, n_mlp=2), (4, 6, 7, 8), (1, 1, 1, 1)),
    blocks=(3, 6),
    width=4,
    head_width=4,
    layers=2,
    ffn=8,
    loss_size=32,
)


def preset(name: str) -> gradstyle.Options:
    (spec,) = gradstyle.faceedit_methods()
    return spec.presets[name].options


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def on_meta(options: gradstyle.Options) -> tuple[StyleGAN2, Encoder, Refinement]:
    with torch.device("meta"):
        networks = StyleGAN2(options.generator_sizes), Encoder(options.encoder_sizes), Refinement(options)
    return tuple(network.eval().requires_grad_(False) for network in networks)


# ---- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "grm", "gate", "aligner", "total"),
    [
        (preset("paper"), 117_212_160, 51_127_296, 19_713_024, 188_052_480),
        (preset("lite"), 10_134_912, 51_127_296, 10_255_872, 71_518_080),
        (preset("demo"), 508_032, 600_000, 68_352, 1_176_384),
        (preset("small128"), 8_102_400, 9_588_480, 2_653_056, 20_343_936),
        (NANO, 345_536, 533_248, 58_752, 937_536),
        (TINY_64, 2_027_776, 2_398_080, 502_464, 4_928_320),
    ],
    ids=["full", "lite", "micro64", "small128", "nano32", "tiny64"],
)
def test_modules_have_the_sheet_s_sizes(
    options: gradstyle.Options, grm: int, gate: int, aligner: int, total: int
) -> None:
    """Sections 4.5 and 10."""
    _, _, refinement = on_meta(options)
    parts = [parameters(part) for part in (refinement.grm, refinement.gate, refinement.aligner)]
    assert parts == [grm, gate, aligner] and parameters(refinement) == total


def test_every_part_of_the_full_modules_has_the_sheet_s_size() -> None:
    """Sections 4.1 to 4.3."""
    with torch.device("meta"):
        assert parameters(ResBlock(512, 512)) == 4_719_616
        assert parameters(ResBlock(512, 512, halves=True)) == 4_981_760
    _, _, refinement = on_meta(preset("paper"))
    for grm, gate, aligner in zip(refinement.grm, refinement.gate, refinement.aligner, strict=True):
        assert [parameters(part) for part in (grm.w_t, grm.w_f, grm.fuse)] == [2_360_832, 2_360_832, 524_800]
        assert [parameters(part) for part in (grm.e1, grm.e2, grm.e3)] == [4_719_616, 9_701_376, 9_701_376]
        assert [parameters(part) for part in (grm.d2, grm.d1, grm.out)] == [4_719_616, 4_719_616, 262_656]
        assert parameters(grm) == 39_070_720
        assert (parameters(gate), parameters(aligner)) == (17_042_432, 6_571_008)
        assert [layer.attention.heads for layer in aligner.layers] == [8, 8, 8]


@pytest.mark.parametrize(
    ("options", "reconstruction", "editing"),
    [
        (preset("paper"), "103", "70"),
        (NANO, "0.24", "0.21"),
        (preset("demo"), "0.56", "0.50"),
        (TINY_64, "2.2", "2.1"),
        (preset("small128"), "9.0", "7.7"),
    ],
    ids=["full", "nano32", "micro64", "tiny64", "small128"],
)
def test_operations_are_the_sheet_s(options: gradstyle.Options, reconstruction: str, editing: str) -> None:
    """GFLOP for one picture beside the generator's, as printed."""
    stylegan2, encoder, refinement = on_meta(options)
    generator = stylegan2.generator
    codes = torch.empty(1, generator.sizes.n_latent, generator.sizes.w_dim, device="meta")
    seen = torch.empty(1, 3, options.encoder_size, options.encoder_size, device="meta")
    encoded = refinement.encoded(encoder.features(seen))
    found: list[Any] = []
    for run in (
        lambda: generator.synthesize(codes),
        lambda: refinement.reconstruct(generator, codes, encoded),
        lambda: refinement.edit(generator, codes, found[1][1].residuals),
    ):
        with FlopCounterMode(display=False) as counter:
            result = run()
        found.append((counter.get_total_flops() / 1e9, result))
    for wanted, (number, _) in zip((reconstruction, editing), found[1:], strict=True):
        assert f"{number - found[0][0]:.{len(wanted.partition('.')[2])}f}" == wanted


# ---- places ---------------------------------------------------------------------------------------


def test_places_are_those_of_the_sheet_s_section_2() -> None:
    blocks = (3, 4, 5, 6, 7, 8, 10)
    places = places_of(replace(gradstyle.PAPER, blocks=blocks))
    assert [place.layer for place in places] == [f"convs.{n}" for n in (0, 1, 2, 3, 4, 5, 7)]
    assert [place.side for place in places] == [8, 8, 16, 16, 32, 32, 64]
    assert [place.feature for place in places] == [0, 1, 1, 1, 1, 2, 2]  # c3; p2; p1
    assert {place.channels for place in places} == {512}


def test_residuals_and_encoded_features_have_the_places_shapes() -> None:
    """ "F_m is (512,8,8), (512,16,16), (512,32,32); T_m resized to the same"."""
    stylegan2, encoder, refinement = on_meta(gradstyle.PAPER)
    pyramid = encoder.features(torch.empty(1, 3, 256, 256, device="meta"))
    encoded = refinement.encoded(pyramid)
    codes = torch.empty(1, 18, 512, device="meta")
    stream = refinement.reconstruct(stylegan2.generator, codes, encoded, is_partial=True)
    wanted = [(1, 512, side, side) for side in (8, 16, 32)]
    for found in (encoded, stream.residuals, [refined.gate for refined in stream.refined]):
        assert [tuple(x.shape) for x in found] == wanted


def test_table_4_s_hierarchies_take_one_feature_for_all_places() -> None:
    for number, name in enumerate(("c3", "p2", "p1")):
        places = places_of(replace(gradstyle.PAPER, hierarchy=name))
        assert [place.feature for place in places] == [number] * 3


def test_halving_encoded_features_takes_means_of_four() -> None:
    refinement = Refinement(SMALLEST)
    pyramid = (torch.rand(1, 8, 16, 16), torch.rand(1, 8, 32, 32), torch.rand(1, 8, 64, 64))
    for found, given in zip(refinement.encoded(pyramid), pyramid, strict=False):
        torch.testing.assert_close(found, F.avg_pool2d(given, 2))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocks": ()}, r"blocks wants rising numbers, found \[\]"),
        ({"blocks": (6, 3)}, r"blocks wants rising numbers, found \[6, 3\]"),
        ({"blocks": (2, 6)}, r"32 px has blocks 3 to 8 to refine, found \[2, 6\]"),
        ({"blocks": (3, 10)}, "has blocks 3 to 8 to refine"),
        ({"mu": 0.0}, "mu wants more than 0 and at most 100 per cent, found 0"),
        ({"query_gain": -1.0}, "query_gain must not be negative, found -1"),
        ({"loss_size": 64}, "loss_size 64 is more than the generator's 32 px"),
    ],
)
def test_options_that_make_no_method_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        replace(SMALLEST, **changes)


def test_heads_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(BadConfig, match="block 3 has 8 channels; wanted a multiple of 4 and of head_width"):
        Refinement(replace(SMALLEST, head_width=3))


# ---- selective attention --------------------------------------------------------------------------


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("mu", [5, 10, 20, 50])
def test_each_row_keeps_its_largest_scores_and_nothing_else(mu: float) -> None:
    """ "exactly k kept entries (no ties), weights sum to 1, excluded weights exactly 0"."""
    q, k = normal(2, 2, 64, 16), normal(2, 2, 64, 16, seed=1)
    keep = kept(mu, 64)
    weights = attention_weights(q, k, keep, "neg_inf")
    assert keep == math.ceil(mu / 100 * 64)
    assert torch.equal((weights > 0).sum(-1), torch.full((2, 2, 64), keep))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 64))
    largest = (q @ k.mT).topk(keep).indices
    assert bool((weights.gather(-1, largest) > 0).all())


def test_equal_scores_at_the_edge_are_all_kept() -> None:
    weights = attention_weights(torch.ones(1, 1, 4, 2), torch.ones(1, 1, 4, 2), 1, "neg_inf")
    torch.testing.assert_close(weights, torch.full((1, 1, 4, 4), 0.25))


def test_all_kept_is_ordinary_attention() -> None:
    """ "μ = 100 equals scaled-dot-product attention within 1e-6"."""
    q, k, v = (normal(2, 2, 64, 16, seed=seed) for seed in range(3))
    for mask in ("neg_inf", "multiply"):
        found = attention_weights(q, k, kept(100, 64), mask) @ v
        assert (found - F.scaled_dot_product_attention(q, k, v)).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("tokens", "shares"), [(64, (0.68, 0.59, 0.47, 0.27)), (256, (0.69, 0.59, 0.46, 0.27))]
)
def test_the_printed_formula_leaks_as_the_sheet_says(tokens: int, shares: tuple[float, ...]) -> None:
    """Section 4.4's table, "within 0.02": the share of attention on entries that are left out."""
    rows = 16 * 64 // tokens
    q, k = normal(rows, 8, tokens, 64), normal(rows, 8, tokens, 64, seed=1)
    for mu, wanted in zip((5, 10, 20, 50), shares, strict=True):
        keep = kept(mu, tokens)
        weights = attention_weights(q, k, keep, "multiply")
        left_out = attention_weights(q, k, keep, "neg_inf") == 0
        assert float((weights * left_out).sum(-1).mean()) == pytest.approx(wanted, abs=0.02)


@torch.inference_mode()
def test_attention_has_as_many_heads_as_head_widths_fit() -> None:
    attention = SelectiveAttention(8, heads=2, keep=3, mask="neg_inf")
    queries, tokens = normal(1, 5, 8), normal(1, 5, 8, seed=1)
    q, k, v = (
        layer(x)
        for layer, x in zip((attention.q, attention.k, attention.v), (queries, tokens, tokens), strict=True)
    )
    heads = [
        attention_weights(q[:, None, :, part], k[:, None, :, part], 3, "neg_inf")[:, 0] @ v[:, :, part]
        for part in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(attention(queries, tokens, tokens), attention.out(torch.cat(heads, 2)))


@torch.inference_mode()
def test_an_aligner_s_answer_is_made_of_residuals_alone() -> None:
    """Without residuals every token is its position code, so equal queries must give equal answers."""
    torch.manual_seed(0)
    aligner = Refinement(SMALLEST).aligner[0]
    nn.init.normal_(aligner.out.weight)
    aligner.places.zero_()
    residual, features = torch.ones(1, 8, 8, 8), normal(1, 8, 8, 8)
    found = aligner(residual, features).flatten(2)  # all residuals alike: whatever asks, the answer is one
    torch.testing.assert_close(found, found[:, :, :1].expand_as(found), atol=1e-5, rtol=0)
    assert found.std() > 0.1


@torch.inference_mode()
def test_positions_can_stay_out_of_what_attention_brings() -> None:
    """Then residuals that are alike give one answer wherever they lie; otherwise their places show."""
    residual, features = torch.ones(1, 8, 8, 8), normal(1, 8, 8, 8)
    for carries in (False, True):
        torch.manual_seed(0)
        aligner = Refinement(replace(SMALLEST, carries_positions=carries)).aligner[0]
        nn.init.normal_(aligner.out.weight)
        found = aligner(residual, features).flatten(2)
        assert torch.allclose(found, found[:, :, :1], atol=1e-5) is not carries


@torch.inference_mode()
def test_queries_and_keys_that_start_alike_look_near() -> None:
    """Mean distance, in places of 16×16, to what positions alone attend to; a random place is 8.3 away."""
    x, y = (line.flatten().float() for line in torch.meshgrid(*[torch.arange(16)] * 2, indexing="ij"))
    apart = torch.hypot(x[:, None] - x, y[:, None] - y)
    code = position_code(16, 64, "2d")[None]
    found = []
    for gain in (0.0, 10.0):
        torch.manual_seed(0)
        attention = SelectiveAttention(64, 4, kept(20, 256), "neg_inf", gain)
        q, k = (attention._split(layer(code)) for layer in (attention.q, attention.k))
        found.append(float((attention_weights(q, k, attention.keep, "neg_inf") * apart).sum(-1).mean()))
    assert found[0] > 8 and found[1] < 3


def test_position_codes_are_the_transformer_s() -> None:
    code = position_code(4, 8, "1d")
    assert code.shape == (16, 8)
    assert code[3, 2].item() == pytest.approx(math.sin(3 / 10_000 ** (2 / 8)))
    assert code[3, 3].item() == pytest.approx(math.cos(3 / 10_000 ** (2 / 8)))
    both = position_code(4, 8, "2d").unflatten(0, (4, 4))
    assert torch.equal(both[1, 0, :4], both[1, 3, :4]) and torch.equal(both[0, 2, 4:], both[3, 2, 4:])


def test_the_least_kept_score_is_topk_s() -> None:
    scores = normal(2, 3, 16, 64)
    wanted = scores.topk(13).values[..., -1:]
    assert torch.equal(least_kept(scores, 13), wanted)
    assert torch.equal(least_kept(scores.bfloat16(), 13), scores.bfloat16().topk(13).values[..., -1:].float())


# ---- warp -----------------------------------------------------------------------------------------


def maps(side: int) -> Tensor:
    """x and y of every place, (1, 2, side, side)."""
    line = (2 * torch.arange(side) + 1) / side - 1
    return torch.stack([line.expand(side, side), line[:, None].expand(side, side)])[None]


def test_corners_move_inwards_by_at_most_the_distortion() -> None:
    """ "mean absolute corner shift at 8×8 > 0"."""
    found = homographies(200, 0.15, 1.0, torch.Generator().manual_seed(0))
    corners = torch.tensor([(*corner, 1.0) for corner in CORNERS], dtype=torch.float64)
    back = corners @ torch.linalg.inv(found).mT
    moved = back[:, :, :2] / back[:, :, 2:]
    inwards = (corners[:, :2] - moved) * corners[:, :2]  # (200, 4, 2)
    assert inwards.min() >= 0 and inwards.max() <= 0.15 + 1e-9
    assert inwards.mean().item() == pytest.approx(0.075, abs=0.005)  # of half a side: 0.3 px at 8×8


def test_the_same_homography_warps_all_sizes() -> None:
    homography = homographies(1, 0.15, 1.0, torch.Generator().manual_seed(1))
    places = {
        side: warp(maps(side), homography)[0, :, side // 4 : -side // 4, side // 4 : -side // 4]
        for side in (8, 16, 32)
    }
    means = [F.adaptive_avg_pool2d(found, 4) for found in places.values()]
    torch.testing.assert_close(means[0], means[2], atol=5e-3, rtol=0)  # curved a little within a pixel
    torch.testing.assert_close(means[1], means[2], atol=2e-3, rtol=0)
    assert (means[0] - F.adaptive_avg_pool2d(maps(8)[0, :, 2:-2, 2:-2], 4)).abs().mean() > 0.01


def test_without_probability_nothing_is_warped() -> None:
    """ "p = 0 is the identity"."""
    homography = homographies(3, 0.15, 0.0, torch.Generator().manual_seed(0))
    for side in (8, 16, 32):
        features = normal(3, 2, side, side)
        assert torch.equal(warp(features, homography), features)


def test_a_share_of_pictures_is_warped() -> None:
    found = homographies(1000, 0.15, 0.8, torch.Generator().manual_seed(0))
    is_plain = (found == torch.eye(3, dtype=torch.float64)).flatten(1).all(1)
    assert float(is_plain.double().mean()) == pytest.approx(0.2, abs=0.04)  # three standard deviations


# ---- both streams ---------------------------------------------------------------------------------


def networks(options: gradstyle.Options = SMALLEST, *, is_random: bool = True) -> dict[str, nn.Module]:
    """Of the training stage; `is_random` leaves no layer at zero."""
    torch.manual_seed(0)
    made = stage(options).networks
    made["stylegan2"].latent_avg.normal_()
    for name, network in made.items():
        network.train(name in ("gradstyle", "critic")).requires_grad_(name in ("gradstyle", "critic"))
    if is_random:
        for value in made["gradstyle"].parameters():
            if not value.any():
                nn.init.normal_(value, std=0.1)
    return made


def faces(count: int = 4, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(3)) * 2 - 1


def train_batch(step: int = 2, side: int = 32) -> TrainBatch:
    labels = torch.zeros(4, 0)
    return TrainBatch(faces(side=side), labels, labels, torch.Generator().manual_seed(step), step)


def both(options: gradstyle.Options = SMALLEST, **kinds: bool) -> tuple[Stream, Stream, Tensor]:
    """Reconstruction and editing stream at α = 0 in eval mode, and e4e's picture."""
    made = networks(options, **kinds)
    made["gradstyle"].eval()
    with torch.inference_mode():
        found = streams(made, train_batch(side=options.size), options)
        inversion = Inversion(made["encoder"], made["stylegan2"])
        plain = made["stylegan2"](inversion.codes(faces(side=options.size)))
    return found.reconstruction, found.editing, plain


@pytest.mark.parametrize("options", [SMALLEST, gradstyle.DEMO], ids=["smallest", "demo"])
def test_at_first_both_streams_are_e4e_s_reconstruction(options: gradstyle.Options) -> None:
    """ "At initialisation X_r equals the plain e4e reconstruction exactly …, and so does X_e for α = 0"."""
    reconstruction, editing, plain = both(options, is_random=False)
    assert torch.equal(reconstruction.picture, plain) and torch.equal(editing.picture, plain)


def test_without_aligners_both_streams_are_equal() -> None:
    """ "With identity alignment (F' := F), α = 0 and p = 0, X_e = X_r exactly"."""
    reconstruction, editing, plain = both(replace(SMALLEST, gam=False))
    assert torch.equal(editing.picture, reconstruction.picture)
    assert not torch.equal(reconstruction.picture, plain)


def test_streams_are_the_sheet_s_section_3() -> None:
    """Written out with the generator's own layers, for a generator of 32 px and blocks 3 and 6."""
    made = networks()
    refinement, generator = made["gradstyle"].eval(), made["stylegan2"].generator
    with torch.inference_mode():
        pyramid = made["encoder"].features(faces())
        codes = made["encoder"].codes(pyramid) + made["stylegan2"].latent_avg
        encoded = refinement.encoded(pyramid)
        stream = refinement.reconstruct(generator, codes, encoded)
        noise = [getattr(generator.noises, f"noise_{number}") for number in range(7)]
        x = generator.conv1(generator.input(4), codes[:, 0], noise[0])
        picture = generator.to_rgb1(x, codes[:, 1], None)
        for number in range(6):
            x = generator.convs[number](x, codes[:, number + 1], noise[number + 1])
            if number in (0, 3):
                m = (0, 3).index(number)
                residual = refinement.grm[m](
                    F.interpolate(pyramid[m], size=(8 << m, 8 << m), mode="bilinear"), x
                )
                gate = torch.sigmoid(refinement.gate[m].body(torch.cat([x, residual], 1)))
                x = x + gate * residual
            if number % 2:
                picture = generator.to_rgbs[number // 2](x, codes[:, number + 2], picture)
    torch.testing.assert_close(stream.picture, picture)


def test_the_rgb_of_a_refined_block_may_see_the_old_features() -> None:
    new, _, _ = both()
    old, _, _ = both(replace(SMALLEST, torgb_sees_refined=False))
    assert not torch.equal(new.picture, old.picture)
    torch.testing.assert_close(new.refined[1].after, old.refined[1].after)


@torch.inference_mode()
def test_a_partial_pass_finds_the_same_residuals() -> None:
    made = networks()
    refinement, generator = made["gradstyle"].eval(), made["stylegan2"].generator
    pyramid = made["encoder"].features(faces())
    codes = made["encoder"].codes(pyramid)
    encoded = refinement.encoded(pyramid)
    whole = refinement.reconstruct(generator, codes, encoded)
    partial = refinement.reconstruct(generator, codes, encoded, is_partial=True)
    again = refinement.reconstruct_again(generator, codes, partial.residuals)
    assert all(torch.equal(a, b) for a, b in zip(whole.residuals, partial.residuals, strict=True))
    assert torch.equal(again.picture, whole.picture)
    assert partial.picture.shape == (4, 8, 16, 16)  # where the last place is


def test_tables_3_and_4_can_be_built() -> None:
    for changes in ({"blocks": (3,)}, {"blocks": (3, 4, 5, 6)}, {"hierarchy": "p1"}, {"grm": False}):
        options = replace(SMALLEST, **changes)
        reconstruction, _, _ = both(options)
        assert len(reconstruction.refined) == len(options.blocks)
    without = Refinement(replace(SMALLEST, grm=False, gam=False))
    assert isinstance(without.grm[0], Projection) and not without.aligner


def test_both_streams_have_one_gate() -> None:
    """ "GRM m and GAM m use the same gate tensors (same storage)"."""
    made = networks()
    used: list[tuple[int, int]] = []
    for number, gate in enumerate(made["gradstyle"].gate):
        gate.register_forward_hook(
            lambda module, given, answer, number=number: used.append(
                (number, module.body[0].body[0].weight.data_ptr())
            )
        )
    streams(made, train_batch(), SMALLEST)
    assert len(used) == 4 and len(set(used)) == 2


# ---- losses ---------------------------------------------------------------------------------------


def gradients(made: dict[str, nn.Module]) -> dict[str, list[bool]]:
    """Of each part, whether its parameters got gradients that are not zero."""
    refinement = made["gradstyle"]
    parts = {"grm": refinement.grm, "gate": refinement.gate, "aligner": refinement.aligner, **made}
    del parts["gradstyle"]
    return {
        name: [value.grad is not None and bool(value.grad.any()) for value in part.parameters()]
        for name, part in parts.items()
    }


def backward(terms: dict[str, Tensor]) -> None:
    torch.stack(list(terms.values())).sum().backward()


@pytest.mark.parametrize(
    ("terms_of", "options", "learning"),
    [
        (reconstruction_terms, SMALLEST, {"grm", "gate"}),
        (editing_terms, SMALLEST, {"aligner"}),
        (editing_terms, replace(SMALLEST, gate_grad_from_edit=True), {"gate", "aligner"}),
    ],
    ids=["reconstruction", "editing", "editing, gates too"],
)
def test_each_loss_moves_its_own_modules(
    terms_of: Any, options: gradstyle.Options, learning: set[str]
) -> None:
    """Section 5.3, and no gradient ever reaches generator or encoder."""
    made = networks(options)
    made["critic"].requires_grad_(False)
    backward(terms_of(streams(made, train_batch(), options), faces(), made["critic"], options))
    found = gradients(made)
    assert {name for name, has in found.items() if any(has)} == learning
    for name in learning:
        assert sum(found[name]) > 0.8 * len(found[name])
    for name in {"grm", "gate", "aligner"} - learning:
        assert all(value.grad is None for value in getattr(made["gradstyle"], name).parameters())


def test_residuals_cost_what_hooks_add() -> None:
    """ "L_f recomputed from hook inputs and outputs matches within 1e-6"."""
    made = networks()
    batch = train_batch()
    seen: list[tuple[Tensor, Tensor]] = []
    generator = made["stylegan2"].generator
    plain = generator.synthesize

    def watched(codes: Tensor, noise: str, hooks: dict[str, Any], **others: Any) -> Tensor:
        def watch(hook: Any, x: Tensor) -> Tensor:
            seen.append((x, hook(x)))
            return seen[-1][1]

        return plain(
            codes, noise, {key: (lambda x, h=hook: watch(h, x)) for key, hook in hooks.items()}, **others
        )

    generator.synthesize = watched
    found = streams(made, batch, SMALLEST)
    wanted = 0.01 * sum((after - before).abs().mean() for before, after in seen[:2])
    terms = reconstruction_terms(found, batch.images, None, SMALLEST)
    torch.testing.assert_close(terms["residual"], wanted, atol=1e-6, rtol=0)


def test_losses_are_those_of_section_5() -> None:
    made, batch = networks(), train_batch()
    found = streams(made, batch, SMALLEST)
    torch.manual_seed(0)
    terms = refine_step(made, train_batch(), SMALLEST, Made())
    assert set(terms) == {
        *(f"{stream}_{term}" for stream in ("reconstruction", "editing") for term in ("l2", "adversarial")),
        "residual",
        "alignment",
    }
    pairs = zip(found.editing.residuals, found.reconstruction.residuals, strict=True)
    wanted = 0.1 * sum((a - b).abs().mean() for a, b in pairs)
    torch.testing.assert_close(terms["alignment"], wanted)
    picture = found.reconstruction.picture
    torch.testing.assert_close(terms["reconstruction_l2"], (picture - batch.images).square().mean())
    wanted = 0.001 * F.softplus(-made["critic"](picture)).mean()
    torch.testing.assert_close(terms["reconstruction_adversarial"], wanted)


def test_the_critic_sees_both_streams_and_is_penalised_every_16_steps() -> None:
    made = networks()
    pictures = Made()
    refine_step(made, train_batch(), SMALLEST, pictures)
    found = streams(made, train_batch(), SMALLEST)
    wanted = (found.reconstruction.picture, found.editing.picture)
    for shown, picture in zip(pictures.pictures, wanted, strict=True):
        torch.testing.assert_close(shown, picture)
    terms = critic_step(made, train_batch(15), SMALLEST, pictures)
    assert set(terms) == {"fake", "real"}
    scores = [F.softplus(made["critic"](picture)).mean() for picture in wanted]
    torch.testing.assert_close(terms["fake"], sum(scores) / 2)
    terms = critic_step(made, train_batch(16), SMALLEST, pictures)
    assert set(terms) == {"fake", "real", "r1"}
    backward(terms)
    assert {name for name, has in gradients(made).items() if any(has)} == {"critic"}
    plain = replace(SMALLEST, adversarial=0.0)
    assert "critic" not in stage(plain).networks and [p.name for p in stage(plain).phases] == ["gradstyle"]


def test_generator_and_encoder_never_learn() -> None:
    recipe = stage(SMALLEST)
    assert {name for phase in recipe.phases for name in phase.learners} == {"gradstyle", "critic"}
    assert recipe.given == ("stylegan2", "encoder") and recipe.exported == ("gradstyle",)
    assert [(phase.lookahead, phase.lr) for phase in recipe.phases] == [(6, 1e-4), (0, 1e-4)]


def test_the_modules_learn_to_reconstruct_and_to_undo_the_warp() -> None:
    options = replace(SMALLEST, adversarial=0.0, lr=3e-3, alignment=1.0)
    made = networks(options, is_random=False)
    optimizer = torch.optim.Adam(made["gradstyle"].parameters(), options.lr)
    l2: list[float] = []
    for step in range(2, 42):
        terms = refine_step(made, train_batch(step), options, Made())
        backward(terms)
        optimizer.step()
        optimizer.zero_grad()
        l2.append(terms["reconstruction_l2"].item())
    assert sum(l2[-5:]) < 0.85 * sum(l2[:5])
    made["gradstyle"].eval()
    with torch.inference_mode():
        found = streams(made, train_batch(99), replace(options, warped=1.0))
    aligned = sum(
        (a - b).abs().mean()
        for a, b in zip(found.editing.residuals, found.reconstruction.residuals, strict=True)
    )
    nothing = sum(residual.abs().mean() for residual in found.reconstruction.residuals)
    assert aligned < 0.9 * nothing


# ---- published numbers ----------------------------------------------------------------------------


def published(table: str) -> dict[str, dict[str, float]]:
    """Row -> metric -> number of a table of single numbers."""
    path = Path(__file__).parents[2] / "leaderboards" / "published" / "gradstyle.toml"
    rows: dict[str, dict[str, float]] = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["numbers"]:
        if entry["table"] == table:
            name = " ".join(str(entry[key]) for key in ("method", "variant") if entry.get(key))
            rows.setdefault(name, {})[entry["metric"]] = entry["value"]
    return rows


def test_the_board_s_psnr_fits_its_l2() -> None:
    """ "10·log10(4/L2) is 0.3–0.4 dB below the published mean PSNR for all seven methods", as a mean of
    per-picture PSNRs must be; to what the printed digits of L2 leave open."""
    rows = published("Table 1")
    assert len(rows) == 7
    for name, row in rows.items():
        least, most = (10 * math.log10(4 / (row["rec_l2"] + slack)) for slack in (5e-4, -5e-4))
        assert row["rec_psnr"] - most < 0.4 and row["rec_psnr"] - least > 0.3, name


def test_one_stage_of_table_4_is_a_row_of_table_3() -> None:
    """ "Table 4 "one stage (low)" equals Table 3 "3""."""
    path = Path(__file__).parents[2] / "leaderboards" / "published" / "gradstyle.toml"
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["tables"]
    by_row = {(table["table"], table["metric"]): table["values"] for table in tables}
    for metric in ("rec_id", "rec_l2", "edit_id"):
        low = by_row["Table 4", metric]["one stage (low)"]
        assert low == by_row["Table 3", metric]["3"]
