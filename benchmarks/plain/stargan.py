"""StarGAN written out: Choi et al., CVPR 2018, arXiv 1711.09020.

Its instance norms keep running statistics and the released test program leaves the network in training mode,
so that every picture is normalised by its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Generator(nn.Module):
    """(B, 3, H, W) and labels (B, A) -> (B, 3, H, W)."""

    def __init__(self, *, width: int, blocks: int, attributes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        layers += [nn.Conv2d(3 + attributes, width, 7, 1, 3, bias=False), norm(width), nn.ReLU(inplace=True)]
        for wide in (width, 2 * width):
            layers += [nn.Conv2d(wide, 2 * wide, 4, 2, 1, bias=False), norm(2 * wide), nn.ReLU(inplace=True)]
        layers += [Block(4 * width) for _ in range(blocks)]
        for wide in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=False), norm(wide // 2)]
            layers += [nn.ReLU(inplace=True)]
        layers += [nn.Conv2d(width, 3, 7, 1, 3, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        planes = labels.view(*labels.shape, 1, 1).repeat(1, 1, *images.shape[2:])
        return self.main(torch.cat([images, planes], dim=1))


class Block(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            norm(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.main(x)


def norm(width: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(width, affine=True, track_running_stats=True)


class Critic(nn.Module):
    """(B, 3, size, size) -> patch scores (B, 1, h, w) and attribute logits (B, A)."""

    def __init__(self, *, width: int, layers: int, size: int, attributes: int) -> None:
        super().__init__()
        trunk: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.01)]
        for _ in range(1, layers):
            trunk += [nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.01)]
            width = 2 * width
        self.main = nn.Sequential(*trunk)
        self.patches = nn.Conv2d(width, 1, 3, 1, 1, bias=False)
        self.attributes = nn.Conv2d(width, attributes, size // 2**layers, bias=False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.main(images)
        logits = self.attributes(features)
        return self.patches(features), logits.view(logits.size(0), logits.size(1))
