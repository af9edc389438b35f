"""Random views of faces, so that judges see past what editors do to a picture besides the edit.

All on batches (B, 3, H, W) in [-1, 1]; all randomness comes from the generator handed in (on the CPU, so that
every device sees the same draws).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def uniform(rows: int, low: float, high: float, generator: Generator, like: Tensor) -> Tensor:
    """(rows,) between low and high, on the device of `like`."""
    return (low + (high - low) * torch.rand(rows, generator=generator)).to(like)


def crops(
    images: Tensor, generator: Generator, *, size: int, zoom: tuple[float, float], shift: float, mirror: bool
) -> Tensor:
    """Square windows, `zoom` of the picture's side, centre off by up to `shift` (1 is half the picture).

    (B, 3, H, W) -> (B, 3, size, size); what lies outside repeats the border.
    """
    rows = len(images)
    scale = uniform(rows, *zoom, generator, images)
    sign = torch.where(torch.rand(rows, generator=generator) < 0.5, -1.0, 1.0).to(images) if mirror else 1.0
    theta = torch.zeros(rows, 2, 3, dtype=images.dtype, device=images.device)
    theta[:, 0, 0], theta[:, 1, 1] = scale * sign, scale
    theta[:, 0, 2] = uniform(rows, -shift, shift, generator, images)
    theta[:, 1, 2] = uniform(rows, -shift, shift, generator, images)
    grid = F.affine_grid(theta, [rows, 3, size, size], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def softened(images: Tensor, generator: Generator, *, share: float = 0.4) -> Tensor:
    """A share of the batch taken down to 65–100 % of its side and back: editors lose detail."""
    chosen = torch.rand(len(images), generator=generator) < share
    if not chosen.any():
        return images
    side = images.shape[-1]
    small = int(side * (0.65 + 0.35 * float(torch.rand((), generator=generator))))
    seen = images[chosen.to(images.device)]
    seen = F.interpolate(seen, (small, small), mode="bilinear", align_corners=False, antialias=True)
    seen = F.interpolate(seen, (side, side), mode="bilinear", align_corners=False)
    result = images.clone()
    result[chosen.to(images.device)] = seen
    return result


def recoloured(images: Tensor, generator: Generator, *, amount: float) -> Tensor:
    """Brightness, contrast and channel gains off by up to `amount`; small, or blond turns brown."""
    rows = len(images)
    light = uniform(rows, -amount, amount, generator, images).view(-1, 1, 1, 1)
    contrast = uniform(rows, 1 - amount, 1 + amount, generator, images).view(-1, 1, 1, 1)
    gains = uniform(rows * 3, 1 - amount / 2, 1 + amount / 2, generator, images).view(-1, 3, 1, 1)
    return (((images + 1) * gains - 1) * contrast + light).clamp(-1, 1)


def greyed(images: Tensor, generator: Generator, *, share: float) -> Tensor:
    """A share of the batch without colour."""
    chosen = (torch.rand(len(images), generator=generator) < share).to(images.device)
    return torch.where(chosen.view(-1, 1, 1, 1), images.mean(1, keepdim=True), images)


def noisy(images: Tensor, generator: Generator, *, most: float) -> Tensor:
    """Gaussian noise whose deviation is up to `most`, another for every picture."""
    spread = uniform(len(images), 0, most, generator, images).view(-1, 1, 1, 1)
    return images + spread * torch.randn(images.shape, generator=generator).to(images)


def as_edited(images: Tensor, generator: Generator, *, mirror: bool = True) -> Tensor:
    """What an editor may do to a picture apart from the edit: small shifts, blur, a tint, noise."""
    side = images.shape[-1]
    seen = crops(images, generator, size=side, zoom=(0.95, 1.05), shift=0.05, mirror=mirror)
    seen = softened(seen, generator)
    seen = recoloured(seen, generator, amount=0.06)
    return noisy(seen, generator, most=0.06)
