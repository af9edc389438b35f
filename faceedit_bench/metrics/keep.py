"""What happened to a photograph outside the parts of the face that an edit may change, told by a parser.

    keep = mean over pixels of U and channels of |edited − source|,   U = complement of the relevant region

The relevant region is that of the attribute's parts in `MAY_CHANGE`, on the source or on the edited picture,
widened by side/64 pixels. For drawn faces the exact region is known: see `preservation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import max_pool2d

from ..contracts import PARTS, Undefined
from .answers import answers, comparisons, once
from .of_sums import Ratio, WithRatios
from .pixels import CAP, psnr
from .preservation import SMALLEST, errors_inside, near
from .ssim import GAUSS11, ssim_map
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

LEAST_SKIN = 0.04  # share of a picture below which the parser has missed the face (hats, hands, profiles)


@dataclass(frozen=True)
class Region:
    """Which pixels an edit may change."""

    parts: tuple[str, ...]
    beside: str = (
        ""  # and of these: "hull" background in the hull of hair and skin; "glasses" skin in the box
    )
    # of the glasses; "below nose", "below eyes" skin under them


BROWS, EYES, EARS = ("left brow", "right brow"), ("left eye", "right eye"), ("left ear", "right ear")
LIPS = ("upper lip", "lower lip")
HEAD = tuple(name for name in PARTS if name not in ("background", "cloth", "hat", "necklace"))
HAIR = Region(("hair", *BROWS))
TOP = Region(("hair", "skin", *BROWS, *EARS), "hull")
BEARD = Region((*LIPS, "neck"), "below eyes")

MAY_CHANGE = {
    "Bald": TOP,
    "Bangs": TOP,
    "Black_Hair": HAIR,
    "Blond_Hair": HAIR,
    "Brown_Hair": HAIR,
    "Bushy_Eyebrows": Region(BROWS),
    "Eyeglasses": Region(("glasses", *EYES, *BROWS), "glasses"),
    "Mouth_Slightly_Open": Region(("mouth", *LIPS), "below nose"),
    "Mustache": BEARD,
    "No_Beard": BEARD,
    "Pale_Skin": Region(("skin", "nose", *EARS, "neck", *LIPS)),
    "Male": Region(HEAD),
    "Young": Region(HEAD),
}
"""Attribute -> what may change. Ours: papers do not say."""


# ---- regions: all masks (H, W) bool -----------------------------------------------------------------


def kept(source: np.ndarray, edited: np.ndarray, attributes: list[str]) -> np.ndarray:
    """(H, W) bool: pixels that no edit of these attributes may change, from two parses (H, W)."""
    relevant = np.zeros(source.shape, dtype=bool)
    for name in attributes:
        for parse in (source, edited):
            relevant |= relevant_pixels(parse, MAY_CHANGE[name])
    return ~widened(relevant, max(1, round(len(source) / 64)))


def relevant_pixels(parse: np.ndarray, region: Region) -> np.ndarray:
    """Of one parse (H, W), indices into PARTS."""
    found = part(parse, *region.parts)
    if region.beside == "hull":
        found |= part(parse, "background") & hull(part(parse, "hair", "skin"))
    elif region.beside == "glasses":
        found |= part(parse, "skin") & widened(box(part(parse, "glasses")), max(1, round(len(parse) / 64)))
    elif region.beside == "below nose":
        found |= part(parse, "skin") & below(part(parse, "nose"))
    elif region.beside == "below eyes":
        found |= part(parse, "skin") & below(part(parse, *EYES, "glasses"))
    return found


def part(parse: np.ndarray, *names: str) -> np.ndarray:
    return np.isin(parse, [PARTS.index(name) for name in names])


def box(mask: np.ndarray) -> np.ndarray:
    """The upright rectangle about a mask."""
    rows, columns = (_between(np.asarray(mask.any(axis=axis))) for axis in (1, 0))
    return rows[:, None] & columns[None]


def _between(line: np.ndarray) -> np.ndarray:
    """From the first to the last true entry."""
    return np.logical_or.accumulate(line) & np.logical_or.accumulate(line[::-1])[::-1]


def below(mask: np.ndarray) -> np.ndarray:
    """Rows under the lowest pixel of a mask; every row where there is none."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = rows[-1] + 1 if len(rows) else 0
    return np.broadcast_to((np.arange(len(mask)) >= first)[:, None], mask.shape)


