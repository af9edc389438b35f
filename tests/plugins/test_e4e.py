"""e4e: released sizes, the released arithmetic, directions from files, and what is refused.

Quotes are of the build sheet.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from faceedit_plugins import e4e
from faceedit_plugins.e4e import direction_file, training
from faceedit_plugins.e4e.directions import Linear, Principal, moves
from faceedit_plugins.e4e.editor import E4E, Inversion
from faceedit_plugins.e4e.encoder import Encoder, SqueezeExcite, Unit
from faceedit_plugins.e4e.latent_critic import LatentCritic
from faceedit_plugins.e4e.learned import Learned
from faceedit_plugins.e4e.sizes import EncoderSizes
from faceedit_plugins.e4e.training import active, directions_stage, encoder_stage, stages
from faceedit_plugins.stylegan2.generator import StyleGAN2
from faceedit_plugins.stylegan2.sizes import Sizes
from official import e4e as official
from official import stylegan2 as official_stylegan2
from official.variables import drawn
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.api import BadConfig, BadDataset, BadImage, EditBatch, WrongWeights
from faceedit_bench.cli import cli
from faceedit_bench.importing import import_weights
from faceedit_bench.train import TrainBatch, TrainingConfig, train_method
from faceedit_bench.train.export import read_weights
from faceedit_bench.weights import load_method

GENERATOR = Sizes(32, (8, 8, 8, 8), w_dim=8, n_mlp=2)
TINY = e4e.sized(GENERATOR, (4, 6, 7, 8), (1, 2, 1, 1), learned=("Smiling", "Male"), latent_adversarial=0.1)
N, D = GENERATOR.n_latent, GENERATOR.w_dim


def parameters(network: nn.Module) -> int:
    return sum(value.numel() for value in network.parameters())


def on_meta(sizes: EncoderSizes) -> Encoder:
    with torch.device("meta"):
        return Encoder(sizes).eval()


def tiny_encoder(heads: str = "e4e") -> Encoder:
    shapes = official.encoder_shapes(N, D, 32, TINY.widths, TINY.units)
    encoder = Encoder(replace(TINY, heads=heads).encoder_sizes).eval()
    encoder.load_state_dict(drawn(shapes, 0))
    return encoder


def faces(count: int = 2, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(3)) * 2 - 1


def batch_for(
    names: tuple[str, ...], change: list[list[float]], strength: float = 1.0, side: int = 32
) -> EditBatch:
    wanted = torch.tensor(change)
    source = (wanted < 0).float()
    count = len(change)
    return EditBatch(
        faces(count, side),
        source,
        source + wanted,
        wanted != 0,
        torch.full((count,), strength),
        torch.arange(count),
        names,
    )


# ---- encoder --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "wanted", "keys"),
    [
        (EncoderSizes(), 267_136_704, 621),
        (EncoderSizes(16), 238_293_696, 593),
        (EncoderSizes(14), 209_450_688, 565),
    ],
    ids=["1024", "512", "256"],
)
def test_sizes_are_the_released_ones(sizes: EncoderSizes, wanted: int, keys: int) -> None:
    encoder = on_meta(sizes)
    assert (parameters(encoder), len(encoder.state_dict())) == (wanted, keys)
    assert sum(value.numel() for value in encoder.buffers()) == 24_372
    assert (parameters(encoder.input_layer), parameters(encoder.body)) == (1_920, 30_948_160)
    assert (parameters(encoder.latlayer1), parameters(encoder.latlayer2)) == (131_584, 66_048)
    heads = [parameters(encoder.styles[code]) for code in (0, 2, 3, 6, 7, sizes.n_latent - 1)]
    assert heads == [9_701_888] * 2 + [12_061_696] * 2 + [14_421_504] * 2


def test_the_small_presets_have_the_sheet_s_sizes() -> None:
    (spec,) = e4e.faceedit_methods()
    demo, small = (spec.presets[name].options.encoder_sizes for name in ("demo", "small128"))
    assert parameters(on_meta(demo)) == 1_329_904
    assert parameters(on_meta(small)) == 35_707_872
    assert parameters(on_meta(EncoderSizes(8, 64, 32, (8, 16, 32, 64), (1, 1, 1, 1)))) == 631_528
    assert parameters(on_meta(EncoderSizes(10, 128, 64, (16, 32, 64, 128), (2, 2, 2, 2)))) == 5_311_072


@pytest.mark.parametrize(
    ("preset", "generator", "encoder"),
    [("paper", 150.8, 145.0), ("small128", 1.89, 5.45), ("demo", 0.092, 0.055)],
)
def test_operations_are_the_sheet_s(preset: str, generator: float, encoder: float) -> None:
    """GFLOP for one picture, 2 per multiply-add, as the sheet rounds them."""
    options = e4e.faceedit_methods()[0].presets[preset].options
    sizes, side = options.generator_sizes, options.encoder_size
    with torch.device("meta"):
        stylegan2 = StyleGAN2(sizes).requires_grad_(False)
        codes, picture = torch.empty(1, sizes.n_latent, sizes.w_dim), torch.empty(1, 3, side, side)
    counts = []
    for network, given in ((stylegan2, codes), (on_meta(options.encoder_sizes), picture)):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(given)
        counts.append(counter.get_total_flops() / 1e9)
    assert counts == pytest.approx([generator, encoder], rel=3e-3)


@torch.inference_mode()
def test_both_networks_compile_as_one_graph() -> None:
    torch.manual_seed(0)
    stylegan2, encoder = StyleGAN2(GENERATOR).eval(), tiny_encoder()
    codes = torch.randn(2, N, D)
    for network, given in ((stylegan2, codes), (encoder, faces())):
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        assert torch.equal(compiled(given), network(given))


def test_the_latent_discriminator_has_four_layers() -> None:
    assert parameters(LatentCritic(512)) == 788_481


def test_the_first_385_keys_are_the_backbone_s() -> None:
    keys = list(on_meta(EncoderSizes()).state_dict())
    assert all(key.startswith(("input_layer.", "body.")) for key in keys[:385])
    assert not keys[385].startswith(("input_layer.", "body."))


def test_keys_and_shapes_are_the_released_ones() -> None:
    sizes = EncoderSizes()
    wanted = official.encoder_shapes(18, 512, 256, sizes.widths, sizes.units)
    assert {key: tuple(value.shape) for key, value in on_meta(sizes).state_dict().items()} == wanted


@pytest.mark.parametrize("heads", ["e4e", "psp"])
@torch.inference_mode()
def test_with_the_same_weights_it_gives_the_released_codes(heads: str) -> None:
    encoder = tiny_encoder(heads)
    wanted = official.encoder(encoder.state_dict(), faces(), TINY.units, adds_first=heads == "e4e")
    assert wanted.shape == (2, N, D) and wanted.std() > 0.05
    torch.testing.assert_close(encoder(faces()), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_stages_let_one_offset_after_the_other_in() -> None:
    """ "stage = 0 gives W+ rows all equal; stage = k leaves rows > k equal to row 0"."""
    encoder = tiny_encoder()
    everything = encoder(faces())
    for stage in range(N):
        found = encoder(faces(), stage)
        assert torch.equal(found[:, : stage + 1], everything[:, : stage + 1])
        assert torch.equal(found[:, stage + 1 :], everything[:, :1].expand(-1, N - 1 - stage, -1))


@torch.inference_mode()
def test_without_offsets_all_codes_are_equal() -> None:
    encoder = tiny_encoder()
    for head in encoder.styles[1:]:
        head.linear.weight.zero_()
        head.linear.bias.zero_()
    codes = encoder(faces())
    assert torch.equal(codes, codes[:, :1].expand_as(codes))


def test_the_pyramid_s_sides_are_a_16th_an_8th_and_a_quarter() -> None:
    c3, p2, p1 = on_meta(EncoderSizes()).features(torch.empty(1, 3, 256, 256, device="meta"))
    assert [tuple(x.shape[1:]) for x in (c3, p2, p1)] == [(512, 16, 16), (512, 32, 32), (512, 64, 64)]


def test_the_stride_is_on_the_second_convolution() -> None:
    unit = Unit(8, 16, 2)
    assert (unit.res_layer[1].stride, unit.res_layer[3].stride) == ((1, 1), (2, 2))


def test_below_sixteen_channels_squeezing_leaves_one_unit() -> None:
    assert [SqueezeExcite(width).fc1.out_channels for width in (8, 16, 32, 512)] == [1, 1, 2, 32]


# ---- directions -----------------------------------------------------------------------------------


def unit_vector(seed: int = 0) -> Tensor:
    vector = torch.randn(D, generator=torch.Generator().manual_seed(seed))
    return vector / vector.norm()


def write(folder: Path, text: str, **arrays: Any) -> Path:
    for name, value in arrays.items():
        torch.save(value, folder / f"{name}.pt")
    path = folder / "directions.toml"
    path.write_text(text)
    return path


def found(path: Path, step: float = 2.0) -> dict[str, Any]:
    return dict(moves(path, n_latent=N, w_dim=D, step=step))


@pytest.mark.parametrize("shape", [(D,), (1, D), (N, D), (1, N, D)], ids=str)
def test_directions_of_every_shape_move_all_codes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    d = unit_vector()
    path = write(tmp_path, '[Smiling]\nfile = "smile.pt"', smile=d.expand(shape).clone())
    codes = torch.zeros(2, N, D)
    moved = found(path)["Smiling"](codes, torch.tensor([1.0, -0.5]))
    torch.testing.assert_close(moved[0], (2 * d).expand(N, D))
    torch.testing.assert_close(moved[1], (-d).expand(N, D))


def test_an_npy_file_is_a_direction_as_well(tmp_path: Path) -> None:
    np.save(tmp_path / "b.npy", unit_vector().numpy()[None].astype(np.float64))
    (tmp_path / "d.toml").write_text('[Smiling]\nfile = "b.npy"\nstep = -3\n')
    move = found(tmp_path / "d.toml")["Smiling"]
    torch.testing.assert_close(move.direction[0], unit_vector())
    assert move.step == -3.0


def test_layers_are_the_only_codes_that_move(tmp_path: Path) -> None:
    path = write(tmp_path, '[Smiling]\nfile = "smile.pt"\nlayers = [2, 4]', smile=unit_vector())
    moved = found(path)["Smiling"](torch.zeros(1, N, D), torch.ones(1))[0]
    assert moved.abs().sum(1).nonzero().flatten().tolist() == [2, 3]


def ganspace() -> dict[str, Tensor]:
    comp, _ = torch.linalg.qr(torch.randn(D, 4, generator=torch.Generator().manual_seed(5)))
    return {
        "mean": torch.full((1, D), 0.1),
        "comp": comp.T[:, None].contiguous(),
        "std": torch.arange(4.0) + 1,
    }


def test_ganspace_s_absolute_edit_ends_at_sigma(tmp_path: Path) -> None:
    """ "coordinate of code 0 after editing all layers equals σ within 1e-4"."""
    parts = ganspace()
    path = write(tmp_path, '[lips]\nfile = "pca.pt"\ncomponent = 2\nsigma = 5.0', pca=parts)
    codes = torch.randn(3, N, D, generator=torch.Generator().manual_seed(6))
    moved = found(path)["lips"](codes, torch.tensor([1.0, -1.0, 0.0]))
    places = (moved[:, 0] - parts["mean"]) @ parts["comp"][2, 0] / parts["std"][2]
    torch.testing.assert_close(places[:2], torch.tensor([5.0, -5.0]), atol=1e-4, rtol=0)
    assert torch.equal(moved[2], codes[2])
    steps = moved[0] - codes[0]
    torch.testing.assert_close(steps, steps[:1].expand(N, D))  # read from code 0 only, added to all


def test_ganspace_s_increment_adds_to_where_the_code_is(tmp_path: Path) -> None:
    parts = ganspace()
    text = '[lips]\nfile = "pca.pt"\ncomponent = 1\nsigma = 5.0\nmode = "increment"\nlayers = [1, 3]'
    codes = torch.randn(1, N, D)
    moved = found(write(tmp_path, text, pca=parts))["lips"](codes, torch.ones(1)) - codes
    wanted = torch.zeros(N, D)
    wanted[1:3] = 5 * 2 * parts["comp"][1, 0]
    torch.testing.assert_close(moved[0], wanted, atol=1e-5, rtol=0)


REFUSED: dict[str, tuple[str, Callable[[], Any], str]] = {
    "another latent size": (
        'file = "a.pt"',
        lambda: torch.zeros(1, 512),
        "512 numbers, .* codes of this generator have 8",
    ),
    "another resolution": (
        'file = "a.pt"',
        lambda: torch.zeros(1, 18, D),
        "for 18 codes, this generator has 8",
    ),
    "too many axes": ('file = "a.pt"', lambda: torch.zeros(2, 1, 3, D), r"of shape \(2, 1, 3, 8\)"),
    "no number": ('file = "a.pt"', lambda: torch.full((D,), float("nan")), "NaN or infinity"),
    "a dictionary": ('file = "a.pt"', ganspace, "a dictionary of mean, comp, std; wanted one array of 8"),
    "no dictionary": ('file = "a.pt"\ncomponent = 1\nsigma = 1', lambda: torch.zeros(D), "wanted GANSpace's"),
    "no such component": (
        'file = "a.pt"\ncomponent = 4\nsigma = 1',
        ganspace,
        "components 0 to 3, found component = 4",
    ),
    "other components": (
        'file = "a.pt"\ncomponent = 0\nsigma = 1',
        lambda: {"mean": torch.zeros(1, 512), "comp": torch.zeros(2, 1, 512), "std": torch.ones(2)},
        "components of 512 numbers",
    ),
    "no such codes": (
        'file = "a.pt"\nlayers = [4, 18]',
        lambda: torch.zeros(D),
        "layers 4 to 18, but .* 8 codes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_direction_that_does_not_fit_is_refused(name: str, tmp_path: Path) -> None:
    text, make, said = REFUSED[name]
    with pytest.raises((WrongWeights, BadConfig), match=said):
        found(write(tmp_path, f"[x]\n{text}", a=make()))


def test_objects_in_a_direction_file_are_never_built(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return (tmp_path / "ran").mkdir, ()

    path = write(tmp_path, '[x]\nfile = "a.pt"', a=Harmful())
    with pytest.raises(WrongWeights, match=r"nothing in it is executed.*\n?.*weights_only=False"):
        found(path)
    np.save(tmp_path / "b.npy", np.array([Harmful()], dtype=object), allow_pickle=True)
    (tmp_path / "d.toml").write_text('[x]\nfile = "b.npy"')
    with pytest.raises(WrongWeights, match=r"holds Python objects.*nothing in it is executed"):
        found(tmp_path / "d.toml")
    (tmp_path / "d.toml").write_text('[x]\nfile = "b.pkl"')
    (tmp_path / "b.pkl").write_bytes(b"\x80")
    with pytest.raises(WrongWeights, match=r"wanted a \.pt or \.npy file; nothing else is read"):
        found(tmp_path / "d.toml")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no direction"),
        ("[x", "not valid TOML"),
        ('x = "a.pt"', r"\[x\]: wanted a table with a file, found 'a.pt'"),
        ("[x]\nstep = 2", r"\[x\]: lacks file"),
        ('[x]\nfile = "a.pt"\nsteps = 2', r"\[x\]: unknown key 'steps'; known: file, step"),
        ('[x]\nfile = "a.pt"\nstep = true', r"step: wanted int, found True"),
        ('[x]\nfile = "a.pt"\nlayers = [4, 2]', "layers: wanted .* found"),
        ('[x]\nfile = "a.pt"\ncomponent = 2', "component is GANSpace's and wants sigma"),
        ('[x]\nfile = "a.pt"\nsigma = 2.0', "sigma and mode are GANSpace's"),
        ('[x]\nfile = "a.pt"\ncomponent = 2\nsigma = 1\nmode = "no"', "wanted absolute or increment"),
        ('[x]\nfile = "stylegan_ffhq_smile_w_boundary.npy"', "boundary of StyleGAN1, not 2"),
    ],
)
def test_mistakes_in_a_directions_file_are_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=said):
        direction_file.read(write(tmp_path, text))


def test_a_direction_of_stylegan1_is_taken_if_forced(tmp_path: Path) -> None:
    text = '[x]\nfile = "stylegan_ffhq_smile_w_boundary.npy"\nforce = true'
    assert direction_file.read(write(tmp_path, text))["x"].force


def test_the_shipped_example_names_the_sheet_s_edits() -> None:
    entries = direction_file.read(Path(e4e.__file__).parent / "ffhq-directions.toml")
    assert {"Smiling", "Young", "pose", "lipstick", "head_angle_up"} <= set(entries)
    lipstick = entries["lipstick"]
    assert (lipstick.component, lipstick.layers, lipstick.sigma) == (34, (10, 11), 20)
    assert entries["Young"].step == -2.0  # + on age makes older


def test_the_file_s_content_is_part_of_the_options(tmp_path: Path) -> None:
    path = write(tmp_path, '[Smiling]\nfile = "smile.pt"', smile=unit_vector())
    options = replace(TINY, directions=str(path))
    assert options.attributes == ("Smiling", "Male")
    parts = [hashlib.sha256(file.read_bytes()).digest() for file in (path, tmp_path / "smile.pt")]
    assert options.directions_sha256 == hashlib.sha256(b"".join(parts)).hexdigest()
    torch.save(unit_vector(1), tmp_path / "smile.pt")
    assert replace(options).directions_sha256 != options.directions_sha256
    assert replace(options, offered=("Male",)).attributes == ("Male",)


# ---- editing --------------------------------------------------------------------------------------


class Given:
    """A load context whose networks are as a seed makes them, with directions that are not zero."""

    device = "cpu"

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        if "directions" in dict(network.named_children()):
            network["directions"].normals.data.normal_()
            network["directions"].spans.data.fill_(3.0)
        network["stylegan2"].latent_avg.normal_()
        return network.eval().requires_grad_(False)

    def file(self, part: int = 0) -> Path:
        raise AssertionError("not asked")


def editor_of(options: e4e.Options = TINY) -> E4E:
    torch.manual_seed(0)
    return e4e.load(options, Given())


@torch.inference_mode()
def test_asking_nothing_gives_the_inversion() -> None:
    editor = editor_of()
    batch = batch_for(("Smiling", "Male"), [[0, 0], [0, 0]])
    inversion = editor.inversion
    codes = inversion.encoder(batch.images) + inversion.stylegan2.latent_avg
    assert torch.equal(editor.edit(batch), inversion.stylegan2.generator.synthesize(codes).clamp(-1, 1))


@torch.inference_mode()
def test_strength_and_sign_scale_the_way_along_a_direction() -> None:
    editor = editor_of()
    codes = torch.zeros(2, N, D)
    d = editor.moves["Male"].direction
    assert d.norm(dim=1).tolist() == pytest.approx([3.0] * N)
    batch = batch_for(("Smiling", "Male"), [[0, 1], [0, -1]], strength=0.5)
    moved = editor.moved(codes, batch)
    torch.testing.assert_close(moved, torch.stack([0.5 * d, -0.5 * d]))


@torch.inference_mode()
def test_changes_of_the_conflict_rule_are_made_at_full_strength() -> None:
    editor = editor_of()
    batch = replace(
        batch_for(("Smiling", "Male"), [[1, -1]], strength=0.5), edited=torch.tensor([[True, False]])
    )
    moved = editor.moved(torch.zeros(1, N, D), batch)[0]
    torch.testing.assert_close(
        moved, 0.5 * editor.moves["Smiling"].direction - editor.moves["Male"].direction
    )


@torch.inference_mode()
def test_a_picture_of_another_size_comes_back_in_its_own() -> None:
    editor = editor_of()
    assert editor.edit(batch_for(("Smiling", "Male"), [[1, 0]], side=48)).shape == (1, 3, 48, 48)


@torch.inference_mode()
def test_it_explains_by_the_inversion_whatever_is_asked() -> None:
    editor = editor_of()
    asked, nothing = (batch_for(("Smiling", "Male"), [[value, 0]], side=48) for value in (1, 0))
    shown = editor.explain(asked)["inversion"]
    torch.testing.assert_close(2 * shown - 1, editor.edit(nothing))
    assert torch.equal(shown, editor.explain(nothing)["inversion"])


def test_a_picture_that_is_not_square_is_refused() -> None:
    batch = batch_for(("Smiling", "Male"), [[0, 0]])
    with pytest.raises(BadImage, match="square aligned faces, found 32×24 px"):
        editor_of().edit(replace(batch, images=batch.images[:, :, :24]))


def test_an_attribute_without_a_direction_is_named() -> None:
    with pytest.raises(WrongWeights, match=r"no direction for Bald; it has Smiling, Male\. Name a file"):
        editor_of().edit(batch_for(("Bald",), [[1]]))


def test_a_user_s_direction_stands_over_the_learned_one(tmp_path: Path) -> None:
    path = write(tmp_path, '[Smiling]\nfile = "smile.pt"\nstep = 5.0', smile=unit_vector())
    options = replace(TINY, directions=str(path))
    editor = editor_of(options)
    assert isinstance(editor.moves["Smiling"], Linear) and editor.moves["Smiling"].step == 5.0
    assert editor.moves["Male"].step == 1.0
    with pytest.raises(BadConfig, match=r"offered names Bald; there are directions for Smiling, Male"):
        editor_of(replace(options, offered=("Bald",)))


def test_encoder_and_generator_of_different_resolutions_are_refused() -> None:
    with pytest.raises(BadConfig, match=r"encoder gives 6 codes of 8, the generator of 32 px wants 8 of 8"):
        Inversion(Encoder(replace(TINY.encoder_sizes, n_latent=6)), StyleGAN2(GENERATOR))


def test_a_generator_alone_loads_and_cannot_edit() -> None:
    editor = e4e.load(replace(TINY, holds="generator"), Given())
    with pytest.raises(WrongWeights, match="train --method e4e --stage encoder --weights-from FILE"):
        editor.edit(batch_for(("Smiling",), [[1]]))


def test_options_that_make_no_network_are_refused() -> None:
    with pytest.raises(BadConfig, match="encoder_size wants a power of two from 32 up, found 24"):
        replace(TINY, encoder_size=24).encoder_sizes  # noqa: B018
    with pytest.raises(BadConfig, match="units wants four positive numbers"):
        replace(TINY, units=(1, 2)).encoder_sizes  # noqa: B018


# ---- checkpoints ----------------------------------------------------------------------------------


def checkpoint(seed: int = 0, side: int = 32, codes: int = N) -> dict[str, Tensor]:
    encoder = drawn(official.encoder_shapes(codes, D, side, TINY.widths, TINY.units), seed)
    decoder = drawn(official_stylegan2.rosinality_shapes(GENERATOR.channels, D, GENERATOR.n_mlp), seed)
    return {
        **{f"state_dict.encoder.{key}": value for key, value in encoder.items()},
        **{f"state_dict.decoder.{key}": value for key, value in decoder.items()},
        "latent_avg": torch.randn(N, D, generator=torch.Generator().manual_seed(8)),
    }


@torch.inference_mode()
def test_an_imported_checkpoint_inverts_as_the_released_program() -> None:
    (spec,) = e4e.faceedit_methods()
    tensors = checkpoint()
    made = spec.layouts["e4e"].convert(tensors)
    options = e4e.Options(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in made.options.items()}
    )
    assert (options.generator_sizes, options.encoder_sizes) == (GENERATOR, TINY.encoder_sizes)
    editor = editor_of(options)
    networks = nn.ModuleDict({"stylegan2": editor.inversion.stylegan2, "encoder": editor.inversion.encoder})
    networks.load_state_dict(made.state)
    parts = [
        {
            key.removeprefix(f"state_dict.{part}."): value
            for key, value in tensors.items()
            if f".{part}." in key
        }
        for part in ("encoder", "decoder")
    ]
    codes = official.encoder(parts[0], faces(), TINY.units, adds_first=True) + tensors["latent_avg"]
    wanted = official_stylegan2.rosinality(parts[1], codes).clamp(-1, 1)
    torch.testing.assert_close(editor.edit(batch_for(("x",), [[0], [0]])), wanted, atol=1e-5, rtol=0)


def test_a_checkpoint_of_two_resolutions_is_refused() -> None:
    (spec,) = e4e.faceedit_methods()
    with pytest.raises(WrongWeights, match="6 heads, for 16 px, but the generator of 32 px has 8 codes"):
        spec.layouts["e4e"].convert(checkpoint(codes=6))


# ---- training -------------------------------------------------------------------------------------


def train_batch(step: int = 1) -> TrainBatch:
    generator = torch.Generator().manual_seed(step)
    labels = (torch.rand(4, 2, generator=generator) < 0.5).float()
    return TrainBatch(faces(4), labels, labels, generator, step)


def test_one_offset_after_the_other_joins() -> None:
    """ "only w_0 until step 20,000, then one more Δ_i every 2,000 steps (all active at 52,000 …)"."""
    paper = e4e.Options()
    steps = {1: 0, 20_000: 0, 20_001: 1, 22_000: 1, 22_001: 2, 52_000: 16, 52_001: 17, 200_000: 17}
    assert {step: active(step, paper) for step in steps} == steps


def test_losses_of_the_encoder_are_those_of_the_paper() -> None:
    torch.manual_seed(0)
    options = replace(TINY, progressive_from=0, progressive_every=1)
    recipe = encoder_stage(options)
    encoder = recipe.phases[0]
    terms = encoder.loss(recipe.networks, train_batch(20))
    assert set(terms) == {"l2", "offsets", "adversarial"}
    with torch.no_grad():
        codes = recipe.networks["encoder"](faces(4))
    lengths = (codes[:, 1:] - codes[:, :1]).norm(dim=2).mean(0).sum()
    torch.testing.assert_close(terms["offsets"], 2e-4 * lengths, rtol=1e-3, atol=0)
    assert set(recipe.phases[1].loss(recipe.networks, train_batch(16))) == {"fake", "real", "r1"}
    assert recipe.exported == ("encoder",)


def test_the_pool_gives_back_older_codes() -> None:
    critic = LatentCritic(2)
    generator = torch.Generator().manual_seed(0)
    first = torch.arange(50.0)[:, None].expand(50, 2)
    assert torch.equal(critic.exchanged(first, generator), first)
    second = critic.exchanged(first + 100, generator)
    old = second[:, 0] < 100
    assert 10 < int(old.sum()) < 40  # a half, of fifty
    assert int((critic.pool[:, 0] >= 100).sum()) > 5


def test_every_stage_starts_from_what_the_one_before_exported() -> None:
    names = [(recipe.name, recipe.exported) for recipe in stages(TINY)]
    assert names == [
        ("stylegan2", ("stylegan2",)),
        ("encoder", ("encoder",)),
        ("directions", ("directions",)),
    ]
    assert [recipe.name for recipe in stages(replace(TINY, learned=()))] == ["stylegan2", "encoder"]


def test_without_a_game_the_generator_is_the_decoder_of_an_autoencoder() -> None:
    first, second, _ = stages(replace(TINY, gan_steps=0, autoencoder_steps=7))
    assert (first.name, first.steps, first.exported) == ("autoencoder", 7, ("stylegan2", "encoder"))
    assert [phase.learners for phase in first.phases] == [("encoder", "stylegan2"), ("latent_critic",)]
    assert (second.name, second.given) == ("encoder", ("stylegan2",))
    stylegan2 = first.networks["stylegan2"]
    z = torch.randn(4000, D, generator=torch.Generator().manual_seed(1))
    average = stylegan2.generator.style(z).mean(0)
    torch.testing.assert_close(stylegan2.latent_avg[0], average, atol=0.1, rtol=0)


def test_encoder_and_generator_learn_together_to_give_faces_back() -> None:
    torch.manual_seed(0)
    options = replace(TINY, gan_steps=0, latent_adversarial=0.0, l1=1.0, l2=0.0)
    recipe, *_ = stages(options)
    (phase,) = recipe.phases
    learning = [value for network in recipe.networks.values() for value in network.parameters()]
    optimizer = torch.optim.Adam(learning, 1e-2, phase.betas)
    losses = []
    for _ in range(40):
        terms = phase.loss(recipe.networks, train_batch(step=1))
        losses.append(terms["l1"].item())
        sum(terms.values()).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < 0.7 * losses[0]


def test_l1_counts_each_scale_equally() -> None:
    """A chessboard of ±0.5 differs by pixels only, one colour by all scales."""
    rows = torch.arange(16)
    chessboard = ((rows[:, None] + rows) % 2 - 0.5).expand(1, 3, 16, 16)
    zero = torch.zeros(1, 3, 16, 16)
    assert training.difference(chessboard, zero).item() == pytest.approx(0.5 / 4)
    assert training.difference(zero + 0.5, zero).item() == pytest.approx(0.5)


def test_a_direction_is_found_where_labels_can_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attributes that two coordinates of a code show, one of them twice as strongly."""
    torch.manual_seed(0)
    (phase,) = directions_stage(TINY).phases
    directions = Learned(2, D)

    class Shows(nn.Module):
        def forward(self, labels: Tensor) -> Tensor:
            sides = 2 * labels - 1
            codes = 0.7 * torch.randn(len(labels), 1, D).repeat(1, N, 1)  # the classes overlap
            codes[:, :, 0] += sides[:, :1]
            codes[:, :, 1] += 2 * sides[:, 1:]
            return codes

    networks = {"encoder": Shows(), "directions": directions}
    optimizer = torch.optim.Adam(directions.parameters(), 5e-2)
    monkeypatch.setattr(training, "seen", lambda images, side: images)
    for step in range(250):
        labels = (torch.rand(32, 2) < 0.5).float()
        batch = TrainBatch(labels, labels, labels, torch.Generator(), step + 1)
        sum(phase.loss(networks, batch).values()).backward()
        optimizer.step()
        optimizer.zero_grad()
    found = directions.directions().detach()
    wanted = torch.zeros(2, D)
    wanted[0, 0], wanted[1, 1] = 2, 4
    assert nn.functional.cosine_similarity(found, wanted).min() > 0.95
    torch.testing.assert_close(found.norm(dim=1), torch.tensor([2.0, 4.0]), atol=0.4, rtol=0)


