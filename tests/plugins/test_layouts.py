"""Released checkpoint formats: sizes read off shapes, every tensor in its place, every missing one named."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from faceedit_plugins.unet.units import LSTU, STU
from official import e4e, stylegan2, variables
from official import sagan as official_sagan
from torch import Tensor, nn

from faceedit_bench.api import Imported, WrongWeights
from faceedit_bench.catalog import catalog

TF_CONSTANTS = {"slope": 0.2, "epsilon": 1e-3}


@dataclass(frozen=True)
class Released:
    """A released checkpoint, by the shapes of its tensors."""

    method: str
    layout: str
    shapes: variables.Shapes
    options: dict[str, Any]  # what the importer must find out
    attributes: int = 13

    def convert(self, tensors: Mapping[str, Tensor]) -> Imported:
        return catalog().method(self.method).layouts[self.layout].convert(tensors)

    def __str__(self) -> str:
        return " ".join([self.method, self.layout, *(f"{value}" for value in self.options.values())])


def tensorflow(method: str, layout: str = "tf1", unit: str = "none", **sizes: Any) -> Released:
    """`sizes` as the options are called."""
    attributes = sizes.pop("attributes", 13)
    scale = {"attgan": {"tf1": {"scale": 0.5}, "tf2": {"scale": 1.0}}}.get(method, {}).get(layout, {})
    shapes = variables.tensorflow_generator(
        width=sizes["width"],
        layers=sizes["layers"],
        attributes=attributes,
        shortcut=sizes["skip"],
        inject=sizes["inject"],
        unit=unit,
        unit_width=sizes.get("unit_width") or None,
        prefix="UNet" if layout == "tf2" else "",
    )
    return Released(method, layout, shapes, {**sizes, **TF_CONSTANTS, **scale}, attributes)


def port(attributes: int = 13, **sizes: Any) -> Released:
    shapes = variables.port_generator(
        width=sizes["width"],
        layers=sizes["layers"],
        attributes=attributes,
        shortcut=sizes["skip"],
        inject=sizes["inject"],
    )
    constants = {"slope": 0.01, "epsilon": 1e-5, "scale": 0.5}
    return Released("attgan", "port", shapes, {**sizes, **constants}, attributes)


def stargan(width: int, blocks: int, attributes: int = 5) -> Released:
    shapes = variables.stargan_generator(width=width, attributes=attributes, residual=blocks, counters=False)
    return Released("stargan", "official", shapes, {"width": width, "blocks": blocks}, attributes)


def sagan(attribute: str, width: int, blocks: int) -> Released:
    """One file per attribute, which only its folder tells."""
    options = {"attributes": [attribute], "width": width, "blocks": blocks, "res_norm": "bn"}
    shapes = official_sagan.generator_shapes(width=width, blocks=blocks)
    return Released("sagan", attribute.lower(), shapes, options, attributes=0)


PUBLISHED = ("Eyeglasses", "Mouth_Slightly_Open", "No_Beard", "Smiling")  # attributes of SaGAN checkpoints


def generator_of(channels: tuple[int, ...], w_dim: int, n_mlp: int) -> dict[str, Any]:
    return {"size": 2 << len(channels), "channels": list(channels), "w_dim": w_dim, "n_mlp": n_mlp}


def generator(layout: str, channels: tuple[int, ...], w_dim: int, n_mlp: int) -> Released:
    """StyleGAN2 alone. The average is left out where the program does not always write it."""
    shapes = {"rosinality": stylegan2.rosinality_shapes, "nvidia": stylegan2.nvidia_shapes}[layout]
    options = {**generator_of(channels, w_dim, n_mlp), "holds": "generator"}
    return Released("e4e", layout, shapes(channels, w_dim, n_mlp), options, attributes=0)


def inversion(
    heads: str,
    channels: tuple[int, ...],
    w_dim: int,
    n_mlp: int,
    side: int,
    widths: tuple[int, ...],
    units: tuple[int, ...],
) -> Released:
    n_latent = 2 * len(channels)
    parts = {
        "encoder": e4e.encoder_shapes(n_latent, w_dim, side, widths, units),
        "decoder": stylegan2.rosinality_shapes(channels, w_dim, n_mlp),
    }
    shapes = {f"{part}.{key}": shape for part, entries in parts.items() for key, shape in entries.items()}
    told = {
        "encoder_size": side,
        "widths": list(widths),
        "units": list(units),
        "heads": heads,
        "holds": "inversion",
    }
    options = {**generator_of(channels, w_dim, n_mlp), **told}
    return Released("e4e", heads, shapes | {"latent_avg": (n_latent, w_dim)}, options, attributes=0)


CONFIG_F = (512, 512, 512, 512, 512, 256, 128, 64, 32)
IR_SE50 = (256, (64, 128, 256, 512), (3, 4, 14, 3))
FIVE_LAYERS = {"layers": 5, "skip": 1, "inject": 1}
UNITS = {"layers": 5, "skip": 4, "inject": 4}
RELEASED = [  # as the authors trained them, and where rules bend: clamped widths, 7 layers, 40 labels
    port(width=64, **FIVE_LAYERS),
    port(width=64, layers=5, skip=1, inject=0),
    port(width=48, **FIVE_LAYERS),
    port(width=64, attributes=40, **FIVE_LAYERS),
    tensorflow("attgan", width=64, **FIVE_LAYERS),
    tensorflow("attgan", width=48, layers=7, skip=1, inject=1),
    tensorflow("attgan", width=64, layers=5, skip=0, inject=3),
    tensorflow("attgan", width=64, layers=5, skip=4, inject=2),
    tensorflow("attgan", "tf2", width=48, **FIVE_LAYERS),
    tensorflow("stgan", unit="stu", width=64, unit_width=0, **UNITS),
    tensorflow("stgan", unit="stu", width=48, unit_width=64, **UNITS),
    tensorflow("stgan", unit="stu", width=48, unit_width=0, layers=7, skip=6, inject=6),
    tensorflow("lstunet", unit="lstu", width=64, **UNITS),
    tensorflow("lstunet", unit="lstu", width=32, attributes=5, **UNITS),
    tensorflow("lstunet", unit="lstu", width=48, layers=7, skip=6, inject=6),
    stargan(64, 6),
    stargan(64, 6, attributes=13),
    stargan(16, 3),
    *(sagan(attribute, 32, 4) for attribute in PUBLISHED),
    generator("rosinality", CONFIG_F, 512, 8),
    generator("nvidia", CONFIG_F, 512, 8),
    generator("nvidia", (512, 512, 512, 512, 256, 128, 64), 512, 2),
    inversion("e4e", CONFIG_F, 512, 8, *IR_SE50),
    inversion("psp", CONFIG_F[:7], 512, 8, *IR_SE50),
    inversion("e4e", (64, 64, 64, 32, 16), 64, 4, 64, (8, 16, 32, 64), (2, 2, 2, 2)),
]
SMALL = [
    port(width=8, **FIVE_LAYERS),
    tensorflow("attgan", width=8, **FIVE_LAYERS),
    tensorflow("attgan", "tf2", width=8, **FIVE_LAYERS),
    tensorflow("stgan", unit="stu", width=8, unit_width=0, layers=3, skip=2, inject=2),
    tensorflow("lstunet", unit="lstu", width=8, layers=3, skip=2, inject=2),
    stargan(8, 1),
    sagan("Eyeglasses", 2, 1),
    generator("rosinality", (4, 4), 4, 1),
    generator("nvidia", (4, 4), 4, 1),
    inversion("e4e", (4, 4, 4), 4, 1, 32, (2, 3, 4, 6), (1, 1, 1, 1)),
    inversion("psp", (4, 4, 4), 4, 1, 32, (2, 3, 4, 6), (1, 1, 1, 1)),
]
TOLD_BY_SETTINGS = {"e4e", "psp"}  # the same tensors: the file's own settings say which
every_format = pytest.mark.parametrize("released", SMALL, ids=str)


def is_left(released: Released, key: str) -> bool:
    """Whether the importer ignores a tensor: statistics of StarGAN, filters that NVIDIA repeats."""
    return (released.method == "stargan" and "running" in key) or key.endswith("resample_filter")


def without_memory(shapes: variables.Shapes) -> dict[str, Tensor]:
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


# ---- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("released", RELEASED, ids=str)
def test_options_and_attributes_are_read_off_the_shapes(released: Released) -> None:
    found = released.convert(without_memory(released.shapes))
    assert (dict(found.options), found.attributes) == (released.options, released.attributes)


def test_every_layout_of_the_catalog_is_among_those_tested() -> None:
    offered = {(method.name, name) for method in catalog().methods.values() for name in method.layouts}
    assert offered == {(released.method, released.layout) for released in RELEASED}
    same = {("sagan", attribute.lower()) for attribute in PUBLISHED[1:]}  # other names of one format
    assert offered - same == {(released.method, released.layout) for released in SMALL}


# ---- tensors --------------------------------------------------------------------------------------


def test_a_tensorflow_kernel_gives_the_same_convolution() -> None:
    """y[i, j, o] = Σ x[2i + a − 1, 2j + b − 1, c] · w[a, b, c, o]: SAME, 4×4, stride 2, on an even side."""
    released = SMALL[1]
    tensors = variables.drawn(released.shapes, 0)
    kernel = tensors["Genc/Conv/weights"]  # (4, 4, in, out)
    x = torch.randn(6, 6, 3, generator=torch.Generator().manual_seed(0))
    wanted = torch.zeros(3, 3, kernel.shape[3])
    for i, j, a, b in torch.cartesian_prod(*map(torch.arange, (3, 3, 4, 4))).tolist():
        row, column = 2 * i + a - 1, 2 * j + b - 1
        if 0 <= row < 6 and 0 <= column < 6:
            wanted[i, j] += x[row, column] @ kernel[a, b]
    ours = released.convert(tensors).state["editor.enc.0.conv.weight"]
    found = nn.functional.conv2d(x.permute(2, 0, 1)[None], ours, stride=2, padding=1)[0].permute(1, 2, 0)
    assert torch.allclose(found, wanted, atol=1e-5)  # sums of 48 products in another order


def test_a_transposed_tensorflow_kernel_is_not_flipped() -> None:
    """y[2i + a − 1, 2j + b − 1, o] += Σ x[i, j, c] · w[a, b, o, c]: each pixel stamps the kernel as it is."""
    released = SMALL[1]
    tensors = variables.drawn(released.shapes, 0)
    kernel = tensors["Gdec/Conv2d_transpose_2/weights"]  # (4, 4, out, in)
    x = torch.randn(3, 3, kernel.shape[3], generator=torch.Generator().manual_seed(0))
    wanted = torch.zeros(6, 6, kernel.shape[2])
    for i, j, a, b in torch.cartesian_prod(*map(torch.arange, (3, 3, 4, 4))).tolist():
        row, column = 2 * i + a - 1, 2 * j + b - 1
        if 0 <= row < 6 and 0 <= column < 6:
            wanted[row, column] += kernel[a, b] @ x[i, j]
    ours = released.convert(tensors).state["editor.dec.2.conv.weight"]
    found = nn.functional.conv_transpose2d(x.permute(2, 0, 1)[None], ours, stride=2, padding=1)[0]
    assert torch.allclose(found.permute(1, 2, 0), wanted, atol=1e-5)
    mirrored = nn.functional.conv_transpose2d(x.permute(2, 0, 1)[None], ours.flip(2, 3), stride=2, padding=1)[
        0
    ]
    assert not torch.allclose(mirrored.permute(1, 2, 0), wanted, atol=1e-2)


def test_parts_of_a_batch_norm_are_not_exchanged() -> None:
    released = SMALL[1]
    tensors = variables.drawn(released.shapes, 0)
    parts = {
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    state = released.convert(tensors).state
    for theirs, ours in parts.items():
        for scope, layer in (("Genc/Conv_1", "enc.1"), ("Gdec/Conv2d_transpose", "dec.0")):
            assert torch.equal(state[f"editor.{layer}.bn.{ours}"], tensors[f"{scope}/BatchNorm/{theirs}"])


@pytest.mark.parametrize(
    ("released", "unit", "order"),
    [(SMALL[3], STU, ("reset", "update", "hidden")), (SMALL[4], LSTU, ("linear", "forget", "reset"))],
    ids=["stgan", "lstunet"],
)
def test_convolutions_of_a_unit_are_in_the_released_order(
    released: Released, unit: type[nn.Module], order: tuple[str, ...]
) -> None:
    """STGAN: r, z, h; LSTU-Net: 1×1, f, r; three numbers per level, the deepest first."""
    assert {name for name, _ in unit(deeper=2, width=1, attributes=1, **_encoder(unit)).named_children()} == {
        "up",
        *order,
    }
    tensors = variables.drawn(released.shapes, 0)
    state = released.convert(tensors).state
    for level in range(2):
        for place, name in enumerate(order):
            theirs = f"Gstu/{variables.numbered('Conv', 3 * level + place)}/biases"
            assert torch.equal(state[f"editor.units.{level}.{name}.bias"], tensors[theirs])


def _encoder(unit: type[nn.Module]) -> dict[str, int]:
    return {"encoder": 1} if "encoder" in inspect.signature(unit).parameters else {}


def test_running_statistics_of_stargan_are_dropped() -> None:
    """They belong to no picture, and the released test program never used them."""
    released = SMALL[5]
    found = released.convert(variables.drawn(released.shapes, 0))
    assert not [key for key in found.state if "running" in key]
    assert set(found.ignored) == {key for key in released.shapes if "running" in key}


def test_a_counter_that_older_files_lack_is_filled_in() -> None:
    released = SMALL[0]
    tensors = variables.drawn(released.shapes, 0)
    old = {key: value for key, value in tensors.items() if "num_batches" not in key}
    with_counter, without = released.convert(tensors).state, released.convert(old).state
    assert with_counter.keys() == without.keys()
    assert without["editor.enc.0.bn.num_batches_tracked"] == 0


# ---- what surrounds them --------------------------------------------------------------------------


def test_savers_prefixes_and_other_networks_of_the_port_are_told_apart() -> None:
    released = SMALL[0]
    tensors = variables.drawn(released.shapes, 0)
    others = {
        "D.conv.0.layers.0.weight": torch.zeros(8, 3, 4, 4),
        "D.module.fc_cls.1.layers.0.bias": torch.zeros(13),
        "optim_G.state.0.exp_avg": torch.zeros(1),
        "optim_D.state.0.exp_avg": torch.zeros(1),
    }
    for prefix in ("G.", "module.", "G.module."):
        found = released.convert({**{f"{prefix}{key}": value for key, value in tensors.items()}, **others})
        assert set(found.ignored) == set(others)
        assert torch.equal(found.state["editor.dec.4.conv.bias"], tensors["dec_layers.4.layers.0.bias"])


@pytest.mark.parametrize(
    ("released", "scope"), [(SMALL[1], "D"), (SMALL[2], "ConvD"), (SMALL[3], "D")], ids=str
)
def test_what_a_tensorflow_saver_adds_is_ignored(released: Released, scope: str) -> None:
    first = next(iter(released.shapes))
    critic = variables.tensorflow_critic(width=8, layers=5, fc=4, size=64, attributes=13, scope=scope)
    others = {
        **{key: torch.zeros(shape) for key, shape in critic.items()},
        f"{first}/Adam": torch.zeros(3),
        f"{first}/Adam_1": torch.zeros(3),
        f"{scope}/Conv/weights/Adam": torch.zeros(3),
        "beta1_power": torch.tensor(0.5),
        "beta2_power_1": torch.tensor(0.5),
        "counter/counter": torch.tensor(947_000),
    }
    tensors = variables.drawn(released.shapes, 0)
    found = released.convert({f"{key}:0": value for key, value in {**tensors, **others}.items()})
    assert set(found.ignored) == {f"{key}:0" for key in others}
    assert len(found.state) == len(released.convert(tensors).state)


def test_checkpoints_that_tensorflow_saves_by_object_are_read() -> None:
    """AttGAN's second release: `tf.train.Checkpoint(**{v.name: v})`, slashes written as `.S`."""
    released = SMALL[2]
    tensors = variables.drawn(released.shapes, 0)
    others = {"beta1_power:0": torch.tensor(0.5), "UNetGenc/Conv/weights/Adam:0": torch.zeros(1)}
    named = {
        **{f"{key}:0": value for key, value in tensors.items()},
        **others,
        "save_counter": torch.tensor(5),
    }
    saved = {f"{key.replace('/', '.S')}/.ATTRIBUTES/VARIABLE_VALUE": value for key, value in named.items()}
    found, wanted = released.convert(saved), released.convert(tensors)
    assert len(found.ignored) == 3 and found.state.keys() == wanted.state.keys()
    assert all(torch.equal(value, wanted.state[key]) for key, value in found.state.items())


