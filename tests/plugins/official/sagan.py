"""SaGAN's generator as a third party's program computes it in eval mode (elvisyjlin/SpatialAttentionGAN).

Two halves of the same shape; the last layer of each is a transposed convolution of stride 1. Instance norm
has no tensors, batch norm (in the residual blocks) uses its running statistics. Epsilon 1e-5.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Variables = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def generator_shapes(*, width: int, blocks: int) -> Shapes:
    """Names and shapes of `<images shown>.G.pth`."""
    shapes: Shapes = {}
    for half, inputs, outputs in (("AMN", 4, 3), ("SAN", 3, 1)):
        shapes |= _biased(f"{half}.conv.0", (width, inputs, 7, 7), width)
        for i in (1, 2, 3):
            shapes |= _biased(
                f"{half}.conv.{3 * i}", (width * 2**i, width * 2 ** (i - 1), 4, 4), width * 2**i
            )
        for block in (f"{half}.resblk.{i}.layers" for i in range(blocks)):
            for j in (0, 3):
                shapes |= _biased(f"{block}.{j}", (8 * width, 8 * width, 3, 3), 8 * width)
                shapes |= _batch_norm(f"{block}.{j + 1}", 8 * width)
        for i in (0, 1, 2):
            after = 4 * width // 2**i
            shapes |= _biased(f"{half}.deconv.{3 * i}", (2 * after, after, 4, 4), after)
        shapes |= _biased(f"{half}.deconv.9", (width, outputs, 7, 7), outputs)
    return shapes


def sagan(v: Variables, images: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) and (B, 1) in {0, 1} -> edited pictures and masks."""
    plane = target[:, :, None, None].expand(-1, -1, *images.shape[2:])
    painted = torch.tanh(_half(v, "AMN", torch.cat([images, plane], dim=1)))
    mask = torch.sigmoid(_half(v, "SAN", images))
    return painted * mask + images * (1 - mask), mask


def _half(v: Variables, half: str, x: Tensor) -> Tensor:
    def tensors(name: str) -> tuple[Tensor, Tensor]:
        return v[f"{half}.{name}.weight"], v[f"{half}.{name}.bias"]

    def batch_norm(name: str, x: Tensor) -> Tensor:
        mean, variance = v[f"{half}.{name}.running_mean"], v[f"{half}.{name}.running_var"]
        return F.batch_norm(x, mean, variance, *tensors(name), training=False)

    x = F.instance_norm(F.conv2d(x, *tensors("conv.0"), padding=3)).relu()
    for i in (3, 6, 9):
        x = F.instance_norm(F.conv2d(x, *tensors(f"conv.{i}"), stride=2, padding=1)).relu()
    i = 0
    while f"{half}.resblk.{i}.layers.0.weight" in v:
        block = f"resblk.{i}.layers"
        inside = batch_norm(f"{block}.1", F.conv2d(x, *tensors(f"{block}.0"), padding=1)).relu()
        x = x + batch_norm(f"{block}.4", F.conv2d(inside, *tensors(f"{block}.3"), padding=1))
        i += 1
    for i in (0, 3, 6):
        x = F.instance_norm(F.conv_transpose2d(x, *tensors(f"deconv.{i}"), stride=2, padding=1)).relu()
    return F.conv_transpose2d(x, *tensors("deconv.9"), padding=3)


def _biased(name: str, shape: tuple[int, ...], channels: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": (channels,)}


def _batch_norm(name: str, channels: int) -> Shapes:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{part}": (channels,) for part in parts}, f"{name}.num_batches_tracked": ()}
