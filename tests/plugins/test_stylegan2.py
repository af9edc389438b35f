"""StyleGAN2: released sizes, the arithmetic of two released programs, hooks, noise, training losses.

The released arithmetic stands in official/stylegan2.py, written apart from our network. Quotes are of the
build sheet or the paper.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from faceedit_plugins.stylegan2 import layouts
from faceedit_plugins.stylegan2.discriminator import Discriminator
from faceedit_plugins.stylegan2.generator import Generator, StyleGAN2, noise_sides
from faceedit_plugins.stylegan2.layers import Blur, Upsample, blur_kernel
from faceedit_plugins.stylegan2.sizes import FULL1024, MICRO64, NANO32, SMALL128, TINY64, Sizes, config_f
from faceedit_plugins.stylegan2.training import Weights, gradient_energy, path_penalty, stage
from official import stylegan2 as official
from torch import Tensor, nn

from faceedit_bench.api import BadConfig, WrongWeights
from faceedit_bench.train import TrainBatch

TINY = Sizes(32, (12, 10, 8, 6), w_dim=16, n_mlp=3)
CODES = (3, TINY.n_latent, TINY.w_dim)


def count(tensors: object) -> int:
    return sum(value.numel() for value in tensors)


def drawn(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Random weights under which everything is seen: noise, biases and kernels that are not symmetric."""
    generator = torch.Generator().manual_seed(seed)
    values = {}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=generator)
        if name.endswith((".kernel", "resample_filter")):
            gain = 1.0 if name.endswith("resample_filter") else 4.0
            value = blur_kernel(gain)
        elif name.startswith(("style", "mapping.fc")) and name.endswith("weight"):
            value = 100 * value  # drawn over the rate of 0.01, as a new network is
        elif name.endswith(("modulation.bias", "affine.bias")):
            value = 1 + 0.3 * value
        elif name.endswith(("noise.weight", "noise_strength")):
            value = 0.2 + 0.1 * value
        elif name.endswith("bias"):
            value = 0.1 * value
        values[name] = value
    return values


def ours(found: layouts.Found) -> StyleGAN2:
    network = StyleGAN2(found.sizes)
    network.load_state_dict({key.removeprefix("stylegan2."): value for key, value in found.state.items()})
    return network.eval()


def codes(seed: int = 1) -> Tensor:
    return torch.randn(CODES, generator=torch.Generator().manual_seed(seed))


# ---- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "parameters", "mapping", "buffers", "critic", "n_latent", "keys", "critic_keys"),
    [
        (config_f(1024), 30_370_060, 2_101_248, 2_796_432, 29_012_513, 18, 171, 64),
        (config_f(512), 30_276_583, 2_101_248, 699_248, 28_982_849, 16, 153, 57),
        (config_f(256), 30_034_338, 2_101_248, 174_928, 28_864_129, 14, 135, 50),
        (config_f(256, 1), 24_767_458, 2_101_248, 174_928, 24_001_089, 14, 135, 50),
        (NANO32, 272_307, 16_640, 2_800, 288_993, 8, 73, 29),
        (MICRO64, 283_464, 16_640, 11_024, 296_401, 10, 91, 36),
        (TINY64, 1_127_544, 66_048, 11_024, 1_183_137, 10, 91, 36),
        (SMALL128, 4_821_501, 526_336, 43_824, 4_757_281, 12, 117, 43),
    ],
    ids=lambda value: f"{value.size}px" if isinstance(value, Sizes) else "",
)
def test_sizes_are_the_released_ones(
    sizes, parameters, mapping, buffers, critic, n_latent, keys, critic_keys
) -> None:
    with torch.device("meta"):
        generator, discriminator = Generator(sizes), Discriminator(sizes)
    assert count(generator.parameters()) == parameters
    assert count(generator.style.parameters()) == mapping
    assert count(generator.buffers()) == buffers
    assert count(discriminator.parameters()) == critic
    assert (sizes.n_latent, len(generator.state_dict()), len(discriminator.state_dict())) == (
        n_latent,
        keys,
        critic_keys,
    )


def test_the_full_size_is_configuration_f() -> None:
    assert config_f(1024) == FULL1024


