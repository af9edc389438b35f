"""SSIM of Wang et al. (2004), the variant called gauss11 here.

11-tap Gaussian window with σ = 1.5, K1 = 0.01, K2 = 0.03, 8-bit range, population covariance, each RGB
channel alone, only windows fully inside the picture; mean over positions, channels and pictures. The same as
scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
data_range=255), computed strip by strip so that every intermediate stays in the processor's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ..errors import BadImage
from .pixels import check_pair, reference
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

TAPS, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
STRIP = 1 << 15  # window positions handled at once on a CPU


def gaussian_window() -> list[float]:
    """The 11 weights of one axis; they sum to 1."""
    weights = np.exp(-0.5 * ((np.arange(TAPS) - TAPS // 2) / SIGMA) ** 2)
    return [float(weight) for weight in weights / weights.sum()]


WINDOW = gaussian_window()


def ssim(a: Tensor, b: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    """(B,) float64 SSIM of two (B, 3, H, W) uint8 batches; `dtype` is that of the arithmetic."""
    check_pair(a, b)
    height, width = a.shape[-2:]
    if min(height, width) < TAPS:
        raise BadImage(
            f"SSIM looks through windows of {TAPS}×{TAPS} pixels; found pictures of {height}×{width}"
        )
    rows, columns = height - TAPS + 1, width - TAPS + 1  # window positions
    step = max(1, STRIP // columns) if a.device.type == "cpu" else rows
    planes = [_plane_sum(x, y, dtype, step) for x, y in zip(a.flatten(0, 1), b.flatten(0, 1), strict=True)]
    return torch.stack(planes).view(a.shape[:2]).mean(dim=1) / (rows * columns)


def _plane_sum(x: Tensor, y: Tensor, dtype: torch.dtype, step: int) -> Tensor:
    """Sum of the SSIM map of two (H, W) uint8 planes, `step` rows of window positions at a time."""
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    for top in range(0, len(x) - TAPS + 1, step):
        strip = slice(top, top + step + TAPS - 1)
        total += ssim_map(x[strip].to(dtype), y[strip].to(dtype)).sum(dtype=torch.float64)
    return total


def ssim_map(x: Tensor, y: Tensor) -> Tensor:
    """(H − 10, W − 10) SSIM at every window inside two (H, W) planes of values in [0, 255].

    Four local moments suffice: of x, y, x² + y² and xy. For x = y the result is exactly 1.
    """
    moments = _blur(torch.stack([x, y, (x * x).addcmul_(y, y), x * y]))  # (4, H − 10, W − 10)
    mean_x, mean_y, squares, product = moments
    means = mean_x * mean_x + mean_y * mean_y
    mean_product = mean_x * mean_y
    variances = squares.sub_(means)
    covariance = product.sub_(mean_product)
    above = mean_product.mul_(2).add_(C1).mul_(covariance.mul_(2).add_(C2))
    below = means.add_(C1).mul_(variances.add_(C2))
    return above.div_(below)


def _blur(planes: Tensor) -> Tensor:
    """Gaussian mean over every window inside (K, H, W) planes: down the columns, then along the rows."""
    height, width = planes.shape[1] - TAPS + 1, planes.shape[2] - TAPS + 1
    down = planes[:, :height] * WINDOW[0]
    for tap in range(1, TAPS):
        down.add_(planes[:, tap : tap + height], alpha=WINDOW[tap])
    along = down[:, :, :width] * WINDOW[0]
    for tap in range(1, TAPS):
        along.add_(down[:, :, tap : tap + width], alpha=WINDOW[tap])
    return along


class Ssim:
    """Mean over pictures of the structural similarity; 1 for identical pictures."""

    def __init__(self, name: str = "ssim", against: str = "source") -> None:
        self.name, self.against = name, against

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), ssim=ssim(seen.edited, reference(seen, self.against)))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {self.name: state.column("ssim")}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))
