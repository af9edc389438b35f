"""The discriminator of AttGAN, STGAN, LSTU-Net and CooGAN: one trunk, an adversarial and an attribute head.

Source: arXiv 1711.10678, section 3, and its released TensorFlow code: affine instance norm on every layer
including the first, LeakyReLU 0.2 everywhere, Wasserstein score and attribute logits from shared features.
"""

from __future__ import annotations

from torch import Tensor, nn

from .generator import initialise, level_widths
from .units import SLOPE


class Layer(nn.Module):
    """Halve the side: convolution 4/2/1, instance norm, LeakyReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 4, 2, 1, bias=False)
        self.norm = nn.InstanceNorm2d(after, eps=1e-6, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.norm(self.conv(x)), SLOPE)


class Critic(nn.Module):
    """(B, 3, size, size) -> score (B,) and attribute logits (B, A)."""

    def __init__(self, *, width: int, layers: int, fc: int, size: int, attributes: int) -> None:
        super().__init__()
        side = size // 2**layers
        if side * 2**layers != size or side < 2:
            raise ValueError(
                f"a critic of {layers} layers wants images of a multiple of {2**layers} pixels, "
                f"at least {2 ** (layers + 1)} (instance norm needs 2×2), found {size}"
            )
        widths = level_widths(width, layers)
        self.trunk = nn.Sequential(
            *(Layer(before, after) for before, after in zip([3, *widths], widths, strict=False))
        )
        flat = widths[-1] * side * side
        self.adversarial = _head(flat, fc, 1)
        self.attributes = _head(flat, fc, attributes)
        self.apply(initialise)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images).flatten(1)  # (B, C·side·side)
        return self.adversarial(features).squeeze(1), self.attributes(features)


def _head(flat: int, fc: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(flat, fc), nn.LeakyReLU(SLOPE), nn.Linear(fc, outputs))
