"""Training of a StyleGAN2 (its paper, appendix B): logistic losses, R1 and path length at intervals.

    critic      softplus(D(G(z))) + softplus(−D(x)),  every 16 steps + 16 · γ/2 · ‖∇D(x)‖²
    generator   softplus(−D(G(z))),                   every 4 steps + 4 · 2 · (‖Jᵀy‖ − mean)²

Adam's rate is multiplied by r = c / (c + 1) and β₂ is 0.99^r, with c the interval, as for the released code,
whose regularisers are steps of their own; here they are terms of the step they fall on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from faceedit_bench.api import EditBatch
from faceedit_bench.train import Phase, Recipe, TrainBatch

from .discriminator import Discriminator
from .generator import Generator, StyleGAN2
from .sizes import Sizes

R1_EVERY, PATH_EVERY = 16, 4  # steps
PATH_DECAY = 0.01  # of the running mean of path lengths
AVERAGE_DECAY = 0.005  # of the running mean of codes

Networks = Mapping[str, nn.Module]
Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """Defaults are the paper's."""

    lr: float = 2e-3
    r1: float = 10.0
    path_length: float = 2.0
    mixing: float = 0.9


class Critic(nn.Module):
    """The discriminator, and the running mean of path lengths, which is trained with and then left behind."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.discriminator = Discriminator(sizes)
        self.register_buffer("path_length", torch.zeros(()))

    def forward(self, images: Tensor) -> Tensor:
        return self.discriminator(images)


def stage(sizes: Sizes, weights: Weights, steps: int, batch_size: int) -> Recipe:
    critic, generator = partial(critic_step, weights=weights), partial(generator_step, weights=weights)
    return Recipe(
        name="stylegan2",
        networks={"stylegan2": StyleGAN2(sizes), "critic": Critic(sizes)},
        phases=(
            Phase("critic", "critic", critic, **lazy_adam(weights.lr, R1_EVERY)),
            Phase("generator", "stylegan2", generator, **lazy_adam(weights.lr, PATH_EVERY)),
        ),
        exported=("stylegan2",),
        labels="unused",
        preview=preview,
        steps=steps,
        batch_size=batch_size,
    )


def lazy_adam(lr: float, interval: int) -> dict[str, object]:
    ratio = interval / (interval + 1)
    return {"lr": lr * ratio, "betas": (0.0, 0.99**ratio)}


def critic_step(networks: Networks, batch: TrainBatch, weights: Weights) -> Terms:
    critic, real = networks["critic"], batch.images
    with torch.no_grad():
        codes = draw_codes(networks["stylegan2"].generator, batch, len(real), weights.mixing)
        fake = networks["stylegan2"](codes, "random").float()
    is_due = weights.r1 > 0 and batch.step % R1_EVERY == 0
    scores = critic(real)
    terms = {"fake": softplus(critic(fake)).mean(), "real": softplus(-scores).mean()}
    if is_due:
        with torch.autocast(real.device.type, enabled=False):  # second derivatives want float32
            terms["r1"] = R1_EVERY * weights.r1 / 2 * gradient_energy(critic, real)
    return terms


def gradient_energy(critic: nn.Module, real: Tensor) -> Tensor:
    """Mean over pictures of ‖∇D(x)‖²."""
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def generator_step(networks: Networks, batch: TrainBatch, weights: Weights) -> Terms:
    stylegan2, critic = networks["stylegan2"], networks["critic"]
    codes = draw_codes(stylegan2.generator, batch, len(batch.images), weights.mixing)
    with torch.no_grad():
        stylegan2.latent_avg.lerp_(codes[:, 0].float().mean(0).expand_as(stylegan2.latent_avg), AVERAGE_DECAY)
    terms = {"adversarial": softplus(-critic(stylegan2(codes, "random"))).mean()}
    if weights.path_length > 0 and batch.step % PATH_EVERY == 0:
        with torch.autocast(codes.device.type, enabled=False):
            terms["path"] = PATH_EVERY * weights.path_length * path_penalty(stylegan2, critic, batch, weights)
    return terms


def path_penalty(stylegan2: nn.Module, critic: nn.Module, batch: TrainBatch, weights: Weights) -> Tensor:
    """(‖Jᵀy‖ − running mean)² over half a batch, J the derivative of the picture by its codes."""
    codes = draw_codes(stylegan2.generator, batch, max(1, len(batch.images) // 2), weights.mixing)
    images = stylegan2(codes, "random")
    y = torch.randn(images.shape, generator=batch.generator).to(images) / math.sqrt(images[0, 0].numel())
    (gradient,) = torch.autograd.grad((images * y).sum(), codes, create_graph=True)
    lengths = gradient.square().sum(2).mean(1).sqrt()  # (B / 2,)
    with torch.no_grad():
        critic.path_length.lerp_(lengths.mean(), PATH_DECAY)
    return (lengths - critic.path_length).square().mean()


def draw_codes(generator: Generator, batch: TrainBatch, count: int, mixing: float) -> Tensor:
    """(count, n_latent, w_dim): a share `mixing` of batches has a second code from a random layer on."""
    sizes, source = generator.sizes, batch.generator
    z = torch.randn(2, count, sizes.w_dim, generator=source).to(batch.images.device)
    first, second = (generator.spread(generator.style(part)) for part in z)
    is_mixed = torch.rand((), generator=source) < mixing
    turn = int(torch.randint(1, sizes.n_latent, (), generator=source)) if is_mixed else sizes.n_latent
    return torch.cat([first[:, :turn], second[:, turn:]], dim=1)


def preview(networks: Networks, batch: EditBatch) -> Tensor:
    """Generated faces, one for each row of a sheet and each attribute it flips."""
    stylegan2, asked = networks["stylegan2"], batch.change.abs()
    flipped = int(asked[0].argmax()) + 1 if bool(asked.any()) else 0
    source = torch.Generator().manual_seed(flipped)
    z = torch.randn(len(batch.images), stylegan2.latent_avg.shape[1], generator=source)
    return stylegan2(stylegan2.codes(z.to(batch.images.device))).clamp(-1, 1)