def test_a_principal_move_without_amount_leaves_codes() -> None:
    move = Principal(torch.zeros(D), unit_vector(), 1.0, 3.0, (0, N))
    codes = torch.randn(1, N, D)
    assert torch.equal(move(codes, torch.zeros(1)), codes)


def test_the_encoder_learns_to_reconstruct() -> None:
    torch.manual_seed(0)
    options = replace(TINY, latent_adversarial=0.0, progressive_from=0, progressive_every=1)
    recipe = encoder_stage(options)
    (phase,) = recipe.phases
    stylegan2, encoder = recipe.networks["stylegan2"].requires_grad_(False), recipe.networks["encoder"]
    real = stylegan2(stylegan2.codes(torch.randn(4, D)))
    optimizer = torch.optim.Adam(encoder.parameters(), 5e-3, phase.betas)
    losses = []
    for step in range(1, 31):
        terms = phase.loss(recipe.networks, replace(train_batch(step), images=real))
        sum(terms.values()).backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(terms["l2"].item())
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


@pytest.mark.parametrize(("gan_steps", "first"), [(2, "stylegan2"), (0, "autoencoder")])
def test_three_stages_make_weights_that_edit_drawn_faces(gan_steps: int, first: str, tmp_path: Path) -> None:
    small = {
        "gan_steps": gan_steps,
        "size": 32,
        "channels": [4, 4, 4, 4],
        "w_dim": 8,
        "n_mlp": 2,
        "encoder_size": 32,
        "widths": [4, 4, 8, 8],
        "units": [1, 1, 1, 1],
        "learned": ["Bald", "Male"],
    }
    chosen = TrainingConfig(
        method="e4e", options=small, size=32, count=8, steps=2, batch_size=4, sample_every=2
    )
    trained = train_method(chosen, tmp_path / "out")
    assert trained.is_complete and list(trained.card["stages"]) == [first, "encoder", "directions"]
    assert len(list((tmp_path / "out").glob("*/samples/*.png"))) == 2
    editor = load_method("e4e", weights=trained.weights)
    assert list(editor.moves) == ["Bald", "Male"]
    with torch.inference_mode():
        made = editor.edit(batch_for(("Bald", "Male"), [[1, -1]]))
    assert made.shape == (1, 3, 32, 32) and bool(made.isfinite().all())
    assert editor.inversion.stylegan2.latent_avg.abs().sum() > 0


