"""With the same weights, our networks give what the released programs give.

The released arithmetic stands in `official/`, written apart from our networks and from the importer. It was
compared with the released programs themselves (TensorFlow's code under its version 1 interface, PyTorch's as
it is): equal to 8e-7 in float32, for the PyTorch programs exactly. The golden numbers are those of float64;
the released programs give the same in float32, to 2e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from faceedit_plugins import attgan, lstunet, stargan, stgan
from faceedit_plugins.attgan.model import generator as attgan_generator
from faceedit_plugins.lstunet.model import generator as lstunet_generator
from faceedit_plugins.stargan.model import Critic as StarGANCritic
from faceedit_plugins.stargan.model import Generator as stargan_generator
from faceedit_plugins.stgan.model import generator as stgan_generator
from faceedit_plugins.unet.critic import Critic
from official import attgan_port, tensorflow, variables
from official import stargan as official_stargan
from official.variables import along_a_sine, drawn
from torch import Tensor, nn

from faceedit_bench.api import THIRTEEN, EditBatch

BUILD = {
    attgan: attgan_generator,
    stgan: stgan_generator,
    lstunet: lstunet_generator,
    stargan: stargan_generator,
}
Variables = dict[str, Tensor]


@dataclass(frozen=True)
class Case:
    """A released program at a small width, and our name for its checkpoints."""

    method: ModuleType
    layout: str
    shapes: variables.Shapes
    official: Callable[..., Tensor]
    tolerance: float = 1e-5  # float32, of values in [-1, 1]: the sums of both sides run in other orders
    side: int = 64  # pixels
    attributes: tuple[str, ...] = THIRTEEN
    wanted: dict[str, Any] = field(default_factory=dict)  # options that the importer has to find out


def tensorflow_case(
    method: ModuleType, official: Callable[..., Tensor], layout: str = "tf1", **settings: Any
) -> Case:
    sizes = {"width": 4, "layers": 5, "attributes": 13, **settings}
    side = 2 ** (sizes["layers"] + 1)
    wanted = {
        "width": sizes["width"],
        "layers": sizes["layers"],
        "skip": sizes["shortcut"],
        "inject": sizes["inject"],
    }
    return Case(method, layout, variables.tensorflow_generator(**sizes), official, side=side, wanted=wanted)


def attgan_case(shortcut: int, inject: int, layers: int = 5) -> Case:
    official = partial(tensorflow.attgan, shortcut=shortcut, inject=inject)
    return tensorflow_case(attgan, official, shortcut=shortcut, inject=inject, layers=layers)


def port_case(inject: int) -> Case:
    shapes = variables.port_generator(width=4, layers=5, attributes=13, shortcut=1, inject=inject)
    official = partial(attgan_port.attgan, inject=inject)
    return Case(attgan, "port", shapes, official, tolerance=1e-6, wanted={"skip": 1, "inject": inject})


def stargan_case(attributes: tuple[str, ...] = stargan.FIVE, counters: bool = True) -> Case:
    shapes = variables.stargan_generator(width=8, attributes=len(attributes), counters=counters)
    wanted = {"width": 8, "blocks": 6}
    return Case(
        stargan,
        "official",
        shapes,
        official_stargan.stargan,
        tolerance=1e-6,
        attributes=attributes,
        wanted=wanted,
    )


UNITS = {"shortcut": 4, "inject": 4}
SIX_UNITS = {"shortcut": 6, "inject": 6, "layers": 7, "width": 2}
CASES = {
    "attgan": attgan_case(1, 1),
    "attgan-inject-0": attgan_case(1, 0),
    "attgan-no-skip": attgan_case(0, 2),
    "attgan-all-skips": attgan_case(4, 4),
    "attgan-hr": attgan_case(1, 1, layers=7),
    "attgan-v2": tensorflow_case(
        attgan, partial(tensorflow.attgan, prefix="UNet"), "tf2", shortcut=1, inject=1, prefix="UNet"
    ),
    "attgan-port": port_case(inject=1),
    "attgan-port-inject-0": port_case(inject=0),
    "stgan": tensorflow_case(stgan, tensorflow.stgan, **UNITS, unit="stu"),
    "stgan-384": tensorflow_case(stgan, tensorflow.stgan, **UNITS, unit="stu", width=3, unit_width=4),
    "stgan-hr": tensorflow_case(stgan, tensorflow.stgan, **SIX_UNITS, unit="stu"),
    "lstunet": tensorflow_case(lstunet, tensorflow.lstunet, **UNITS, unit="lstu"),
    "lstunet-hr": tensorflow_case(lstunet, tensorflow.lstunet, **SIX_UNITS, unit="lstu"),
    "stargan": stargan_case(),
    "stargan-of-pytorch-0.3": stargan_case(counters=False),
    "stargan-thirteen": stargan_case(THIRTEEN),
}
WITH_BATCH_NORM = [name for name in CASES if not name.startswith("stargan")]


def ours(case: Case, weights: Variables, **changes: Any) -> nn.Module:
    """Our network in inference mode, through the importer; `changes` are wrong options for it."""
    spec = case.method.faceedit_methods()[0]
    layout = spec.layouts[case.layout]
    made = layout.convert(weights)
    options = replace(spec.presets[layout.preset].options, **made.options, attributes=case.attributes)
    network = BUILD[case.method](replace(options, **changes))
    network.load_state_dict({key.removeprefix("editor."): value for key, value in made.state.items()})
    return network.eval()


def asked(case: Case, batch: int = 2, seed: int = 7) -> tuple[Tensor, Tensor]:
    """Pictures, and a condition as the method knows it: labels for StarGAN, signed values otherwise."""
    generator = torch.Generator().manual_seed(seed)
    images = 2 * torch.rand(batch, 3, case.side, case.side, generator=generator) - 1
    entries = torch.randint(0, 3, (batch, len(case.attributes)), generator=generator).float()
    return images, entries.clamp(max=1) if case.method is stargan else 1.5 * (entries - 1)


def double(weights: Variables) -> Variables:
    return {name: value.double() if value.is_floating_point() else value for name, value in weights.items()}


def furthest(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


# ---- generators -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_edits_equal_the_released_network(name):
    case = CASES[name]
    weights = drawn(case.shapes, seed=1)
    network = ours(case, weights)
    images, condition = asked(case)
    theirs = case.official(weights, images, condition)
    assert theirs.std() > 0.05  # the pictures have content that could differ
    assert furthest(network(images, condition), theirs) < case.tolerance


@pytest.mark.parametrize("name", CASES)
@torch.no_grad()
def test_nothing_but_rounding_parts_the_two(name):
    case = CASES[name]
    weights = drawn(case.shapes, seed=2)
    network = ours(case, weights).double()
    images, condition = (tensor.double() for tensor in asked(case))
    theirs = case.official(double(weights), images, condition)
    assert furthest(network(images, condition), theirs) < 1e-12  # float64 rounds 10⁹ times finer than float32


@pytest.mark.parametrize("name", WITH_BATCH_NORM)
@torch.no_grad()
def test_batch_statistics_are_used_in_training_as_in_the_released_network(name):
    case = CASES[name]
    weights = drawn(case.shapes, seed=3)
    network = ours(case, weights).double().train()
    images, condition = (tensor.double() for tensor in asked(case))
    theirs = case.official(double(weights), images, condition, True)
    # the deepest levels of two pictures have a few values per channel: small variances enlarge the rounding
    assert furthest(network(images, condition), theirs) < 1e-9
    assert furthest(theirs, case.official(double(weights), images, condition, False)) > 0.05


@torch.no_grad()
def test_moving_statistics_decay_as_in_tensorflow():
    case = CASES["attgan"]
    weights = double(drawn(case.shapes, seed=4))
    network = ours(case, weights).double().train()
    images, condition = (tensor.double() for tensor in asked(case))
    network(images, condition)
    values = tensorflow.conv(tensorflow.nhwc(images), weights["Genc/Conv/weights"])
    norm = "Genc/Conv/BatchNorm"
    mean = 0.999 * weights[f"{norm}/moving_mean"] + 0.001 * values.mean((0, 1, 2))
    variance = 0.999 * weights[f"{norm}/moving_variance"] + 0.001 * values.var((0, 1, 2))  # of the sample
    torch.testing.assert_close(network.enc[0].bn.running_mean, mean, rtol=1e-9, atol=0)
    torch.testing.assert_close(network.enc[0].bn.running_var, variance, rtol=1e-9, atol=0)


@torch.no_grad()
def test_stargan_never_looks_at_running_statistics():
    case = CASES["stargan"]
    weights = drawn(case.shapes, seed=1)
    images, labels = asked(case)
    statistics = {name: 100 * value for name, value in weights.items() if "running" in name}
    before, after = ours(case, weights), ours(case, {**weights, **statistics})
    assert torch.equal(before(images, labels), after(images, labels))
    assert torch.equal(before(images, labels), before.train()(images, labels))


@pytest.mark.parametrize("name", CASES)
def test_the_importer_finds_the_sizes(name):
    case = CASES[name]
    layout = case.method.faceedit_methods()[0].layouts[case.layout]
    made = layout.convert(drawn(case.shapes, seed=1))
    assert case.wanted.items() <= dict(made.options).items()
    assert made.attributes in (0, len(case.attributes))


def test_the_importer_finds_units_wider_than_the_encoder():
    case = CASES["stgan-384"]
    made = stgan.faceedit_methods()[0].layouts["tf1"].convert(drawn(case.shapes, seed=1))
    assert made.options["unit_width"] == 4


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("attgan", {"slope": 0.01}),
        ("attgan", {"epsilon": 1e-5}),
        ("attgan-v2", {"slope": 0.01}),
        ("attgan-port", {"slope": 0.2}),
        ("attgan-port", {"epsilon": 1e-3}),
        ("stgan", {"slope": 0.01}),
        ("stgan", {"epsilon": 1e-5}),
        ("lstunet", {"slope": 0.01}),
        ("lstunet", {"epsilon": 1e-5}),
    ],
)
@torch.no_grad()
def test_a_wrong_slope_or_epsilon_shows_in_the_picture(name, wrong):
    case = CASES[name]
    weights = drawn(case.shapes, seed=1)
    images, condition = asked(case)
    theirs = case.official(weights, images, condition)
    assert furthest(ours(case, weights, **wrong)(images, condition), theirs) > 1e-3


# ---- from labels to pictures ----------------------------------------------------------------------


@dataclass(frozen=True)
class Weights:
    """A LoadContext with imported weights."""

    state: Mapping[str, Tensor]
    device: str = "cpu"

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        network.load_state_dict(self.state)
        return network.eval()


def fed(name: str, source: Tensor, target: Tensor, edited: Tensor) -> Tensor:
    """What the released test programs feed for labels in {0, 1}; `edited` marks the flipped attribute."""
    if name == "stargan":
        return target
    half = 1.0 if name == "attgan-v2" else 0.5  # labels become ±half
    code = torch.where(edited, 2.0, 1.0) * (2 * target - 1) * half
    return code if name.startswith("attgan") else code - (2 * source - 1) * half


@pytest.mark.parametrize("name", ["attgan", "attgan-v2", "attgan-port", "stgan", "lstunet", "stargan"])
@torch.no_grad()
def test_labels_lead_to_the_pictures_of_the_released_test_programs(name):
    case = CASES[name]
    spec = case.method.faceedit_methods()[0]
    layout, weights = spec.layouts[case.layout], drawn(case.shapes, seed=8)
    made = layout.convert(weights)
    options = replace(spec.presets[layout.preset].options, **made.options)
    editor = spec.load(options, Weights(made.state))

    images, _ = asked(case, batch=3)
    names = list(case.attributes)
    source = torch.zeros(3, len(names))
    source[:, names.index("Black_Hair")] = source[0, names.index("Young")] = 1
    target, edited = source.clone(), torch.zeros_like(source, dtype=torch.bool)
    edited[0, names.index("Young")] = edited[1, names.index("Blond_Hair")] = True  # the third: reconstruct
    target[0, names.index("Young")] = target[1, names.index("Black_Hair")] = 0  # hair: the conflict rule
    target[1, names.index("Blond_Hair")] = 1
    batch = EditBatch(images, source, target, edited, torch.ones(3), torch.arange(3), case.attributes)

    theirs = case.official(weights, images, fed(name, source, target, edited))
    assert furthest(editor.edit(batch), theirs) < case.tolerance


# ---- discriminators -------------------------------------------------------------------------------

CRITIC = {"width": 4, "layers": 5, "fc": 8, "size": 64, "attributes": 13}


def our_critic(weights: Variables, scope: str) -> Critic:
    """Critics are not imported for editing; their names are translated here."""
    state = {}
    for i in range(CRITIC["layers"]):
        layer = tensorflow.numbered(f"{scope}/Conv", i)
        state[f"trunk.{i}.conv.weight"] = weights[f"{layer}/weights"].permute(3, 2, 0, 1)
        state[f"trunk.{i}.norm.weight"] = weights[f"{layer}/InstanceNorm/gamma"]
        state[f"trunk.{i}.norm.bias"] = weights[f"{layer}/InstanceNorm/beta"]
    for j, head in enumerate(("adversarial.0", "adversarial.2", "attributes.0", "attributes.2")):
        name = tensorflow.dense(scope, j)
        matrix = weights[f"{name}/weights"]
        if head.endswith(".0"):  # rows run over height, width, channel there; channel, height, width here
            matrix = matrix.reshape(2, 2, -1, CRITIC["fc"]).permute(2, 0, 1, 3).flatten(0, 2)
        state[f"{head}.weight"], state[f"{head}.bias"] = matrix.T, weights[f"{name}/biases"]
    network = Critic(**CRITIC)
    network.load_state_dict(state)
    return network


@pytest.mark.parametrize("scope", ["D", "ConvD"])
@torch.no_grad()
def test_the_discriminator_equals_the_released_one(scope):
    weights = drawn(variables.tensorflow_critic(**CRITIC, scope=scope), seed=5)
    images, _ = asked(CASES["attgan"])
    score, logits = tensorflow.critic(weights, images, scope)
    by_us = our_critic(weights, scope)
    assert furthest(by_us(images)[0], score[:, 0]) < 1e-5
    assert furthest(by_us(images)[1], logits) < 1e-5
    score, logits = tensorflow.critic(double(weights), images.double(), scope)
    assert furthest(by_us.double()(images.double())[0], score[:, 0]) < 1e-12
    assert furthest(by_us(images.double())[1], logits) < 1e-12


def our_stargan_critic(weights: Variables) -> StarGANCritic:
    names = {"main": "trunk", "conv1": "patches", "conv2": "attributes"}
    state = {
        ".".join([names[first], *rest]): value
        for (first, *rest), value in ((name.split("."), value) for name, value in weights.items())
    }
    network = StarGANCritic(stargan.Options(critic_width=4, size=128))
    network.load_state_dict(state)
    return network


@torch.no_grad()
def test_stargans_discriminator_equals_the_released_one():
    weights = drawn(variables.stargan_critic(width=4, attributes=5, size=128), seed=6)
    images, _ = asked(replace(CASES["stargan"], side=128))
    scores, logits = official_stargan.critic(weights, images)
    assert scores.shape == (2, 1, 2, 2)
    by_us = our_stargan_critic(weights)(images)
    assert furthest(by_us[0], scores[:, 0]) < 1e-6
    assert furthest(by_us[1], logits) < 1e-6


# ---- golden numbers -------------------------------------------------------------------------------

SPOTS = [(0, 0, 0, 0), (0, 1, 30, 17), (1, 2, 63, 40), (1, 0, 20, 63)]  # picture, channel, row, column
GOLDEN = {
    "attgan": [0.35738396, -0.11192376, -0.96011345, 0.26466769],
    "attgan-v2": [0.35738396, -0.11192376, -0.96011345, 0.26466769],
    "attgan-port": [-0.05401061, -0.64639412, 0.35508971, -0.22139369],
    "stgan": [0.31660897, -0.03169006, 0.07504860, 0.71506370],
    "stgan-384": [0.08131838, 0.56918572, -0.02635479, 0.28033422],
    "lstunet": [0.31126258, -0.20392327, 0.01919356, 0.71753357],
    "stargan": [-0.13352254, 0.29183290, -0.13691968, 0.04721842],
}


def along_sine_pictures(side: int, batch: int = 2) -> Tensor:
    """sin(index²), index in order of picture, channel, row, column."""
    shape = (batch, 3, side, side)
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(index.square()).reshape(shape).float()


def along_sine_condition(case: Case) -> Tensor:
    """The signs of sin(1), sin(2), ...; for StarGAN 1 where positive, else 0."""
    waves = torch.sin(torch.arange(2 * len(case.attributes), dtype=torch.float64) + 1)
    signs = torch.sign(waves).reshape(2, -1).float()
    return signs.clamp(min=0) if case.method is stargan else signs


def close(value: float) -> Any:
    return pytest.approx(value, abs=2e-8)  # float64, printed with eight decimals


@pytest.mark.parametrize("name", GOLDEN)
@torch.no_grad()
def test_sine_weights_give_the_golden_pictures(name):
    case = CASES[name]
    weights = along_a_sine(case.shapes)
    images, condition = along_sine_pictures(case.side).double(), along_sine_condition(case).double()
    by_us = ours(case, weights).double()(images, condition)
    by_them = case.official(double(weights), images, condition)
    for spot, value in zip(SPOTS, GOLDEN[name], strict=True):
        assert float(by_us[spot]) == close(value)
        assert float(by_them[spot]) == close(value)


@torch.no_grad()
def test_sine_weights_give_the_golden_scores():
    weights = along_a_sine(variables.tensorflow_critic(**CRITIC))
    images = along_sine_pictures(64).double()
    by_them = tensorflow.critic(double(weights), images)
    for score, logits in (our_critic(weights, "D").double()(images), by_them):
        assert score.flatten().tolist() == close([-0.44940370, -0.48753601])
        assert logits[:, :3].flatten().tolist() == close(
            [0.41380998, 0.04165400, 0.14028857, 0.37770072, 0.04921239, 0.10493032]
        )


@torch.no_grad()
def test_sine_weights_give_stargans_golden_scores():
    weights = along_a_sine(variables.stargan_critic(width=4, attributes=5, size=128))
    images = along_sine_pictures(128).double()
    by_them = official_stargan.critic(double(weights), images)
    for scores, logits in (our_stargan_critic(weights).double()(images), by_them):
        assert scores[0].flatten().tolist() == close([-0.04086907, 0.05748432, 0.07223652, 0.12547768])
        assert logits[0].tolist() == close([-0.06922461, 0.09434798, -0.04180049, -0.15923769, 0.02078330])
