"""SSIM of Wang et al. (2004), in two variants that are two metrics.

gauss11   11-tap Gaussian window with σ = 1.5, population covariance: scikit-image's
          structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
uniform7  7×7 box, sample covariance: scikit-image's default, in STGAN's released evaluation

Both with K1 = 0.01, K2 = 0.03, 8-bit range, each RGB channel alone, only windows fully inside the picture;
mean over positions, channels and pictures; computed strip by strip so that every intermediate stays in the
processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..errors import BadImage
from .pixels import check_pair, reference
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
STRIP = 1 << 15  # window positions handled at once on a CPU


@dataclass(frozen=True)
class Window:
    """Through what pictures are compared: weights of one axis, which sum to 1."""

    weights: tuple[float, ...]
    correction: float = 1.0  # of variances: n / (n − 1) for sample covariance

    @property
    def taps(self) -> int:
        """Pixels per side."""
        return len(self.weights)


def gaussian_window(taps: int = 11, sigma: float = 1.5) -> Window:
    weights = np.exp(-0.5 * ((np.arange(taps) - taps // 2) / sigma) ** 2)
    return Window(tuple(float(weight) for weight in weights / weights.sum()))


GAUSS11 = gaussian_window()
UNIFORM7 = Window((1 / 7,) * 7, correction=49 / 48)


def ssim(a: Tensor, b: Tensor, dtype: torch.dtype = torch.float64, window: Window = GAUSS11) -> Tensor:
    """(B,) float64 SSIM of two (B, 3, H, W) uint8 batches; `dtype` is that of the arithmetic."""
    check_pair(a, b)
    height, width = a.shape[-2:]
    if min(height, width) < window.taps:
        raise BadImage(
            f"SSIM looks through windows of {window.taps}×{window.taps} pixels; found pictures of "
            f"{height}×{width}"
        )
    rows, columns = height - window.taps + 1, width - window.taps + 1  # window positions
    step = max(1, STRIP // columns) if a.device.type == "cpu" else rows
    pairs = zip(a.flatten(0, 1), b.flatten(0, 1), strict=True)
    planes = [_plane_sum(x, y, dtype, step, window) for x, y in pairs]
    return torch.stack(planes).view(a.shape[:2]).mean(dim=1) / (rows * columns)


def _plane_sum(x: Tensor, y: Tensor, dtype: torch.dtype, step: int, window: Window) -> Tensor:
    """Sum of the SSIM map of two (H, W) uint8 planes, `step` rows of window positions at a time."""
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    for top in range(0, len(x) - window.taps + 1, step):
        strip = slice(top, top + step + window.taps - 1)
        total += ssim_map(x[strip].to(dtype), y[strip].to(dtype), window).sum(dtype=torch.float64)
    return total


def ssim_map(x: Tensor, y: Tensor, window: Window = GAUSS11) -> Tensor:
    """(H − taps + 1, W − taps + 1) SSIM at every window inside two (H, W) planes of values in [0, 255].

    Four local moments suffice: of x, y, x² + y² and xy. For x = y the result is exactly 1.
    """
    moments = _blur(torch.stack([x, y, (x * x).addcmul_(y, y), x * y]), window.weights)
    mean_x, mean_y, squares, product = moments
    means = mean_x * mean_x + mean_y * mean_y
    mean_product = mean_x * mean_y
    variances = squares.sub_(means)
    covariance = product.sub_(mean_product)
    if window.correction != 1:
        variances, covariance = variances.mul_(window.correction), covariance.mul_(window.correction)
    above = mean_product.mul_(2).add_(C1).mul_(covariance.mul_(2).add_(C2))
    below = means.add_(C1).mul_(variances.add_(C2))
    return above.div_(below)


def _blur(planes: Tensor, weights: tuple[float, ...]) -> Tensor:
    """Weighted mean over every window inside (K, H, W) planes: down the columns, then along the rows."""
    height, width = planes.shape[1] - len(weights) + 1, planes.shape[2] - len(weights) + 1
    down = planes[:, :height] * weights[0]
    for tap, weight in enumerate(weights[1:], start=1):
        down.add_(planes[:, tap : tap + height], alpha=weight)
    along = down[:, :, :width] * weights[0]
    for tap, weight in enumerate(weights[1:], start=1):
        along.add_(down[:, :, tap : tap + width], alpha=weight)
    return along


class Ssim:
    """Mean over pictures of the structural similarity; 1 for identical pictures."""

    def __init__(self, name: str = "ssim", against: str = "source", window: Window = GAUSS11) -> None:
        self.name, self.against, self.window = name, against, window

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        against = reference(seen, self.against)
        state.append(**place(seen), ssim=ssim(seen.edited, against, window=self.window))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {self.name: state.column("ssim")}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))