# ---- files, through the command's use case --------------------------------------------------------


def imported(file: Path, out: Path, layout: str | None = None) -> Any:
    return import_weights("e4e", file, out=out, layout=layout, overwrite=True)


@pytest.mark.parametrize(("kind", "heads"), [("Encoder4Editing", "e4e"), ("GradualStyleEncoder", "psp")])
def test_a_file_s_settings_tell_e4e_from_psp(kind: str, heads: str, tmp_path: Path) -> None:
    """ "pSp's and e4e's encoder state dicts have identical keys and shapes"."""
    file = tmp_path / "file.pt"
    opts = {"encoder_type": kind, "start_from_latent_avg": True, "stylegan_size": 32, "lr": 1e-4}
    torch.save({**nested(checkpoint()), "opts": opts}, file)
    report = imported(file, tmp_path / "out.safetensors")
    assert (report.layout, report.options.heads) == (heads, heads)
    assert "opts.lr" in report.ignored
    editor = load_method("e4e", weights=tmp_path / "out.safetensors")
    assert editor.inversion.encoder.sizes.heads == heads
    other = {"e4e": "psp", "psp": "e4e"}[heads]
    with pytest.raises(WrongWeights, match=f"its opts.encoder_type is '{kind}'; wanted"):
        imported(file, tmp_path / "out.safetensors", other)


