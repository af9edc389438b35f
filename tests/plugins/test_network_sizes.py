"""Parameters and FLOPs of every network, against counts of the released graphs and of the papers' variants.

Networks are built on the meta device: counting a 768-pixel network of a gigabyte takes no memory. FLOPs are
for one picture, 2 per multiply-add of convolutions and linear layers, transposed convolutions at their
input resolution. CooGAN's own networks are counted in test_coogan_networks.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from faceedit_plugins import attgan, lstunet, stargan, stgan
from faceedit_plugins.attgan.model import generator as attgan_generator
from faceedit_plugins.lstunet.model import generator as lstunet_generator
from faceedit_plugins.stargan.model import Critic, Generator
from faceedit_plugins.stgan.model import generator as stgan_generator
from faceedit_plugins.unet.generator import UNet
from faceedit_plugins.unet.training import critic
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.api import THIRTEEN

FORTY = tuple(f"attribute {number}" for number in range(40))


def on_meta(build: Callable[..., nn.Module], options: object) -> nn.Module:
    with torch.device("meta"):
        return build(options).eval()


def parameters(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def flops(network: nn.Module, side: int, attributes: int = 0) -> Counter[str]:
    """Per part of the network ("total", "enc", "units", "dec"); with `attributes`, it takes a condition."""
    inputs = [torch.empty(1, 3, side, side, device="meta")]
    if attributes:
        inputs.append(torch.empty(1, attributes, device="meta"))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    parts = Counter(total=counter.get_total_flops())
    for name, operations in counter.get_flop_counts().items():
        if name.count(".") == 2:  # such as UNet.units.0
            parts[name.split(".")[1]] += sum(operations.values())
    return parts


# ---- StarGAN --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "size", "generator_counts", "critic_counts"),
    [
        (5, 128, (8_430_528, 19_920_846_848), (44_762_048, 1_367_572_480)),
        (13, 128, (8_455_616, 20_742_930_432), (44_827_584, 1_367_703_552)),
        (5, 256, (8_430_528, 79_683_387_392), (44_884_928, 5_470_289_920)),
        (13, 256, (8_455_616, 82_971_721_728), (45_147_072, 5_470_814_208)),
    ],
)
def test_stargan_has_the_released_sizes(attributes, size, generator_counts, critic_counts):
    options = replace(stargan.PAPER, attributes=FORTY[:attributes], size=size)
    generator, judge = on_meta(Generator, options), on_meta(Critic, options)
    assert (parameters(generator), flops(generator, size, attributes)["total"]) == generator_counts
    assert (parameters(judge), flops(judge, size)["total"]) == critic_counts


@pytest.mark.parametrize(("attributes", "size"), [(1, 64), (7, 128), (40, 256)])
def test_stargan_grows_with_its_attributes_as_the_closed_forms_say(attributes, size):
    options = replace(stargan.PAPER, attributes=FORTY[:attributes], size=size)
    assert parameters(on_meta(Generator, options)) == 8_414_848 + 3136 * attributes
    assert parameters(on_meta(Critic, options)) == 44_721_088 + 2048 * attributes * (size // 64) ** 2


def test_stargan_has_the_53_2_million_parameters_of_its_paper():
    both = parameters(on_meta(Generator, stargan.PAPER), on_meta(Critic, stargan.PAPER))
    assert both == 53_192_576  # table 3 counts generator and discriminator together


# ---- AttGAN ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "changes", "wanted_parameters", "wanted_flops"),
    [
        ("paper", {}, 43_459_203, 5_464_653_824),
        ("paper", {"inject": 0}, 43_352_707, 5_451_022_336),
        ("256", {}, 43_459_203, 21_858_615_296),
        ("384", {}, 24_508_899, 27_826_716_672),
        ("port", {}, 43_459_203, 5_464_653_824),
        ("v2", {}, 43_459_203, 5_464_653_824),
        ("hr", {}, 105_181_667, 119_287_185_408),
        ("hr", {"width": 64}, 123_265_667, 193_652_195_328),
        ("hr", {"width": 32}, 89_866_563, 64_249_528_320),
    ],
)
def test_attgan_has_the_released_sizes(preset, changes, wanted_parameters, wanted_flops):
    options = replace(attgan.PRESETS[preset].options, **changes)
    network = on_meta(attgan_generator, options)
    assert parameters(network) == wanted_parameters
    assert flops(network, options.size, len(THIRTEEN))["total"] == wanted_flops


@pytest.mark.parametrize("attributes", [1, 13, 40])
def test_attgan_grows_with_its_attributes_as_the_closed_form_says(attributes):
    options = replace(attgan.PAPER, attributes=FORTY[:attributes])
    assert parameters(on_meta(attgan_generator, options)) == 43_139_715 + 24_576 * attributes


def test_attgan_of_forty_attributes_has_44_million_parameters():
    assert parameters(on_meta(attgan_generator, replace(attgan.PAPER, attributes=FORTY))) == 44_122_755


@pytest.mark.parametrize(
    ("width", "encoder", "decoder"),
    [
        (64, [64, 128, 256, 512, 1024, 1024, 1024], [1024, 1024, 1024, 512, 256, 128, 3]),
        (48, [48, 96, 192, 384, 768, 1024, 1024], [1024, 1024, 768, 384, 192, 96, 3]),
        (32, [32, 64, 128, 256, 512, 1024, 1024], [1024, 1024, 512, 256, 128, 64, 3]),
    ],
)
def test_seven_layers_are_clamped_at_1024_channels(width, encoder, decoder):
    network = on_meta(attgan_generator, replace(attgan.PRESETS["hr"].options, width=width))
    assert [layer.conv.out_channels for layer in network.enc] == encoder
    assert [layer.conv.out_channels for layer in network.dec] == decoder
    assert network.dec[1].conv.in_channels == 1024 + 1024 + 13


# ---- STGAN ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "changes", "wanted", "units"),
    [
        ("paper", {}, (74_998_771, 15_023_079_424), (30_145_280, 8_372_617_216)),
        ("256", {}, (74_998_771, 60_092_317_696), (30_145_280, 33_490_468_864)),
        ("384", {"unit_width": 64}, (52_040_019, 103_400_865_792), (25_698_048, None)),  # as released
        ("hr", {}, (253_226_387, 394_180_558_848), None),
        ("hr", {"width": 64}, (323_331_059, 664_800_067_584), None),
        ("hr", {"width": 32}, (199_496_499, 198_152_552_448), None),
    ],
)
def test_stgan_has_the_released_sizes(preset, changes, wanted, units):
    options = replace(stgan.PRESETS[preset].options, **changes)
    network = on_meta(stgan_generator, options)
    counted = flops(network, options.size, len(THIRTEEN))
    assert (parameters(network), counted["total"]) == wanted
    if units:
        assert parameters(network.units) == units[0]
        assert units[1] in (None, counted["units"])


def test_stgan_at_384_with_units_as_wide_as_the_encoder():
    options = stgan.PRESETS["384"].options
    network = on_meta(stgan_generator, options)
    counted = flops(network, 384, len(THIRTEEN))
    assert (parameters(network), parameters(network.units)) == (42_303_891, 16_994_880)
    assert round(counted["total"] / 1e9, 3) == 76.503
    assert round(counted["units"] / 1e9, 3) == 42.473


@pytest.mark.parametrize("attributes", [1, 13, 40])
def test_stgan_grows_with_its_attributes_as_the_closed_form_says(attributes):
    options = replace(stgan.PAPER, attributes=FORTY[:attributes])
    assert parameters(on_meta(stgan_generator, options)) == 74_399_107 + 46_128 * attributes


def test_stgan_is_made_of_encoder_units_and_decoder():
    network = on_meta(stgan_generator, stgan.PAPER)
    assert parameters(network.enc) == 11_148_160
    assert parameters(network.dec) == 33_705_331
    levels = [parameters(unit) for unit in network.units]
    assert levels == [22_652_928, 5_690_368, 1_436_160, 365_824]
    assert levels == [86 * c**2 + 212 * c for c in (512, 256, 128, 64)]


@pytest.mark.parametrize(
    ("method", "width", "widths"),
    [
        ("stgan", 64, [1024, 1024, 512, 256, 128, 64]),
        ("stgan", 48, [1024, 768, 384, 192, 96, 48]),
        ("stgan", 32, [1024, 512, 256, 128, 64, 32]),
        ("lstunet", 64, [1024, 1024, 512, 256, 128, 64]),
        ("lstunet", 48, [1024, 768, 384, 192, 96, 48]),
        ("lstunet", 32, [1024, 512, 256, 128, 64, 32]),
    ],
)
def test_seven_layers_have_six_units(method, width, widths):
    plugin, build = {"stgan": (stgan, stgan_generator), "lstunet": (lstunet, lstunet_generator)}[method]
    network = on_meta(build, replace(plugin.PRESETS["hr"].options, width=width))
    assert [unit.up.out_channels for unit in network.units] == widths


# ---- LSTU-Net -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "changes", "wanted", "unit_parameters"),
    [
        ("paper", {}, (62_813_171, 10_325_458_944), 17_959_680),
        ("release", {}, (62_813_171, 10_325_458_944), 17_959_680),
        ("256", {"width": 64}, (62_813_171, 41_301_835_776), 17_959_680),
        ("256", {}, (15_859_507, 10_594_811_904), 4_540_800),
        ("hr", {}, (189_027_987, 264_702_394_368), None),
        ("hr", {"width": 64}, (237_745_139, 442_837_499_904), None),
        ("hr", {"width": 32}, (150_574_899, 134_734_675_968), None),
        ("sc4", {}, (44_853_491, 6_650_462_208), 0),  # the same U-Net with plain skips
    ],
)
def test_lstu_net_has_the_released_sizes(preset, changes, wanted, unit_parameters):
    options = replace(lstunet.PRESETS[preset].options, **changes)
    network = on_meta(lstunet_generator, options)
    assert (parameters(network), flops(network, options.size, len(THIRTEEN))["total"]) == wanted
    assert unit_parameters in (None, parameters(network.units))


def test_light_units_have_the_sizes_of_their_levels():
    network = on_meta(lstunet_generator, lstunet.PAPER)
    levels = [parameters(unit) for unit in network.units]
    assert levels == [13_477_888, 3_396_608, 862_720, 222_464]
    assert levels == [51 * c**2 + 212 * c for c in (512, 256, 128, 64)]


@pytest.mark.parametrize(
    ("unit", "width", "wanted_parameters", "wanted_gflops"),
    [
        ("stu", 16, 1_922_240, {128: 0.533, 256: 2.131, 384: 4.796}),
        ("stu", 32, 7_587_200, {128: 2.106, 256: 8.424, 384: 18.953}),
        ("stu", 64, 30_145_280, {128: 8.373, 256: 33.490, 384: 75.354}),
        ("lstu", 16, 1_160_640, {128: 0.239, 256: 0.957, 384: 2.153}),
        ("lstu", 32, 4_540_800, {128: 0.932, 256: 3.726, 384: 8.384}),
        ("lstu", 64, 17_959_680, {128: 3.675, 256: 14.700, 384: 33.075}),
    ],
)
def test_four_units_cost_what_was_measured_on_the_released_graphs(
    unit, width, wanted_parameters, wanted_gflops
):
    with torch.device("meta"):
        network = UNet(width=width, layers=5, attributes=13, skip=4, inject=4, unit=unit).eval()
    assert parameters(network.units) == wanted_parameters
    for side, wanted in wanted_gflops.items():
        assert round(flops(network, side, 13)["units"] / 1e9, 3) == wanted


# ---- the discriminator of the three ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "wanted_parameters", "wanted_flops"),
    [
        (attgan.PAPER, 44_718_990, 1_166_045_184),
        (stgan.PAPER, 44_718_990, 1_166_045_184),
        (lstunet.PAPER, 44_718_990, 1_166_045_184),
        (attgan.PRESETS["256"].options, 145_382_286, 4_664_094_720),
        (attgan.PRESETS["384"].options, 119_526_574, 5_832_194_048),
        (lstunet.PRESETS["256"].options, 53_132_750, 1_224_758_272),
        (attgan.PRESETS["hr"].options, 73_393_326, None),
        (stgan.PRESETS["hr"].options, 73_393_326, None),
        (lstunet.PRESETS["hr"].options, 73_393_326, None),
    ],
)
def test_the_discriminator_has_the_released_sizes(options, wanted_parameters, wanted_flops):
    network = on_meta(critic, options)
    assert parameters(network) == wanted_parameters
    assert wanted_flops in (None, flops(network, options.size)["total"])
