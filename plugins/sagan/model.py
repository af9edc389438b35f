"""SaGAN's generator, which is a painter and an attention mask, and its discriminator.

Zhang, Kan, Shan, Chen: "Generative Adversarial Network with Spatial Attention for Face Attribute Editing",
ECCV 2018, section 3 and its layer tables. No code of the authors is known; where the tables are silent
(residual norm, slope of the LeakyReLU) README.md says what was chosen.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from . import Options


class Edit(NamedTuple):
    """What the generator makes of a picture I."""

    image: Tensor  # (B, 3, H, W) in [-1, 1]: Î = I_a · b + I · (1 − b)
    mask: Tensor  # (B, 1, H, W) in [0, 1]: b, where painting is allowed
    raw: Tensor  # (B, 3, H, W) in [-1, 1]: I_a, the painted face


class Generator(nn.Module):
    """(B, 3, H, W) and the target value c (B, 1) in {0, 1} -> Edit; H and W multiples of 8, at least 16.

    The attribute manipulation network (AMN) sees picture and c, the spatial attention network (SAN) the
    picture only: two requests on one picture share one mask, which `mask` takes where it is known.
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.amn = Half(4, 3, options)
        self.san = Half(3, 1, options)

    def forward(self, images: Tensor, target: Tensor, mask: Tensor | None = None) -> Edit:
        plane = target[:, :, None, None].expand(-1, -1, *images.shape[2:])  # (B, 1, H, W)
        raw = torch.tanh(self.amn(torch.cat([images, plane], dim=1)).float())
        if mask is None:
            mask = torch.sigmoid(self.san(images).float())
        return Edit(blend(images, raw, mask), mask, raw)


def blend(images: Tensor, raw: Tensor, mask: Tensor) -> Tensor:
    """I_a · b + I · (1 − b): exactly I where b is 0, exactly I_a where it is 1."""
    return raw * mask + images * (1 - mask)


class Half(nn.Module):
    """(B, inputs, H, W) -> (B, outputs, H, W), before tanh or sigmoid: layers L1 to L12."""

    def __init__(self, inputs: int, outputs: int, options: Options) -> None:
        super().__init__()
        w = options.width
        self.down = nn.Sequential(
            Layer(nn.Conv2d(inputs, w, 7, 1, 3)),
            Layer(nn.Conv2d(w, 2 * w, 4, 2, 1)),
            Layer(nn.Conv2d(2 * w, 4 * w, 4, 2, 1)),
            Layer(nn.Conv2d(4 * w, 8 * w, 4, 2, 1)),
        )
        self.residual = nn.Sequential(*(Residual(8 * w, options.res_norm) for _ in range(options.blocks)))
        self.up = nn.Sequential(
            Layer(nn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1)),
            Layer(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1)),
            Layer(nn.ConvTranspose2d(2 * w, w, 4, 2, 1)),
        )
        self.last = nn.Conv2d(w, outputs, 7, 1, 3)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.up(self.residual(self.down(x))))


class Layer(nn.Module):
    """Convolution, instance norm without weights, ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.conv = conv
        self.norm = nn.InstanceNorm2d(conv.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.norm(self.conv(x)))


class Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))): nothing after the addition."""

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        kind = nn.InstanceNorm2d if norm == "in" else nn.BatchNorm2d
        self.first, self.first_norm = nn.Conv2d(width, width, 3, 1, 1), kind(width)
        self.second, self.second_norm = nn.Conv2d(width, width, 3, 1, 1), kind(width)

    def forward(self, x: Tensor) -> Tensor:
        inside = torch.relu_(self.first_norm(self.first(x)))
        return x + self.second_norm(self.second(inside))


class Critic(nn.Module):
    """(B, 3, size, size) -> scores (B, 1, 2, 2) and attribute logits (B, 1). One trunk, no norm."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        halvings = int(math.log2(options.size)) - 1  # down to 2×2
        widths = [options.critic_width * 2**level for level in range(halvings)]
        trunk: list[nn.Module] = []
        for before, after in zip([3, *widths], widths, strict=False):
            trunk += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.trunk = nn.Sequential(*trunk)
        self.source = nn.Conv2d(widths[-1], 1, 3, 1, 1)
        self.attribute = nn.Conv2d(widths[-1], 1, 2)
        self.apply(initialise)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images)
        return self.source(features), self.attribute(features).flatten(1)


def initialise(module: nn.Module) -> None:
    """Every convolution: weights from N(0, 0.02²), bias 0."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, std=0.02)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
