"""Gradual Residual Modules and gates (GradStyle, section 3; inner structure as the build sheet's section 4).

Blocks are those of StyleRes (Pehlivan et al., CVPR 2023), and so is the U-shape with two halvings. The
paper's text fixes the ingredients; its figures 10 and 11 show the inner structure and were not at hand.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2  # of every leaky ReLU


class ResBlock(nn.Module):
    """x + Conv LReLU Conv(x), no norm. The second convolution halves, and the shortcut does."""

    def __init__(self, inputs: int, outputs: int, *, halves: bool = False) -> None:
        super().__init__()
        stride = 2 if halves else 1
        is_plain = inputs == outputs and not halves
        self.shortcut = nn.Identity() if is_plain else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(outputs, outputs, 3, stride, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.body(x)


class Projection(nn.Sequential):
    """Convolution, batch norm, PReLU: W_T and W_f; alone it is Table 4's "w/o GRM"."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.PReLU(outputs)
        )


class GradualResidual(nn.Module):
    """GRM: F = E_res(W_T · T, W_f · f), what the features f lack of the encoder's T.

    The last layer starts at zero, so that training starts from e4e's own reconstruction.
    """

    def __init__(self, encoded: int, channels: int, width: int) -> None:
        super().__init__()
        self.w_t, self.w_f = Projection(encoded, width), Projection(channels, width)
        self.fuse = nn.Conv2d(2 * width, width, 1)
        self.e1 = ResBlock(width, width)
        self.e2 = nn.Sequential(ResBlock(width, width, halves=True), ResBlock(width, width))
        self.e3 = nn.Sequential(ResBlock(width, width, halves=True), ResBlock(width, width))
        self.d2, self.d1 = ResBlock(width, width), ResBlock(width, width)
        self.out = zeroed(nn.Conv2d(width, channels, 1))

    def forward(self, encoded: Tensor, features: Tensor) -> Tensor:
        """T (B, e, h, w) and f (B, c, h, w) -> F (B, c, h, w)."""
        full = self.e1(self.fuse(torch.cat([self.w_t(encoded), self.w_f(features)], 1)))  # (B, t, h, w)
        half = self.e2(full)  # (B, t, h / 2, w / 2)
        half = self.d2(doubled(self.e3(half)) + half)
        return self.out(self.d1(doubled(half) + full))


class Gate(nn.Module):
    """W_g: g = σ(…[f, F]), of the shape of F. One for both streams of a place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ResBlock(2 * channels, channels),
            nn.LeakyReLU(SLOPE),
            ResBlock(channels, channels),
            nn.LeakyReLU(SLOPE),
            ResBlock(channels, channels),
        )

    def forward(self, features: Tensor, residual: Tensor) -> Tensor:
        return torch.sigmoid(self.body(torch.cat([features, residual], 1)))


def doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def zeroed(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """The layer with weights and bias at zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
