"""What an edit changes where it should leave a picture alone, beyond what the reconstruction changes there.

    keep_excess = mean over pixels of U and channels of |edited − source| − |again − source|

U: the region of the edit, as in `keep` (told by a parser) or in `preservation` (known of drawn faces); again:
the method's reconstruction of the same face. A method that encodes pictures changes them everywhere before it
edits anything; the difference is what its edit adds to that loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ..contracts import RECONSTRUCTION, Undefined
from .keep import InRegion, kept_regions, lpips_inside, ssims_inside
from .pixels import CAP, psnr
from .preservation import SMALLEST, errors_inside, kept_region
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

EDITED = "edited"


def both(seen: Observation) -> dict[str, Tensor]:
    """The edited pictures and the reconstruction of the same faces, (B, 3, H, W) uint8 each."""
    again = seen.reconstruction
    assert again is not None, "the engine gives it to metrics that declare needs=('reconstruction',)"
    return {EDITED: seen.edited, RECONSTRUCTION: again}


def errors(seen: Observation, region: Tensor) -> dict[str, Tensor]:
    """Columns of summed absolute and squared differences to the source in regions (B, H, W) bool."""
    columns = {}
    for image, pictures in both(seen).items():
        columns[f"{image}/absolute"], columns[f"{image}/squared"] = errors_inside(
            pictures, seen.source, region
        )
    return columns


def excess_of_errors(state: Rows, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Per sample, of the columns of `errors` and of how many numbers (N,) they are sums; NaN: undefined."""
    mean, decibel = {}, {}
    for image in (EDITED, RECONSTRUCTION):
        mean[image] = state.column(f"{image}/absolute") / values
        decibel[image] = np.minimum(psnr(state.column(f"{image}/squared"), values), CAP)
    return {
        name: mean[EDITED] - mean[RECONSTRUCTION],
        f"{name}.reconstruction": mean[RECONSTRUCTION],
        f"{name}.psnr": decibel[EDITED] - decibel[RECONSTRUCTION],
    }


class KeepExcess(InRegion):
    """`keep` less the same of the reconstruction, face by face; below 0 where the edit is nearer the source.

    keep_excess                 in grey levels (0–255)
    keep_excess.reconstruction  what was subtracted
    keep_excess.psnr            keep.psnr less that of the reconstruction, dB; below 0: the edit changed more
    keep_excess.ssim            keep.ssim less that of the reconstruction; below 0: the edit changed more
    keep_excess.n_undefined and .n_skipped count the pictures left out, as those of `keep` do
    """

    name = "keep_excess"

    def update(self, state: Rows, seen: Observation) -> None:
        regions, skin = kept_regions(seen)
        ssims = {
            f"{image}/ssim": ssims_inside(seen.source, pictures, regions)
            for image, pictures in both(seen).items()
        }
        state.append(
            **place(seen),
            **errors(seen, torch.from_numpy(regions)),
            **ssims,
            pixels=regions.sum(axis=(1, 2)),
            share=regions.mean(axis=(1, 2)),
            skin=skin,
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        usable = self.usable(state)
        ssim = state.column(f"{EDITED}/ssim") - state.column(f"{RECONSTRUCTION}/ssim")
        return {
            **excess_of_errors(state, self.name, np.where(usable, 3.0 * state.column("pixels"), np.nan)),
            f"{self.name}.ssim": np.where(usable, ssim, np.nan),
        }


class KeepLpipsExcess(InRegion):
    """`keep_lpips` less the same of the reconstruction, face by face.

    keep_lpips_excess.reconstruction is what was subtracted;
    keep_lpips_excess.n_undefined and .n_skipped count the pictures left out, as those of `keep` do.
    """

    name = "keep_lpips_excess"

    def update(self, state: Rows, seen: Observation) -> None:
        regions, skin = kept_regions(seen)
        state.append(
            **place(seen),
            **{image: lpips_inside(seen, image, regions) for image in (EDITED, RECONSTRUCTION)},
            share=regions.mean(axis=(1, 2)),
            skin=skin,
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        again = np.where(self.usable(state), state.column(RECONSTRUCTION), np.nan)
        return {self.name: state.column(EDITED) - again, f"{self.name}.reconstruction": again}


class PreservationExcess:
    """`preservation` less the same of the reconstruction, face by face: drawn faces, whose region is known.

    preservation_excess                 in grey levels (0–255); below 0 where the edit is nearer the source
    preservation_excess.reconstruction  what was subtracted
    preservation_excess.psnr            preservation.psnr less that of the reconstruction, dB
    preservation_excess.n_undefined     pictures left out because the region is under 5 % of the picture
    """

    name = "preservation_excess"

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        assert seen.truth is not None, "the engine gives the truth to metrics that declare needs=('truth',)"
        region = kept_region(seen.source, seen.truth)
        pixels = region.sum(dim=(1, 2))
        share = pixels.double() / region[0].numel()
        state.append(**place(seen), **errors(seen, region), pixels=pixels, share=share)

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        small = state.column("share") < SMALLEST
        return excess_of_errors(state, self.name, np.where(small, np.nan, 3.0 * state.column("pixels")))

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        small = int((state.column("share") < SMALLEST).sum())
        nothing = Undefined(
            f"{small} of {len(state)} pictures have less than 5 % that the edit may not change"
        )
        return {
            self.name: nothing,
            **edit_means(self.per_sample(state), state.column("edit")),
            f"{self.name}.n_undefined": float(small),
        }
