"""Pictures brought to a size that a network takes."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate, pad


def shrink(images: Tensor, side: int, mode: str = "bicubic") -> Tensor:
    """(B, C, S, S) -> (B, C, side, side), anti-aliased."""
    if images.shape[-2:] == (side, side):
        return images
    return interpolate(images, (side, side), mode=mode, antialias=True).clamp(-1, 1)


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """(B, C, H, W), padded right and bottom to multiples by repeating the border."""
    height, width = images.shape[2:]
    right, bottom = -width % multiple, -height % multiple
    return pad(images, (0, right, 0, bottom), mode="replicate") if right or bottom else images
