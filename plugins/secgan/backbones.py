"""StarGAN's and AttGAN's networks as SeCGAN uses them: told a difference, for pictures or for segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from .. import stargan
from ..stargan.model import Critic as PatchCritic
from ..stargan.model import Generator
from ..unet.critic import Critic
from ..unet.generator import UNet
from . import AttGANOptions, Options, StarGANOptions


@dataclass(frozen=True)
class Backbone:
    """Networks from options, and where the two backbones' objectives differ."""

    generator: Callable[..., nn.Module]  # options, channels, outputs, logits
    critic: Callable[..., nn.Module]  # options, channels
    multiple: Callable[[Any], int]  # sides of pictures are multiples of it
    sums_attributes: bool  # the classification loss: sum over attributes, or their mean


def backbone(options: Options) -> Backbone:
    return STARGAN if isinstance(options, StarGANOptions) else ATTGAN


def both(network: nn.Module, images: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """The edit, and the reconstruction that a zero difference asks for, in one pass.

    AttGAN's encoder does not see the difference and runs once for both.
    """
    asked = torch.cat([change, torch.zeros_like(change)])
    seen = images if isinstance(network, UNet) else images.repeat(2, 1, 1, 1)
    edited, rebuilt = network(seen, asked).chunk(2)
    return edited, rebuilt


# ---- StarGAN --------------------------------------------------------------------------------------


def _plain(options: StarGANOptions) -> stargan.Options:
    """The options that StarGAN's networks are made by."""
    names = {"attributes", "width", "blocks", "size", "critic_width", "critic_layers"}
    return stargan.Options(
        **{field.name: getattr(options, field.name) for field in fields(options) if field.name in names}
    )


def _stargan(options: StarGANOptions, channels: int = 3, outputs: int = 3, logits: bool = False) -> Generator:
    return Generator(_plain(options), channels=channels, outputs=outputs, logits=logits)


def _patch_critic(options: StarGANOptions, channels: int = 3) -> PatchCritic:
    return PatchCritic(_plain(options), channels=channels)


STARGAN = Backbone(_stargan, _patch_critic, multiple=lambda options: 4, sums_attributes=True)


# ---- AttGAN ---------------------------------------------------------------------------------------


def _unet(options: AttGANOptions, channels: int = 3, outputs: int = 3, logits: bool = False) -> UNet:
    return UNet(
        width=options.width,
        layers=options.layers,
        attributes=len(options.attributes),
        skip=1,
        inject=1,
        unit="none",
        channels=channels,
        outputs=outputs,
        logits=logits,
        slope=options.slope,
        epsilon=options.epsilon,
        momentum=options.momentum,
    )


def _critic(options: AttGANOptions, channels: int = 3) -> Critic:
    return Critic(
        width=options.critic_width,
        layers=options.critic_layers,
        fc=options.critic_fc,
        size=options.size,
        attributes=len(options.attributes),
        channels=channels,
        slope=0.01,
        head_slope=0.0,
        epsilon=1e-5,
        norm=options.critic_norm,
    )


ATTGAN = Backbone(_unet, _critic, multiple=lambda options: 2**options.layers, sums_attributes=False)
