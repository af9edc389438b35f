"""The discriminator of AttGAN, STGAN, LSTU-Net and CooGAN: one trunk, an adversarial and an attribute head.

Source: arXiv 1711.10678, section 3, and its released TensorFlow code: affine instance norm on every layer
including the first, LeakyReLU 0.2 everywhere, Wasserstein score and attribute logits from shared features.
The PyTorch port's constants, and layers without a norm, are arguments.
"""

from __future__ import annotations

from torch import Tensor, nn

from .generator import initialise, level_widths
from .units import SLOPE


class Layer(nn.Module):
    """Halve the side: convolution 4/2/1, instance norm, LeakyReLU; without the norm a bias."""

    def __init__(
        self, before: int, after: int, slope: float = SLOPE, epsilon: float = 1e-6, norm: bool = True
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 4, 2, 1, bias=not norm)
        self.norm = nn.InstanceNorm2d(after, eps=epsilon, affine=True) if norm else nn.Identity()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.norm(self.conv(x)), self.slope)


class Critic(nn.Module):
    """(B, channels, size, size) -> score (B,) and attribute logits (B, A)."""

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        fc: int,
        size: int,
        attributes: int,
        channels: int = 3,
        slope: float = SLOPE,  # of the trunk's LeakyReLU
        head_slope: float = SLOPE,  # inside both heads; 0 is a ReLU
        epsilon: float = 1e-6,  # of instance norm
        norm: bool = True,
    ) -> None:
        super().__init__()
        side = size // 2**layers
        if side * 2**layers != size or side < 2:
            raise ValueError(
                f"a critic of {layers} layers wants images of a multiple of {2**layers} pixels, "
                f"at least {2 ** (layers + 1)} (instance norm needs 2×2), found {size}"
            )
        widths = level_widths(width, layers)
        self.trunk = nn.Sequential(
            *(
                Layer(before, after, slope, epsilon, norm)
                for before, after in zip([channels, *widths], widths, strict=False)
            )
        )
        flat = widths[-1] * side * side
        self.adversarial = _head(flat, fc, 1, head_slope)
        self.attributes = _head(flat, fc, attributes, head_slope)
        self.apply(initialise)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images).flatten(1)  # (B, C·side·side)
        return self.adversarial(features).squeeze(1), self.attributes(features)


def _head(flat: int, fc: int, outputs: int, slope: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(flat, fc), nn.LeakyReLU(slope), nn.Linear(fc, outputs))