def hull(mask: np.ndarray) -> np.ndarray:
    """The smallest convex region of pixels that holds a mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return np.zeros_like(mask)
    left = mask[rows].argmax(axis=1).astype(float)
    right = mask.shape[1] - 1 - mask[rows][:, ::-1].argmax(axis=1).astype(float)
    every = np.arange(rows[0], rows[-1] + 1)
    low, high = _convex(rows, left, every), -_convex(rows, -right, every)
    columns = np.arange(mask.shape[1])
    found = np.zeros_like(mask)
    found[every] = (columns >= low[:, None] - 1e-9) & (columns <= high[:, None] + 1e-9)
    return found


def _convex(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values `at` of the greatest convex function below the points (x, y), x rising (Andrew's chain)."""
    chain: list[int] = []
    for i in range(len(x)):
        while len(chain) > 1:
            a, b = chain[-2], chain[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            chain.pop()
        chain.append(i)
    return np.interp(at, x[chain], y[chain])


def widened(mask: np.ndarray, reach: int) -> np.ndarray:
    """A mask and everything within `reach` pixels of it, also diagonally."""
    return near(near(torch.from_numpy(np.ascontiguousarray(mask)), reach, 0), reach, 1).numpy()


# ---- scores -----------------------------------------------------------------------------------------


def ssim_inside(source: Tensor, edited: Tensor, region: np.ndarray) -> float:
    """Mean SSIM of two (3, H, W) uint8 pictures over windows that lie in the region; NaN where none does."""
    outside = torch.from_numpy(~region)[None].float()
    whole = (
        max_pool2d(outside, GAUSS11.taps, stride=1)[0] == 0
    )  # (H − 10, W − 10): windows without outside pixels
    if not bool(whole.any()):
        return float("nan")
    maps = [ssim_map(x.double(), y.double()) for x, y in zip(source, edited, strict=True)]
    return float(torch.stack(maps).mean(dim=0)[whole].mean())


def ssims_inside(source: Tensor, other: Tensor, regions: np.ndarray) -> np.ndarray:
    """(B,) of two batches (B, 3, H, W) and regions (B, H, W)."""
    return np.array([ssim_inside(*pair) for pair in zip(source, other, regions, strict=True)])


def lpips_inside(seen: Observation, image: str, regions: np.ndarray) -> np.ndarray:
    """(B,) mean in regions (B, H, W) of LPIPS' map between one of the `image` pictures and its source;
    NaN for an empty region."""
    maps = comparisons(seen, "lpips-map", "source", image).reshape(regions.shape).astype(np.float64)
    pixels = regions.sum(axis=(1, 2))
    return np.where(regions, maps, 0).sum(axis=(1, 2)) / np.where(pixels, pixels, np.nan)


def parses(seen: Observation, image: str) -> np.ndarray:
    """(B, H, W) indices into PARTS at the pictures' size: each pixel takes the parser's nearest."""
    found = answers(seen, "parser", image)
    side = round(found.shape[1] ** 0.5)
    square = found.reshape(-1, side, side).astype(np.int64)
    height, width = seen.source.shape[-2:]
    rows, columns = (((np.arange(n) + 0.5) * side / n).astype(int) for n in (height, width))
    return square[:, rows][:, :, columns]


def kept_regions(seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    """(B, H, W) bool, what the edit may not change, and (B,) the share of skin that the parser found.

    Nothing is kept of an edit of attributes whose parts are not in `MAY_CHANGE`.
    """
    return once(seen, "kept regions", lambda: _kept_regions(seen))


def _kept_regions(seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    asked = list(seen.edit.changed)
    before, after = parses(seen, "source"), parses(seen, "edited")
    if asked and all(name in MAY_CHANGE for name in asked):
        regions = np.stack([kept(x, y, asked) for x, y in zip(before, after, strict=True)])
    else:
        regions = np.zeros(before.shape, bool)
    skin = [part(parse, "skin").mean(axis=(1, 2)) for parse in (before, after)]
    return regions, np.minimum(*skin)


class InRegion:
    """Bookkeeping of metrics on the kept region: which faces count, and how many do not."""

    name: str

    def empty(self) -> Rows:
        return Rows()

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def usable(self, state: Rows) -> np.ndarray:
        """(N,) bool."""
        return (state.column("share") >= SMALLEST) & (state.column("skin") >= LEAST_SKIN)

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        skipped = state.column("skin") < LEAST_SKIN
        small = (state.column("share") < SMALLEST) & ~skipped
        nothing = Undefined(
            f"of {len(state)} pictures the parser found no face in {int(skipped.sum())}, and "
            f"{int(small.sum())} have less than 5 % that the edit may not change"
        )
        return {
            self.name: nothing,
            **edit_means(self.per_sample(state), state.column("edit")),
            f"{self.name}.n_undefined": float(small.sum()),
            f"{self.name}.n_skipped": float(skipped.sum()),
        }


class Keep(InRegion, WithRatios):
    """Change between edited picture and source where the edit should leave it alone.

    keep              mean absolute difference in grey levels (0–255), mean over pictures
    keep.pooled       the same over all pixels of an edit's pictures: large regions count more; so do
                      keep.psnr.pooled, keep.ssim.pooled and keep.locality.pooled
    keep.psnr         the same region's PSNR in dB, each picture counted with at most 100 dB
    keep.ssim         mean SSIM over windows that lie in the region
    keep.locality     of all that changed, the percentage inside the parts that may change
    keep.area         mean size of the region, percent of the picture
    keep.n_undefined  pictures left out: region under 5 % of the picture
    keep.n_skipped    pictures left out: under 4 % skin found in the source or in the edited picture
    """

    name = "keep"

    def __init__(self) -> None:
        self.ratios = (
            Ratio("keep.pooled", partial(self._sums, "absolute")),
            Ratio("keep.psnr.pooled", partial(self._sums, "squared"), of=_decibel),
            Ratio("keep.ssim.pooled", partial(weighted_by_area, self, "ssim")),
            Ratio("keep.locality.pooled", self._changed_inside, of=_percent),
        )

    def update(self, state: Rows, seen: Observation) -> None:
        regions, skin = kept_regions(seen)
        absolute, squared = errors_inside(seen.edited, seen.source, torch.from_numpy(regions))
        total, _ = errors_inside(seen.edited, seen.source, torch.ones(regions.shape, dtype=torch.bool))
        state.append(
            **place(seen),
            absolute=absolute,
            squared=squared,
            total=total,
            pixels=regions.sum(axis=(1, 2)),
            share=regions.mean(axis=(1, 2)),
            skin=skin,
            ssim=ssims_inside(seen.source, seen.edited, regions),
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        usable, total = self.usable(state), state.column("total")
        values = np.where(usable, 3.0 * state.column("pixels"), np.nan)  # NaN: undefined
        absolute = state.column("absolute")
        changed = np.where(usable & (total > 0), total, np.nan)
        return {
            "keep": absolute / values,
            "keep.psnr": np.minimum(psnr(state.column("squared"), values), CAP),
            "keep.ssim": np.where(usable, state.column("ssim"), np.nan),
            "keep.locality": 100.0 * (1 - absolute / changed),
            "keep.area": 100.0 * np.where(usable, state.column("share"), np.nan),
        }

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        return {**super().finish(state), **self.ratios_of(state)}

    def _sums(self, column: str, state: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Differences and how many numbers they are sums of, (N,) each; NaN: the picture is left out."""
        return state.column(column), np.where(self.usable(state), 3.0 * state.column("pixels"), np.nan)

    def _changed_inside(self, state: Rows) -> tuple[np.ndarray, np.ndarray]:
        """What changed where it may, and what changed at all."""
        total = np.where(self.usable(state), state.column("total"), np.nan)
        return total - state.column("absolute"), total


def _decibel(mean_square: np.ndarray) -> np.ndarray:
    return np.minimum(psnr(mean_square, np.ones_like(mean_square)), CAP)


def _percent(share: np.ndarray) -> np.ndarray:
    return 100 * share


def weighted_by_area(metric: InRegion, column: str, state: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Sums of a mean over the region, whose shares of the pictures are the weights; NaN: left out."""
    weights = np.where(metric.usable(state), state.column("share"), np.nan)
    return state.column(column) * weights, weights


class KeepLpips(InRegion, WithRatios):
    """LPIPS on the region that an edit should leave alone: mean of its map there, then over pictures.

    keep_lpips.pooled is the mean over all pixels of an edit's pictures: large regions count more.
    keep_lpips.n_undefined and .n_skipped count the pictures left out, as those of `keep` do.
    """

    name = "keep_lpips"

    def __init__(self) -> None:
        self.ratios = (Ratio("keep_lpips.pooled", partial(weighted_by_area, self, "distance")),)

    def update(self, state: Rows, seen: Observation) -> None:
        regions, skin = kept_regions(seen)
        distance = lpips_inside(seen, "edited", regions)
        state.append(**place(seen), distance=distance, share=regions.mean(axis=(1, 2)), skin=skin)

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {"keep_lpips": np.where(self.usable(state), state.column("distance"), np.nan)}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        return {**super().finish(state), **self.ratios_of(state)}
