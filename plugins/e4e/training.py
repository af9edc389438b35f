"""Training of e4e in three stages: generator, encoder, directions.

The encoder's stage (e4e paper, section 4) has the generator frozen:

    ‖G(E(x)) − x‖² + 2e-4 · Σ ‖Δᵢ‖ + 0.1 · mean softplus(−D_w(wᵢ))

with one Δ after the other joining. D_w tells codes from mapped z and learns with R1 every 16 steps, its fakes
from a pool of 50. Perceptual and identity terms want networks that are not shipped, and are not there; `l1`
weighs a term in their place, the mean over s of |pool_s(G(E(x)) − x)|.

Without a game (`gan_steps=0`) encoder and generator learn together first, by the same loss: an adversarial
autoencoder (Makhzani et al. 2016, arXiv 1511.05644) whose prior are mapped z.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, relu, softplus

from faceedit_bench.api import EditBatch
from faceedit_bench.train import Phase, Recipe, Schedule, TrainBatch

from ..stylegan2 import training as stylegan2_training
from ..stylegan2.generator import StyleGAN2
from . import Options
from .editor import Inversion, resized, seen
from .encoder import Encoder
from .latent_critic import CODE_RATE, R1_EVERY, R1_WEIGHT, LatentCritic
from .learned import Learned

Networks = Mapping[str, nn.Module]
Terms = dict[str, Tensor]
MARGIN_WEIGHT = 1e-3  # of ‖n‖² in the support vector machines
DIRECTION_RATE = 1e-2
SCALES = (1, 2, 4, 8)  # pixels per side of the squares whose means `l1` compares


def stages(options: Options) -> tuple[Recipe, ...]:
    first = generator_stage(options) if options.gan_steps else autoencoder_stage(options)
    if options.learned:
        return first, encoder_stage(options), directions_stage(options)
    return first, encoder_stage(options)


# ---- generator ------------------------------------------------------------------------------------


def generator_stage(options: Options) -> Recipe:
    weights = stylegan2_training.Weights(options.lr, options.r1, options.path_length, options.mixing)
    return stylegan2_training.stage(options.generator_sizes, weights, options.gan_steps, options.gan_batch)


def autoencoder_stage(options: Options) -> Recipe:
    stylegan2 = StyleGAN2(options.generator_sizes)
    average = stylegan2.generator.mean_code(torch.Generator().manual_seed(0))
    stylegan2.latent_avg.copy_(average.expand_as(stylegan2.latent_avg))
    both = Phase(
        "autoencoder",
        ("encoder", "stylegan2"),
        partial(encoder_step, options=options),
        lr=options.autoencoder_lr,
        betas=(0.9, 0.99),
    )
    networks = {"stylegan2": stylegan2, "encoder": Encoder(options.encoder_sizes)}
    return Recipe(
        name="autoencoder",
        networks=networks | latent_networks(options),
        phases=(both, *latent_phases(options)),
        exported=("stylegan2", "encoder"),
        labels="unused",
        preview=partial(preview, options=options),
        rate=Schedule("tenth", 0.75),
        steps=options.autoencoder_steps,
        batch_size=options.encoder_batch,
    )


# ---- encoder --------------------------------------------------------------------------------------


def encoder_stage(options: Options) -> Recipe:
    networks = {"stylegan2": StyleGAN2(options.generator_sizes), "encoder": Encoder(options.encoder_sizes)}
    encoder = Phase(
        "encoder",
        "encoder",
        partial(encoder_step, options=options),
        lr=options.encoder_lr,
        betas=(0.95, 0.999),
    )
    return Recipe(
        name="encoder",
        networks=networks | latent_networks(options),
        phases=(encoder, *latent_phases(options)),
        exported=("encoder",),
        labels="unused",
        given=("stylegan2",),
        preview=partial(preview, options=options),
        steps=options.encoder_steps,
        batch_size=options.encoder_batch,
    )


def latent_networks(options: Options) -> dict[str, nn.Module]:
    return {"latent_critic": LatentCritic(options.w_dim)} if options.latent_adversarial > 0 else {}


def latent_phases(options: Options) -> tuple[Phase, ...]:
    if options.latent_adversarial == 0:
        return ()
    step = partial(latent_critic_step, options=options)
    return (Phase("latent_critic", "latent_critic", step, fresh=False, lr=CODE_RATE, betas=(0.9, 0.999)),)


def active(step: int, options: Options) -> int:
    """Last code with a Δ of its own at a step: 0, then one more at intervals."""
    if step <= options.progressive_from:
        return 0
    joined = 1 + (step - options.progressive_from - 1) // options.progressive_every
    return min(joined, options.generator_sizes.n_latent - 1)


def encoder_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    stylegan2, side = networks["stylegan2"], options.encoder_size
    stage = active(batch.step, options)
    real = seen(batch.images, side)
    codes = networks["encoder"](real, stage) + stylegan2.latent_avg
    images = pooled(stylegan2(codes, "random").float(), side)
    terms = {"l2": options.l2 * mse_loss(images, real)}
    if options.l1 > 0:
        terms["l1"] = options.l1 * difference(images, real)
    if stage:
        offsets = codes[:, 1 : stage + 1] - codes[:, :1]  # (B, stage, w_dim)
        terms["offsets"] = options.offset_norm * offsets.norm(dim=2).mean(0).sum()
    if options.latent_adversarial > 0:
        scores = networks["latent_critic"](codes[:, : stage + 1].flatten(0, 1))
        terms["adversarial"] = options.latent_adversarial * softplus(-scores).mean()
    return terms


def latent_critic_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    """Real codes are mapped z, fakes what the encoder gives, through a pool."""
    stylegan2, critic = networks["stylegan2"], networks["latent_critic"]
    stage, source = active(batch.step, options), batch.generator
    with torch.no_grad():
        codes = networks["encoder"](seen(batch.images, options.encoder_size), stage) + stylegan2.latent_avg
        z = torch.randn(len(codes), options.w_dim, generator=source).to(codes)
        real = stylegan2.generator.style(z)
        fake = critic.exchanged(codes[:, : stage + 1].flatten(0, 1), source)
    terms = {"fake": softplus(critic(fake)).mean(), "real": softplus(-critic(real)).mean()}
    if batch.step % R1_EVERY == 0:
        terms["r1"] = R1_EVERY * R1_WEIGHT / 2 * critic.gradient_energy(real)
    return terms


def pooled(images: Tensor, side: int) -> Tensor:
    """(B, 3, S, S) -> (B, 3, side, side): means of squares of pixels."""
    return nn.functional.adaptive_avg_pool2d(images, side)


def difference(images: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference of pixels, and of means of 2×2, 4×4 and 8×8 pixels."""
    gap = images - real
    return torch.stack([nn.functional.avg_pool2d(gap, scale).abs().mean() for scale in SCALES]).mean()


