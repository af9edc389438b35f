"""e4e's encoder: an IR-SE50 backbone, a feature pyramid, and one head for each code of W+.

Tov, Alaluf, Nitzan, Patashnik, Cohen-Or: "Designing an Encoder for StyleGAN Image Manipulation", SIGGRAPH
2021, arXiv 2102.02766; layers of pSp (Richardson et al., CVPR 2021). Keys of the state dict are those of
omertov/encoder4editing. pSp's encoder has the same tensors and another meaning: its heads give the codes
themselves, not their distances from the first.
"""

from __future__ import annotations

from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..stylegan2.layers import EqualLinear
from .sizes import COARSE, MIDDLE, EncoderSizes

REDUCTION = 16  # of squeeze and excitation

Pyramid = tuple[Tensor, Tensor, Tensor]  # c3, p2, p1: an input side divided by 16, 8 and 4, last width each


class Encoder(nn.Module):
    """(B, 3, side, side) in [−1, 1] -> (B, n_latent, w_dim), distances from the average code."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        first, *_ = widths = sizes.widths
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.PReLU(first)
        )
        units: list[nn.Module] = []
        for before, after, count in zip((first, *widths), widths, sizes.units, strict=False):
            units += [Unit(before, after, 2), *(Unit(after, after, 1) for _ in range(count - 1))]
        self.body = nn.Sequential(*units)
        self.taps = [end - 1 for end in accumulate(sizes.units)][1:]  # the last unit of stages 2, 3 and 4
        self.styles = nn.ModuleList(
            Head(widths[-1], sizes.w_dim, sizes.side // scale)
            for scale in map(scale_of, range(sizes.n_latent))
        )
        self.latlayer1 = nn.Conv2d(widths[2], widths[3], 1)
        self.latlayer2 = nn.Conv2d(widths[1], widths[3], 1)

    def forward(self, images: Tensor, stage: int | None = None) -> Tensor:
        """All codes; with `stage` k, those above k are equal to the first (progressive training)."""
        return self.codes(self.features(images), stage)

    def features(self, images: Tensor) -> Pyramid:
        """c3, and p2 and p1 after the pyramid's lateral sums."""
        x = self.input_layer(images)
        taps = []
        for number, unit in enumerate(self.body):
            x = unit(x)
            if number in self.taps:
                taps.append(x)
        c1, c2, c3 = taps
        p2 = enlarge_to(c3, self.latlayer1(c2))
        return c3, p2, enlarge_to(p2, self.latlayer2(c1))

    def codes(self, pyramid: Pyramid, stage: int | None = None) -> Tensor:
        """(B, n_latent, w_dim): w₀ + Δ_i, or for pSp each head's answer."""
        last = self.sizes.n_latent - 1 if stage is None else stage
        answers = [head(pyramid[group_of(i)]) for i, head in enumerate(self.styles) if i <= last]
        first = answers[0]
        rest = answers[1:] if self.sizes.heads == "psp" else [first + offset for offset in answers[1:]]
        return torch.stack([first, *rest, *[first] * (self.sizes.n_latent - 1 - last)], dim=1)


def group_of(code: int) -> int:
    """0, 1 or 2: coarse codes see c3, middle ones p2, fine ones p1."""
    return 0 if code < COARSE else 1 if code < MIDDLE else 2


def scale_of(code: int) -> int:
    """How many times smaller than the picture the features of a code's head are."""
    return (16, 8, 4)[group_of(code)]


def enlarge_to(small: Tensor, lateral: Tensor) -> Tensor:
    """Bilinear with aligned corners, plus the lateral features."""
    return F.interpolate(small, size=lateral.shape[2:], mode="bilinear", align_corners=True) + lateral


class Unit(nn.Module):
    """`bottleneck_IR_SE`; the stride is on the second convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        if inputs == outputs:
            self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            SqueezeExcite(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)


class SqueezeExcite(nn.Module):
    """x · σ(W₂ ReLU(W₁ mean(x))); below 16 channels one hidden unit, where channels // 16 would be none."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // min(REDUCTION, channels)
        self.fc1 = nn.Conv2d(channels, hidden, 1, bias=False)
        self.fc2 = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Head(nn.Module):
    """(B, in, side, side) -> (B, out): halved down to one pixel, then linear."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(side.bit_length() - 1):
            layers += [nn.Conv2d(inputs if number == 0 else outputs, outputs, 3, 2, 1), nn.LeakyReLU(0.01)]
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.convs(x).flatten(1))
