"""Preservation: what happened outside the region that the edit may change.

For drawn faces the region is known exactly: the pixels where the perfect edit differs from the source,
dilated by side/64 pixels. Everything else ought to stay as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from .pixels import CAP, check_pair, psnr
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

SMALLEST = 0.05  # share of the picture below which the untouched region says nothing


def kept_region(source: Tensor, truth: Tensor) -> Tensor:
    """(B, H, W) bool: pixels that a perfect edit leaves alone, away from those that it changes."""
    check_pair(source, truth)
    red, green, blue = (source != truth).unbind(dim=1)  # (B, H, W)
    changed = red | green | blue
    reach = max(1, round(max(source.shape[-2:]) / 64))  # pixels
    return ~near(near(changed, reach, 1), reach, 2)  # a square is a column of rows


def near(masks: Tensor, reach: int, dim: int) -> Tensor:
    """True within `reach` places of a true entry, along one dimension."""
    found, size = masks.clone(), masks.shape[dim]
    for step in range(1, min(reach, size - 1) + 1):
        ahead, behind = (found.narrow(dim, start, size - step) for start in (step, 0))
        ahead |= masks.narrow(dim, 0, size - step)
        behind |= masks.narrow(dim, step, size - step)
    return found


def errors_inside(a: Tensor, b: Tensor, region: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) int64 sums of absolute and squared differences of uint8 batches in (B, H, W) regions; exact."""
    check_pair(a, b)
    difference = a.to(torch.int32).sub_(b).mul_(region[:, None])
    absolute = difference.abs().sum(dim=(1, 2, 3), dtype=torch.int64)
    return absolute, difference.mul_(difference).sum(dim=(1, 2, 3), dtype=torch.int64)


class Preservation:
    """Difference between edited picture and source on the region that the edit should leave alone.

    preservation              mean absolute difference in grey levels (0–255), mean over pictures
    preservation.psnr         the same region's PSNR in dB, each picture counted with at most 100 dB
    preservation.area         mean size of the region, percent of the picture
    preservation.n_undefined  pictures left out because the region is under 5 % of the picture
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        assert seen.truth is not None, "the engine gives the truth to metrics that declare needs=('truth',)"
        region = kept_region(seen.source, seen.truth)
        absolute, squared = errors_inside(seen.edited, seen.source, region)
        pixels = region.sum(dim=(1, 2))
        state.append(
            **place(seen),
            absolute=absolute,
            squared=squared,
            pixels=pixels,
            share=pixels.double() / region[0].numel(),
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        share = state.column("share")
        values = np.where(share < SMALLEST, np.nan, 3.0 * state.column("pixels"))  # NaN: undefined
        decibel = psnr(state.column("squared"), values)
        return {
            "preservation": state.column("absolute") / values,
            "preservation.psnr": np.minimum(decibel, CAP),  # NaN stays NaN
            "preservation.area": 100.0 * share,
        }

    def finish(self, state: Rows) -> dict[str, float]:
        means = edit_means(self.per_sample(state), state.column("edit"))
        undefined = float((state.column("share") < SMALLEST).sum())
        return {**means, "preservation.n_undefined": undefined}