def preview(networks: Networks, batch: EditBatch, options: Options) -> Tensor:
    """Reconstructions, for sample sheets."""
    inversion = Inversion(networks["encoder"], networks["stylegan2"])
    return resized(inversion.picture(inversion.codes(batch.images)), batch.images.shape[-1])


# ---- directions -----------------------------------------------------------------------------------


def directions_stage(options: Options) -> Recipe:
    return Recipe(
        name="directions",
        networks={
            "encoder": Encoder(options.encoder_sizes),
            "directions": Learned(len(options.learned), options.w_dim),
        },
        phases=(
            Phase("directions", "directions", partial(directions_step, options=options), lr=DIRECTION_RATE),
        ),
        exported=("directions",),
        given=("encoder",),
        steps=options.direction_steps,
        batch_size=32,
    )


def directions_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    """Hinge loss of each attribute's hyperplane, and where its classes lie along the normal."""
    directions = networks["directions"]
    with torch.no_grad():
        features = networks["encoder"](seen(batch.images, options.encoder_size)).float().mean(1)  # (B, w_dim)
        places = directions.along(features)
    sides = 2 * batch.source - 1  # (B, A) in {−1, 1}
    apart = directions.middles + directions.spans * sides / 2
    return {
        "hinge": relu(1 - sides * directions(features)).mean(0).sum(),
        "margin": MARGIN_WEIGHT * directions.normals.square().sum(),
        "span": (apart - places).square().mean(0).sum(),
    }
