"""StarGAN as its released program computes it (yunjey/stargan), from its own state dictionaries.

The released test path never leaves training mode, so every instance norm uses the statistics of its input;
the running statistics in the files are never looked at. Slope 0.01, epsilon 1e-5.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Variables = Mapping[str, Tensor]

EPSILON = 1e-5
SLOPE = 0.01


def stargan(v: Variables, images: Tensor, labels: Tensor, training: bool = False) -> Tensor:
    """(B, 3, H, W) and (B, c) labels in {0, 1}; `training` makes no difference."""
    x = torch.cat([images, labels[:, :, None, None].expand(-1, -1, *images.shape[2:])], dim=1)
    x = normed(v, 0, F.conv2d(x, v["main.0.weight"], padding=3)).relu()
    for i in (3, 6):
        x = normed(v, i, F.conv2d(x, v[f"main.{i}.weight"], stride=2, padding=1)).relu()
    i = 9
    while f"main.{i}.main.0.weight" in v:
        inside = normed(v, 0, F.conv2d(x, v[f"main.{i}.main.0.weight"], padding=1), f"main.{i}.").relu()
        x = x + normed(v, 3, F.conv2d(inside, v[f"main.{i}.main.3.weight"], padding=1), f"main.{i}.")
        i += 1
    for j in (i, i + 3):
        x = normed(v, j, F.conv_transpose2d(x, v[f"main.{j}.weight"], stride=2, padding=1)).relu()
    return torch.tanh(F.conv2d(x, v[f"main.{i + 6}.weight"], padding=3))


def critic(v: Variables, images: Tensor) -> tuple[Tensor, Tensor]:
    """Score map (B, 1, H/64, W/64) and label logits (B, c)."""
    x, i = images, 0
    while f"main.{i}.weight" in v:
        x = F.conv2d(x, v[f"main.{i}.weight"], v[f"main.{i}.bias"], stride=2, padding=1)
        x, i = F.leaky_relu(x, SLOPE), i + 2
    return F.conv2d(x, v["conv1.weight"], padding=1), F.conv2d(x, v["conv2.weight"]).flatten(1)


def normed(v: Variables, index: int, x: Tensor, within: str = "") -> Tensor:
    """Instance norm after convolution number `index`, by the statistics of x."""
    name = f"{within}main.{index + 1}"
    return F.instance_norm(x, weight=v[f"{name}.weight"], bias=v[f"{name}.bias"], eps=EPSILON)
