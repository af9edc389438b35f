"""AttGAN as its PyTorch port computes it (elvisyjlin/AttGAN-PyTorch), from its own state dictionary.

It differs from the original where PyTorch's defaults differ from slim's: slope 0.01, epsilon 1e-5. The
published files hold generators only.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Variables = Mapping[str, Tensor]

EPSILON = 1e-5
SLOPE = 0.01


def attgan(
    v: Variables,
    images: Tensor,
    condition: Tensor,
    training: bool = False,
    *,
    shortcut: int = 1,
    inject: int = 1,
) -> Tensor:
    features, x = [], images
    while (layer := f"enc_layers.{len(features)}.layers") + ".0.weight" in v:
        x = F.conv2d(x, v[f"{layer}.0.weight"], stride=2, padding=1)
        x = F.leaky_relu(batch_norm(v, f"{layer}.1", x, training), SLOPE)
        features.append(x)
    depth = len(features)
    x = tile(x, condition)
    for i in range(depth):
        layer = f"dec_layers.{i}.layers"
        bias = v[f"{layer}.0.bias"] if i == depth - 1 else None
        x = F.conv_transpose2d(x, v[f"{layer}.0.weight"], bias, stride=2, padding=1)
        if i == depth - 1:
            break
        x = F.relu(batch_norm(v, f"{layer}.1", x, training))
        if i < shortcut:
            x = torch.cat([x, features[depth - 2 - i]], dim=1)
        if i < inject:
            x = tile(x, condition)
    return torch.tanh(x)


def batch_norm(v: Variables, name: str, x: Tensor, training: bool) -> Tensor:
    mean, variance = v[f"{name}.running_mean"].clone(), v[f"{name}.running_var"].clone()
    return F.batch_norm(x, mean, variance, v[f"{name}.weight"], v[f"{name}.bias"], training, 0.1, EPSILON)


def tile(x: Tensor, condition: Tensor) -> Tensor:
    return torch.cat([x, condition[:, :, None, None].repeat(1, 1, *x.shape[2:])], dim=1)
