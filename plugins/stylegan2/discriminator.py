"""StyleGAN2's discriminator: residual blocks, minibatch standard deviation, one score.

Keys of the state dict are those of rosinality/stylegan2-pytorch.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from faceedit_bench.api import BadConfig

from .layers import TINY, EqualLinear, conv_layer
from .sizes import Sizes

GROUP = 4  # pictures whose standard deviation becomes one more channel


class Discriminator(nn.Module):
    """(B, 3, size, size) -> (B, 1); B at most 4, or a multiple of 4."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        widths = sizes.channels[::-1]  # from the picture down to 4 px
        self.convs = nn.Sequential(
            conv_layer(3, widths[0], 1),
            *(Residual(before, after) for before, after in pairwise(widths)),
        )
        self.final_conv = conv_layer(widths[-1] + 1, widths[-1], 3)
        self.final_linear = nn.Sequential(
            EqualLinear(widths[-1] * 16, widths[-1], is_activated=True), EqualLinear(widths[-1], 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        x = with_deviation(self.convs(images))
        return self.final_linear(self.final_conv(x).flatten(1))


class Residual(nn.Module):
    """(3×3; 3×3 halving) + (1×1 halving), divided by √2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = conv_layer(inputs, inputs, 3)
        self.conv2 = conv_layer(inputs, outputs, 3, halves=True)
        self.skip = conv_layer(inputs, outputs, 1, halves=True, activation="none")

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv2(self.conv1(x)) + self.skip(x)) / math.sqrt(2)


def with_deviation(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C + 1, H, W): mean standard deviation within groups of pictures."""
    count, channels, height, width = x.shape
    group = min(count, GROUP)
    if count % group:
        raise BadConfig(
            f"the discriminator wants a batch of at most {GROUP} pictures or a multiple of {GROUP}, "
            f"found {count}"
        )
    groups = x.view(group, -1, channels, height, width)
    deviation = (groups.var(0, unbiased=False) + TINY).sqrt().mean((1, 2, 3))  # (B / group,)
    return torch.cat([x, deviation.repeat(group)[:, None, None, None].expand(-1, 1, height, width)], 1)