def test_a_file_without_settings_has_to_be_named(tmp_path: Path) -> None:
    torch.save(nested(checkpoint()), tmp_path / "file.pt")
    with pytest.raises(WrongWeights, match="more than one layout of e4e; give --layout, one of: e4e, psp"):
        imported(tmp_path / "file.pt", tmp_path / "out.safetensors")


def nested(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """As the released program saves it."""
    state = {key.removeprefix("state_dict."): value for key, value in tensors.items() if "latent" not in key}
    return {"state_dict": state, "latent_avg": tensors["latent_avg"]}


def test_the_command_says_that_directions_are_the_user_s(tmp_path: Path) -> None:
    opts = {"encoder_type": "Encoder4Editing", "start_from_latent_avg": True}
    torch.save({**nested(checkpoint()), "opts": opts}, tmp_path / "file.pt")
    words = [
        "weights",
        "import",
        "e4e",
        str(tmp_path / "file.pt"),
        "--out",
        str(tmp_path / "out.safetensors"),
    ]
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 0, said.output
    assert "attributes  none by themselves" in said.output and "next " not in said.output


def test_a_training_file_with_command_line_settings_is_read(tmp_path: Path) -> None:
    """ "`args` is an argparse Namespace: needs an allow-list entry for safe loading"."""
    weights = drawn(official_stylegan2.rosinality_shapes(GENERATOR.channels, D, GENERATOR.n_mlp), 0)
    file = tmp_path / "000000.pt"
    torch.save(
        {"g_ema": weights, "g": weights, "args": argparse.Namespace(size=32, lr=2e-3), "ada_aug_p": 0.0}, file
    )
    report = imported(file, tmp_path / "g.safetensors")
    assert (report.layout, report.options.holds) == ("rosinality", "generator")
    assert {"args.size", "args.lr", "ada_aug_p"} <= set(report.ignored)
    editor = load_method("e4e", weights=tmp_path / "g.safetensors")
    with pytest.raises(WrongWeights, match="a generator alone"):
        editor.edit(batch_for(("x",), [[0]]))


@pytest.mark.parametrize("gan_steps", [0, 1], ids=["autoencoder first", "game first"])
def test_an_encoder_is_trained_on_an_imported_generator(tmp_path: Path, gan_steps: int) -> None:
    weights = drawn(official_stylegan2.rosinality_shapes(GENERATOR.channels, D, GENERATOR.n_mlp), 0)
    torch.save({"g_ema": weights}, tmp_path / "g.pt")
    generator = tmp_path / "g.safetensors"
    imported(tmp_path / "g.pt", generator)
    sizes = {"size": 32, "channels": [8, 8, 8, 8], "w_dim": 8, "n_mlp": 2, "encoder_size": 32, "learned": []}
    options = {**sizes, "gan_steps": gan_steps, "widths": [4, 4, 8, 8], "units": [1, 1, 1, 1]}
    chosen = TrainingConfig(
        method="e4e", options=options, size=32, count=8, steps=1, batch_size=4, sample_every=0
    )
    trained = train_method(chosen, tmp_path / "out", stage="encoder", weights_from=generator)
    found = load_method("e4e", weights=trained.weights).inversion.stylegan2.generator.state_dict()
    assert all(torch.equal(found[key], weights[key]) for key in weights)


def test_generator_and_encoder_learn_from_pictures_without_labels(tmp_path: Path) -> None:
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    sizes = {"size": 32, "channels": [8, 8, 8, 8], "w_dim": 8, "n_mlp": 2, "encoder_size": 32, "gan_steps": 1}
    options = {**sizes, "widths": [4, 4, 8, 8], "units": [1, 1, 1, 1], "learned": []}
    chosen = TrainingConfig(
        method="e4e", options=options, data="folder", split="all", size=32, count=0, steps=1, batch_size=4
    )
    trained = train_method(chosen, tmp_path / "out", root=tmp_path)
    assert trained.is_complete and list(trained.card["stages"]) == ["stylegan2", "encoder"]
    taught = replace(chosen, options={**options, "learned": ["Male"]}, sample_every=0)
    with pytest.raises(BadDataset, match=r"folder has no labels.*stage directions"):
        train_method(taught, tmp_path / "taught", root=tmp_path)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.filterwarnings("error")
def test_a_pickle_of_objects_is_refused_with_the_command_that_converts_it(
    tmp_path: Path, protocol: int
) -> None:
    file = tmp_path / "ffhq.pkl"
    with file.open("wb") as stream:
        pickle.dump({"G_ema": Path("an object"), "D": None}, stream, protocol=protocol)
    with pytest.raises(
        WrongWeights, match=r"not executed here(.|\n)*pickle\.load.*\['G_ema'\]\.state_dict\(\)"
    ) as told:
        imported(file, tmp_path / "out.safetensors")
    assert "documentation" not in str(told.value)
    assert not (tmp_path / "out.safetensors").exists()
    with pytest.raises(WrongWeights, match=r"weights import METHOD ffhq\.pkl"):
        read_weights(file)
    with pytest.raises(WrongWeights, match=r"direction\.pt"):
        found(write(tmp_path, f'[Smiling]\nfile = "{file.rename(tmp_path / "ffhq.pt").name}"'))
