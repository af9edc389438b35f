"""PSNR and L2 from exact integer sums over pairs of 8-bit pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..contracts import Undefined
from ..errors import BadImage
from .of_sums import OfSums
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

Columns = dict[str, np.ndarray]

BLOCK = 1 << 18  # numbers handled at once, so that intermediates stay in the processor's cache
CAP = 100.0  # dB: what a pair counts for in means where it is (nearly) identical
LUMA = (65.481, 128.553, 24.966)  # BT.601 studio: Y = 16 + LUMA · RGB, RGB in [0, 1], Y in [16, 235]


def check_pair(a: Tensor, b: Tensor) -> None:
    """Pairs are (B, 3, H, W) uint8 of equal size; nothing is converted or resized silently."""
    for picture in (a, b):
        if picture.dtype != torch.uint8:
            raise BadImage(
                f"wanted 8-bit pictures, found {str(picture.dtype).removeprefix('torch.')}; "
                "convert [-1, 1] with ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)"
            )
    if a.shape != b.shape or a.ndim != 4:
        raise BadImage(
            f"wanted two batches (B, 3, H, W) of one size, found {tuple(a.shape)} and {tuple(b.shape)}"
        )


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """(B,) int64 sums of squared differences of two (B, 3, H, W) uint8 batches. Exact."""
    check_pair(a, b)
    rows = max(1, BLOCK // a[:, :, 0].numel())
    blocks = zip(a.split(rows, dim=2), b.split(rows, dim=2), strict=True)
    return torch.stack([_squared_error(x, y) for x, y in blocks]).sum(dim=0)


def _squared_error(a: Tensor, b: Tensor) -> Tensor:
    difference = a.to(torch.int16).sub_(b).to(torch.int32)  # |difference| ≤ 255, its square < 2^16
    return difference.mul_(difference).sum(dim=(1, 2, 3), dtype=torch.int64)


def squared_luma_error(a: Tensor, b: Tensor) -> Tensor:
    """(B,) float64 sums over pixels of squared differences of luma, in 8-bit levels, not rounded.

    From sums of products of channels' differences, which are whole numbers below 2^53: no order of summation
    changes a bit.
    """
    check_pair(a, b)
    difference = a.to(torch.float64).sub_(b).flatten(2)  # (B, 3, H·W)
    products = difference @ difference.mT  # (B, 3, 3)
    weights = torch.tensor(LUMA, dtype=torch.float64, device=a.device) / 255
    return ((products * weights).sum(dim=2) * weights).sum(dim=1)


def psnr(sse: np.ndarray, values: int | np.ndarray) -> np.ndarray:
    """10·log10(255² / MSE) in dB from sums of squared errors over `values` 8-bit numbers; may be infinite."""
    sse = np.asarray(sse, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 * values / sse)


def l2(sse: np.ndarray, values: int | np.ndarray) -> np.ndarray:
    """Mean squared difference of pictures in [-1, 1]: 4·MSE of [0, 1] pictures."""
    return np.asarray(sse, dtype=np.float64) / values * (2 / 255.0) ** 2


def reference(seen: Observation, against: str) -> Tensor:
    """The "source" or "truth" pictures that the edited ones are compared with."""
    if against == "source":
        return seen.source
    assert seen.truth is not None, "the engine gives the truth to metrics that declare needs=('truth',)"
    return seen.truth


def pixel_columns(seen: Observation, against: str) -> Columns:
    """`sse` (B,) int64, and `values` (B,) int64, how many numbers of a picture it sums over."""
    sse = squared_error(seen.edited, reference(seen, against)).cpu().numpy()
    return {"sse": sse, "values": np.full(len(sse), seen.edited[0].numel(), dtype=np.int64)}


def luma_columns(seen: Observation, against: str) -> Columns:
    """The same of the luma: `sse` (B,) float64, one number for a pixel."""
    sse = squared_luma_error(seen.edited, reference(seen, against)).cpu().numpy()
    return {"sse": sse, "values": np.full(len(sse), seen.edited[0, 0].numel(), dtype=np.int64)}


class Psnr:
    """Mean over pictures of the PSNR in dB, each counted with at most 100 dB; also how many are identical.

    `psnr_y` is that of the luma alone, against a range of 255 as of any channel. Its weights sum to 219, so
    it lies above that of RGB, by 1.3 dB and more.
    """

    def __init__(
        self,
        name: str = "psnr",
        against: str = "source",
        columns: Callable[[Observation, str], Columns] = pixel_columns,
    ) -> None:
        self.name, self.against, self.columns = name, against, columns

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), **self.columns(seen, self.against))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {self.name: np.minimum(psnr(state.column("sse"), state.column("values")), CAP)}

    def finish(self, state: Rows) -> dict[str, float]:
        identical = float((state.column("sse") == 0).sum())
        means = edit_means(self.per_sample(state), state.column("edit"))
        return {**means, f"{self.name}.n_identical": identical}


class PooledPsnr(OfSums):
    """PSNR in dB of the pictures of an edit taken as one: the number that torchmetrics gives by default.

    Undefined where every pair is identical.
    """

    def __init__(self, name: str = "psnr_pooled", against: str = "source") -> None:
        self.name, self.against = name, against

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), **pixel_columns(seen, self.against))

    def sums(self, state: Rows) -> np.ndarray:
        return np.stack([state.column("sse"), state.column("values")], axis=1).astype(np.float64)

    def made(self, sums: np.ndarray) -> np.ndarray:
        return psnr(np.where(sums[..., 0] > 0, sums[..., 0], np.nan), sums[..., 1])

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        value = self.value(state)
        return {self.name: Undefined("every pair is identical") if np.isnan(value) else value}


class L2:
    """Mean over pictures of the mean squared difference, pictures in [-1, 1]."""

    def __init__(self, name: str = "l2", against: str = "source") -> None:
        self.name, self.against = name, against

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), **pixel_columns(seen, self.against))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {self.name: l2(state.column("sse"), state.column("values"))}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))
