"""Pillow's antialiased resizing on tensors of any device, to the bit.

Pillow resizes 8-bit pixels along rows, rounds to 8 bits, then along columns. Its weights are integers of 22
bits after the point, so every sum is a whole number, which float64 holds exactly in any order of adding.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

BITS = 22  # of Pillow's weights, after the point


def _triangle(x: float) -> float:
    return max(1.0 - abs(x), 0.0)


def _cubic(x: float, a: float = -0.5) -> float:
    """Keys (1981), with Pillow's a."""
    x = abs(x)
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


KERNELS: dict[str, tuple[Callable[[float], float], float]] = {
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic, 2.0),
}
"""Filter -> its function, and how far it reaches, in pixels of the smaller picture."""


def resized(pixels: Tensor, side: int, kernel: str) -> Tensor:
    """(B, 3, S, S) uint8 -> (B, 3, side, side) uint8."""
    if pixels.shape[-1] == side:
        return pixels
    weights = _weights(pixels.shape[-1], side, kernel).to(pixels.device)
    across = _rounded(pixels.to(torch.float64) @ weights.T)
    return _rounded(weights @ across).to(torch.uint8)


def _rounded(sums: Tensor) -> Tensor:
    """Whole numbers of 8 bits, halves upwards, still float64."""
    return torch.floor((sums + 2 ** (BITS - 1)) / 2**BITS).clamp(0, 255)


@functools.lru_cache(maxsize=16)
def _weights(source: int, side: int, kernel: str) -> Tensor:
    """(side, source) float64: whole numbers, what each source pixel gives to each new one."""
    function, reach = KERNELS[kernel]
    scale = source / side
    wide = max(scale, 1.0)
    weights = torch.zeros(side, source, dtype=torch.float64)
    for place in range(side):
        centre = (place + 0.5) * scale
        first = max(int(centre - reach * wide + 0.5), 0)
        last = min(int(centre + reach * wide + 0.5), source)
        row = [function((pixel - centre + 0.5) * (1.0 / wide)) for pixel in range(first, last)]
        total = sum(row)
        whole = [weight / total * 2**BITS for weight in row]
        weights[place, first:last] = torch.tensor(
            [math.trunc(weight + math.copysign(0.5, weight)) for weight in whole], dtype=torch.float64
        )
    return weights