@every_format
def test_every_tensor_that_is_missing_is_named(released: Released) -> None:
    tensors = without_memory(released.shapes)
    for key in tensors:
        rest = {other: value for other, value in tensors.items() if other != key}
        if key.endswith("num_batches_tracked") or is_left(released, key):
            released.convert(rest)
            continue
        with pytest.raises(WrongWeights, match=rf"missing {key} "):
            released.convert(rest)


@every_format
def test_a_tensor_that_nobody_knows_is_an_error(released: Released) -> None:
    tensors = without_memory(released.shapes) | {"Genc/Conv_1/extra": torch.empty(2, device="meta")}
    with pytest.raises(WrongWeights, match=r"1 of its keys do not fit:\n  unknown Genc/Conv_1/extra$"):
        released.convert(tensors)


@every_format
def test_a_tensor_of_any_other_shape_is_refused(released: Released) -> None:
    tensors = without_memory(released.shapes)
    for key, value in tensors.items():
        if is_left(released, key):
            continue
        for shape in ((*value.shape, 2), (5, *value.shape[1:])):
            with pytest.raises(WrongWeights, match="wanted"):
                released.convert({**tensors, key: torch.empty(shape, device="meta")})


@every_format
@pytest.mark.parametrize("other", SMALL, ids=str)
def test_checkpoints_of_another_format_are_refused(released: Released, other: Released) -> None:
    if {released.layout, other.layout} <= TOLD_BY_SETTINGS:
        return
    if (released.method, released.layout) != (other.method, other.layout):
        with pytest.raises(WrongWeights):
            released.convert(without_memory(other.shapes))
