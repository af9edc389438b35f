"""CooGAN's networks have the paper's sizes, and their units compute the paper's equations."""

from __future__ import annotations

import pytest
import torch
from faceedit_plugins.coogan import DEMO, PAPER, Options
from faceedit_plugins.coogan.model import (
    generators,
    global_critic,
    global_generator,
    local_critic,
    local_generator,
)
from faceedit_plugins.coogan.pipeline import CooGAN
from faceedit_plugins.unet.generator import UNet
from faceedit_plugins.unet.units import LSTU, STU
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.api import THIRTEEN, BadConfig

A = len(THIRTEEN)


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def flops(network: nn.Module, *shapes: tuple[int, ...]) -> int:
    """2 per multiply-add of convolutions and linear layers, transposed ones at their input resolution."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*(torch.empty(shape) for shape in shapes))
    return counter.get_total_flops()


@pytest.mark.parametrize(
    ("options", "build", "side", "wanted_parameters", "wanted_flops"),
    [
        (PAPER, global_generator, 256, 15_859_507, 10_594_811_904),
        (Options(width=64), global_generator, 256, 62_813_171, 41_301_835_776),
        (PAPER, local_generator, 128, 15_861_043, 2_661_285_888),
        (Options(local_skip=1), local_generator, 128, 14_347_075, 1_630_928_896),
        (Options(local_width=64), local_generator, 128, 62_816_243, 10_350_624_768),
        (PAPER, global_critic, 256, 53_132_750, 1_224_758_272),
        (PAPER, local_critic, 768, 84_594_126, 13_853_807_616),
        (Options(local_view="macro", local_critic_layers=5), local_critic, 256, 53_132_750, 1_224_758_272),
    ],
)
def test_networks_have_the_sizes_of_the_paper(options, build, side, wanted_parameters, wanted_flops):
    with torch.device("meta"):
        network = build(options).eval()
        channels = 6 if build is local_generator else 3
        shapes = [(1, channels, side, side)]
        if build in (global_generator, local_generator):
            shapes.append((1, A))
        assert parameters(network) == wanted_parameters
        assert flops(network, *shapes) == wanted_flops


def test_the_whole_pipeline_costs_106_gflop_at_768():
    options = Options(keep_on_device=True)
    with torch.device("meta"):
        networks = generators(options).eval()
        editor = CooGAN(networks, options, "meta")
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            editor.edit_picture(torch.empty(1, 3, 768, 768), torch.empty(1, A))
    assert parameters(networks) == 31_720_550
    assert counter.get_total_flops() == 106_401_103_872


def test_the_demo_is_small_enough_to_ship_and_to_run():
    networks = generators(DEMO).eval()
    weights = sum(tensor.numel() * 4 for tensor in networks.state_dict().values())
    editor = CooGAN(networks, DEMO, "cpu")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        editor.edit_picture(torch.zeros(1, 3, 128, 128), torch.zeros(1, A))
    assert weights <= 8e6
    assert counter.get_total_flops() <= 1.5e9


# ---- units, against the equations written out -----------------------------------------------------


def transposed(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """A 4/2/1 transposed convolution as what it means: zeros between pixels, then the mirrored kernel."""
    batch, channels, height, width = x.shape
    spread = x.new_zeros(batch, channels, 2 * height - 1, 2 * width - 1)
    spread[:, :, ::2, ::2] = x
    kernel = layer.weight.flip(2, 3).transpose(0, 1)
    return nn.functional.conv2d(spread, kernel, layer.bias, padding=2)


def planes(state: Tensor, difference: Tensor) -> Tensor:
    side = state.shape[-1]
    return torch.cat([state, difference.view(*difference.shape, 1, 1).repeat(1, 1, side, side)], 1)


def unit_inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = [(2, 6, 8, 8), (2, 12, 4, 4), (2, A)]
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)


def test_lstu_computes_the_five_equations():
    torch.manual_seed(0)
    unit = LSTU(deeper=12, width=6, attributes=A).double()
    x, state, difference = unit_inputs()
    skip, new = unit(x, state, difference)

    h_hat = transposed(unit.up, planes(state, difference))
    f = 1 / (1 + torch.exp(-unit.forget(h_hat)))
    r = 1 / (1 + torch.exp(-unit.reset(h_hat)))
    h = f * x + (1 - f) * torch.einsum("oi,bihw->bohw", unit.linear.weight[:, :, 0, 0], h_hat)
    h = h + (1 - f) * unit.linear.bias.view(1, -1, 1, 1)
    x_hat = r * torch.where(h > 0, h, 0.2 * h) + (1 - r) * h_hat
    torch.testing.assert_close(new, h, rtol=1e-10, atol=1e-10)  # float64: only the order of sums differs
    torch.testing.assert_close(skip, x_hat, rtol=1e-10, atol=1e-10)


def test_stu_computes_its_equations_and_passes_the_reset_state():
    torch.manual_seed(0)
    unit = STU(deeper=12, encoder=6, width=5, attributes=A).double()
    x, state, difference = unit_inputs()
    skip, new = unit(x, state, difference)

    s_hat = transposed(unit.up, planes(state, difference))
    r = torch.sigmoid(unit.reset(torch.cat([x, s_hat], 1)))
    z = torch.sigmoid(unit.update(torch.cat([x, s_hat], 1)))
    candidate = torch.tanh(unit.hidden(torch.cat([x, r * s_hat], 1)))
    torch.testing.assert_close(new, r * s_hat, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(skip, (1 - z) * s_hat + z * candidate, rtol=1e-10, atol=1e-10)


def test_every_unit_sees_the_difference_and_units_are_chained_from_the_bottleneck():
    torch.manual_seed(0)
    network = UNet(width=4, layers=3, attributes=A, skip=2, inject=2).eval()
    seen = []
    for unit in network.units:
        unit.register_forward_hook(lambda unit, given, made: seen.append((given, made)))
    difference = torch.randn(1, A)
    features = network.encode(torch.randn(1, 3, 32, 32))
    network.decode(list(features), difference)
    (deep, deep_made), (shallow, _) = seen
    assert torch.equal(deep[1], features[2])  # state of the deepest unit: the bottleneck
    assert torch.equal(deep[0], features[1])
    assert torch.equal(shallow[0], features[0])
    assert torch.equal(shallow[1], deep_made[1])  # the state handed on is h, not the skip feature
    assert all(torch.equal(given[2], difference) for given, _ in seen)


def test_several_conditions_of_one_picture_equal_one_call_each():
    torch.manual_seed(0)
    network = UNet(width=4, layers=3, attributes=A, skip=2, inject=2).eval()
    images, conditions = torch.randn(2, 3, 16, 16), torch.randn(4, A)
    together = network(images, conditions)
    apart = torch.cat([network(images, conditions[:2]), network(images, conditions[2:])])
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-6)  # float32, other batch size


# ---- conventions of the TensorFlow code -----------------------------------------------------------


def test_normalisation_follows_tensorflow():
    network, critic = global_generator(DEMO), global_critic(DEMO)
    paper = UNet(width=4, layers=3, attributes=A, skip=2, inject=2, momentum=PAPER.momentum)
    norms = [module for module in paper.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.001)}
    assert all(layer.bn is not None for layer in network.enc)  # the first encoder layer as well
    assert {layer.norm.eps for layer in critic.trunk} == {1e-6}
    assert all(layer.norm.affine and not layer.norm.track_running_stats for layer in critic.trunk)


def test_checkpoint_keys_are_those_of_the_build_sheet():
    keys = set(generators(DEMO).state_dict())
    for key in (
        "global.enc.0.conv.weight",
        "global.enc.0.bn.running_mean",
        "global.units.0.up.weight",
        "global.units.2.forget.bias",
        "global.units.2.reset.weight",
        "global.units.2.linear.weight",
        "global.dec.3.conv.bias",
        "local.enc.0.conv.weight",
    ):
        assert key in keys
    assert generators(DEMO).state_dict()["local.enc.0.conv.weight"].shape[1] == 6
    assert not any("dec.3.bn" in key for key in keys if key.startswith("global"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"snapshot": 100}, "snapshot must be a multiple of 32, found 100"),
        ({"patch": 48}, "patch must be a multiple of 32, found 48"),
        ({"local_size": 700}, "local_size must be a multiple of 128, found 700"),
        ({"patch_batch": 0}, "patch_batch must be at least 1"),
        ({"consistency": 10.0, "local_view": "macro"}, "stitched"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(BadConfig, match=message):
        Options(**wrong)
