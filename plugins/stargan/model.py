"""StarGAN's generator and discriminator.

Choi et al., "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
CVPR 2018, arXiv 1711.09020, tables 4 and 5; layers as in the released code. Instance norm always takes the
statistics of the picture at hand, in training and in editing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import Options


class Generator(nn.Module):
    """(B, channels, H, W) and labels (B, A) -> (B, outputs, H, W); H and W multiples of 4.

    The output is in [-1, 1], or with `logits` what the last convolution gives. Zero padding is part of the
    method: with reflected borders a constant label plane would stay constant, and instance norm would remove
    it.
    """

    def __init__(
        self, options: Options, *, channels: int = 3, outputs: int = 3, logits: bool = False
    ) -> None:
        super().__init__()
        width = options.width
        self.logits = logits
        self.down = nn.Sequential(
            Layer(nn.Conv2d(channels + len(options.attributes), width, 7, 1, 3, bias=False)),
            Layer(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)),
            Layer(nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False)),
        )
        self.residual = nn.Sequential(*(Residual(4 * width) for _ in range(options.blocks)))
        self.up = nn.Sequential(
            Layer(nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False)),
            Layer(nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)),
        )
        self.last = nn.Conv2d(width, outputs, 7, 1, 3, bias=False)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        planes = labels[:, :, None, None].expand(*labels.shape, *images.shape[2:])  # (B, A, H, W)
        x = self.down(torch.cat([images, planes], dim=1))
        x = self.last(self.up(self.residual(x)))
        return x if self.logits else torch.tanh(x)


class Layer(nn.Module):
    """Convolution, instance norm, ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, is_last: bool = False) -> None:
        super().__init__()
        self.conv = conv
        self.norm = nn.InstanceNorm2d(conv.out_channels, affine=True)
        self.is_last = is_last

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return x if self.is_last else torch.relu_(x)


class Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))): nothing after the addition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Layer(nn.Conv2d(width, width, 3, 1, 1, bias=False))
        self.second = Layer(nn.Conv2d(width, width, 3, 1, 1, bias=False), is_last=True)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


class Critic(nn.Module):
    """(B, channels, size, size) -> patch scores (B, size/2^L, size/2^L) and attribute logits (B, A)."""

    def __init__(self, options: Options, *, channels: int = 3) -> None:
        super().__init__()
        side = options.size // 2**options.critic_layers
        if side < 1 or side * 2**options.critic_layers != options.size:
            raise ValueError(
                f"stargan: a critic of {options.critic_layers} layers wants pictures of a multiple of "
                f"{2**options.critic_layers} pixels, found size {options.size}"
            )
        widths = [options.critic_width * 2**level for level in range(options.critic_layers)]
        trunk: list[nn.Module] = []
        for before, after in zip([channels, *widths], widths, strict=False):
            trunk += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.01)]
        self.trunk = nn.Sequential(*trunk)
        self.patches = nn.Conv2d(widths[-1], 1, 3, 1, 1, bias=False)
        self.attributes = nn.Conv2d(widths[-1], len(options.attributes), side, bias=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images)
        return self.patches(features).squeeze(1), self.attributes(features).flatten(1)