@pytest.mark.parametrize("sizes", [TINY, FULL1024], ids=["tiny", "1024"])
def test_keys_and_shapes_are_rosinality_s(sizes: Sizes) -> None:
    with torch.device("meta"):
        state = Generator(sizes).state_dict()
    wanted = official.rosinality_shapes(sizes.channels, sizes.w_dim, sizes.n_mlp)
    assert {key: tuple(value.shape) for key, value in state.items()} == wanted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": 48}, "power of two from 8 up, found 48"),
        ({"size": 64}, "wants 5 positive numbers for 64 px, one for each of 4, 8, 16, 32, 64 px"),
        ({"w_dim": 0}, "at least 1, found 0"),
    ],
)
def test_impossible_sizes_are_refused(arguments: dict[str, int], said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        Sizes(**arguments)


# ---- the released arithmetic ----------------------------------------------------------------------


@torch.inference_mode()
def test_with_the_same_weights_it_equals_rosinality() -> None:
    weights = drawn(official.rosinality_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp))
    network = ours(layouts.rosinality({f"g_ema.{key}": value for key, value in weights.items()}))
    wanted = official.rosinality(weights, codes())
    assert wanted.std() > 0.5
    torch.testing.assert_close(network(codes()), wanted, atol=1e-5, rtol=0)
    z = torch.randn(3, TINY.w_dim, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(network.generator.style(z), official.mapping(weights, z), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_a_kernel_that_is_not_symmetric_is_used_as_rosinality_uses_it() -> None:
    weights = drawn(official.rosinality_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp))
    for key in weights:
        if key.endswith(".kernel"):
            weights[key] = weights[key] + 0.05 * torch.arange(16.0).reshape(4, 4) / 16
    network = ours(layouts.rosinality(weights))
    wanted = official.rosinality(weights, codes())
    torch.testing.assert_close(network(codes()), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_with_the_same_weights_it_equals_nvidia_ada() -> None:
    """ "Accept ≤ 5e-5", at magnitudes like the sheet's 14; "mapping network 0.0"."""
    weights = drawn(official.nvidia_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp))
    network = ours(layouts.nvidia(weights))
    wanted = official.nvidia(weights, codes())
    assert wanted.std() > 0.5
    torch.testing.assert_close(network(codes()), wanted, atol=5e-5, rtol=0)
    z = torch.randn(3, TINY.w_dim, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(
        network.generator.style(z), official.nvidia_mapping(weights, z), atol=1e-5, rtol=0
    )
    assert torch.equal(network.latent_avg, weights["mapping.w_avg"].expand(TINY.n_latent, -1))


@torch.inference_mode()
def test_flipped_kernels_would_be_seen() -> None:
    """ "Flipping the up-conv kernels by mistake gives a difference of the order of the image itself"."""
    weights = drawn(official.nvidia_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp))
    network = ours(layouts.nvidia(weights))
    wrong = official.nvidia(weights, codes(), flips=True)
    assert (network(codes()) - wrong).abs().max() > 0.3 * wrong.abs().max()


@torch.inference_mode()
def test_the_discriminator_equals_both_programs() -> None:
    torch.manual_seed(0)
    network = Discriminator(TINY)
    for name, value in network.named_parameters():
        if name.endswith("bias"):
            value.normal_(0, 0.1)
    state = network.state_dict()
    images = torch.rand(8, 3, TINY.size, TINY.size) * 2 - 1
    torch.testing.assert_close(network(images), official.rosinality_critic(state, images), atol=1e-5, rtol=0)
    theirs = {nvidia: state[key] for nvidia, key in official.critic_names(TINY.channels).items()}
    assert len(theirs) == len(list(network.parameters()))
    torch.testing.assert_close(network(images), official.nvidia_critic(theirs, images), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_resampling_is_zeros_between_pixels_and_a_blur() -> None:
    x = torch.randn(2, 5, 6, 6)
    kernel = torch.arange(16.0).reshape(4, 4) / 30  # not symmetric
    up, blur = Upsample(), Blur((2, 2))
    up.kernel, blur.kernel = kernel, kernel
    torch.testing.assert_close(up(x), official.resampled(x, kernel, up=2, pad=(2, 1)))
    torch.testing.assert_close(blur(x), official.resampled(x, kernel, pad=(2, 2)))


def test_a_batch_that_cannot_be_grouped_is_refused() -> None:
    with pytest.raises(BadConfig, match="multiple of 4, found 6"):
        Discriminator(TINY)(torch.zeros(6, 3, 32, 32))


# ---- codes, noise, hooks --------------------------------------------------------------------------


@torch.inference_mode()
def test_each_layer_is_driven_by_its_code() -> None:
    """ "A ToRGB shares its code with the next resolution's up-conv"; nothing before its layer moves."""
    torch.manual_seed(0)
    generator = Generator(TINY).eval()
    order = ["conv1", "convs.0", "convs.1", "convs.2", "convs.3", "convs.4", "convs.5"]
    assert generator.layers() == order
    seen: dict[str, Tensor] = {}

    def features(w_plus: Tensor) -> dict[str, Tensor]:
        seen.clear()
        hooks = {name: (lambda x, name=name: seen.setdefault(name, x)) for name in order}
        generator.synthesize(w_plus, hooks=hooks)
        return dict(seen)

    before = features(codes())
    for code in range(TINY.n_latent):
        w_plus = codes()
        w_plus[:, code] += 1
        after = features(w_plus)
        moved = [name for name in order if not torch.equal(before[name], after[name])]
        first = 0 if code == 0 else code  # code 1 drives convs.0, code 2 convs.1, …
        assert moved == order[first:]


@torch.inference_mode()
def test_a_hook_s_answer_takes_the_layer_s_place_with_or_without_its_rgb() -> None:
    torch.manual_seed(0)
    generator = Generator(TINY).eval()
    plain = generator.synthesize(codes())
    assert torch.equal(generator.synthesize(codes(), hooks={"convs.3": lambda x: x}), plain)
    hooks = {"convs.5": lambda x: x + 1}  # the last layer: nothing after it but its RGB
    assert not torch.equal(generator.synthesize(codes(), hooks=hooks), plain)
    assert torch.equal(generator.synthesize(codes(), hooks=hooks, hooks_reach_rgb=False), plain)
    with pytest.raises(BadConfig, match=r"no layer 'convs\.9' to hook; layers: conv1, convs\.0"):
        generator.synthesize(codes(), hooks={"convs.9": lambda x: x})


@torch.inference_mode()
def test_stored_noise_is_the_same_twice_and_random_noise_is_not() -> None:
    network = ours(
        layouts.rosinality(drawn(official.rosinality_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp)))
    )
    assert torch.equal(network(codes()), network(codes()))
    assert not torch.equal(network(codes(), "random"), network(codes(), "random"))
    stored = [network.generator.noises.get_buffer(f"noise_{i}") for i in range(7)]
    assert [noise.shape[-1] for noise in stored] == noise_sides(TINY) == [4, 8, 8, 16, 16, 32, 32]
    assert torch.equal(network.generator.synthesize(codes(), stored), network(codes()))


@torch.inference_mode()
def test_truncation_pulls_codes_to_the_average() -> None:
    network = StyleGAN2(TINY).eval()
    network.latent_avg.normal_()
    z = torch.randn(2, TINY.w_dim)
    w = network.generator.style(z)
    torch.testing.assert_close(network.codes(z, 0.0), network.latent_avg.expand(2, -1, -1))
    wanted = network.latent_avg + 0.7 * (w[:, None] - network.latent_avg)
    torch.testing.assert_close(network.codes(z, 0.7), wanted)


def test_codes_of_another_generator_are_refused() -> None:
    with pytest.raises(BadConfig, match=r"of 32 px wants codes \(B, 8, 16\), found \(1, 18, 512\)"):
        Generator(TINY).synthesize(torch.zeros(1, 18, 512))


# ---- checkpoints ----------------------------------------------------------------------------------


def test_a_training_file_s_average_is_computed_and_other_networks_are_left() -> None:
    weights = drawn(official.rosinality_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp))
    file = {f"{network}.{key}": value for network in ("g", "g_ema") for key, value in weights.items()}
    found = layouts.rosinality(
        {**file, "d.convs.0.0.weight": torch.zeros(1), "g_optim.state.0.step": torch.ones(())}
    )
    assert set(found.ignored) == {key for key in file if key.startswith("g.")} | {
        "d.convs.0.0.weight",
        "g_optim.state.0.step",
    }
    z = torch.randn(20_000, TINY.w_dim, generator=torch.Generator().manual_seed(9))
    wanted = official.mapping(weights, z).mean(0)
    spread = float(official.mapping(weights, z).std(0).max())
    found_average = found.state["stylegan2.latent_avg"]
    assert found_average.shape == (TINY.n_latent, TINY.w_dim)
    assert (found_average[0] - wanted).abs().max() < 6 * spread / 10_000**0.5  # two means of so many


def test_nvidia_s_kernels_are_rebuilt() -> None:
    weights = drawn(official.nvidia_shapes(TINY.channels, TINY.w_dim, TINY.n_mlp))
    found = layouts.nvidia({f"G_ema.{key}": value for key, value in weights.items()})
    kernels = [value for key, value in found.state.items() if key.endswith(".kernel")]
    assert len(kernels) == 6 and all(torch.equal(kernel, blur_kernel(4.0)) for kernel in kernels)
    assert len(found.ignored) == sum("resample_filter" in key for key in weights)


def test_forged_numbers_do_not_build_a_giant() -> None:
    with pytest.raises(WrongWeights, match="numbered 900"):
        layouts.rosinality({"to_rgbs.900.bias": torch.zeros(1, 3, 1, 1)})
    with pytest.raises(WrongWeights, match="no StyleGAN2"):
        layouts.nvidia({"synthesis.b1048576.conv1.bias": torch.zeros(1)})


# ---- training -------------------------------------------------------------------------------------

SMALL = Sizes(16, (8, 8, 8), w_dim=8, n_mlp=2)


def batch_of(step: int = 1, size: int = 16) -> TrainBatch:
    generator = torch.Generator().manual_seed(step)
    images = torch.rand(4, 3, size, size, generator=generator) * 2 - 1
    labels = torch.zeros(4, 1)
    return TrainBatch(images, labels, labels, generator, step)


def test_regularisers_fall_due_every_16th_and_every_4th_step() -> None:
    torch.manual_seed(0)
    recipe = stage(SMALL, Weights(), steps=1, batch_size=4)
    critic, generator = recipe.phases
    terms = {step: set(critic.loss(recipe.networks, batch_of(step))) for step in (15, 16)}
    assert terms == {15: {"fake", "real"}, 16: {"fake", "real", "r1"}}
    terms = {step: set(generator.loss(recipe.networks, batch_of(step))) for step in (3, 4)}
    assert terms == {3: {"adversarial"}, 4: {"adversarial", "path"}}


def test_rates_are_those_of_lazy_regularisation() -> None:
    """ "lr is multiplied by r = c/(c+1) and β2 becomes 0.99^r (c = 16 for D, 4 for G)"."""
    critic, generator = stage(SMALL, Weights(), steps=1, batch_size=4).phases
    assert critic.lr == pytest.approx(2e-3 * 16 / 17) and generator.lr == pytest.approx(2e-3 * 4 / 5)
    assert critic.betas == (0.0, pytest.approx(0.99 ** (16 / 17)))
    assert generator.betas == (0.0, pytest.approx(0.99 ** (4 / 5)))


def test_r1_is_the_squared_gradient_at_real_pictures() -> None:
    """A critic 3·Σx has gradient 3 at every value."""

    class Sum(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return 3 * images.sum((1, 2, 3))[:, None]

    assert gradient_energy(Sum(), torch.rand(2, 3, 4, 4)).item() == pytest.approx(9 * 48)


def test_path_length_is_pulled_to_its_running_mean() -> None:
    torch.manual_seed(0)
    recipe = stage(SMALL, Weights(), steps=1, batch_size=4)
    network, critic = recipe.networks["stylegan2"], recipe.networks["critic"]
    assert critic.path_length == 0
    first = path_penalty(network, critic, batch_of(), Weights())
    assert 0 < critic.path_length < first.sqrt()  # one hundredth of the way from 0
    first.backward()
    assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in network.parameters())


def test_both_phases_move_their_own_network_only() -> None:
    torch.manual_seed(0)
    recipe = stage(SMALL, Weights(), steps=1, batch_size=4)
    for phase in recipe.phases:
        for owner, network in recipe.networks.items():
            network.requires_grad_(owner == phase.network)
            network.zero_grad()
        sum(phase.loss(recipe.networks, batch_of(16)).values()).backward()
        moved = {
            owner: any(value.grad is not None for value in network.parameters())
            for owner, network in recipe.networks.items()
        }
        assert moved == {owner: owner == phase.network for owner in recipe.networks}


def test_generated_pictures_come_nearer_to_the_real_ones() -> None:
    """Real pictures of one colour; forty steps."""
    torch.manual_seed(0)
    recipe = stage(Sizes(8, (8, 8), w_dim=8, n_mlp=2), Weights(lr=5e-3), steps=1, batch_size=4)
    optimizers = {
        phase.name: torch.optim.Adam(recipe.networks[phase.network].parameters(), phase.lr, phase.betas)
        for phase in recipe.phases
    }
    colour = torch.tensor([0.8, -0.5, 0.1])
    real = colour[:, None, None].expand(4, 3, 8, 8)

    def distance() -> float:
        z = torch.randn(32, 8, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            return float((recipe.networks["stylegan2"].generator(z).mean((0, 2, 3)) - colour).norm())

    before = distance()
    for step in range(1, 41):
        for phase in recipe.phases:
            for owner, network in recipe.networks.items():
                network.requires_grad_(owner == phase.network)
            sum(phase.loss(recipe.networks, replace(batch_of(step), images=real)).values()).backward()
            optimizers[phase.name].step()
            optimizers[phase.name].zero_grad()
    assert distance() < 0.7 * before
