"""Painting: soft shapes, noise, and a canvas that remembers which part of the face each pixel shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

TILE = 256  # texels per side of a noise tile
CELLS = 32  # noise cells per side of a tile


def smooth(low: Tensor | float, high: Tensor | float, value: Tensor) -> Tensor:
    """Ramp from 0 at `low` to 1 at `high` with level ends."""
    ramp = ((value - low) / (high - low)).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def bump(across: Tensor, down: Tensor | None = None) -> Tensor:
    """Bell of height 1 and deviation 1 that is exactly 0 beyond 2.8 deviations."""
    reach = across.square() if down is None else across.square() + down.square()
    return (1 - reach / 8).clamp(min=0).square().square()


def mix(first: Tensor, second: Tensor, share: Tensor | float) -> Tensor:
    """`first` where `share` is 0, `second` where it is 1."""
    return first + (second - first) * share


def flat(number: Tensor) -> Tensor:
    """A number per face or a map, (B, H, W), as a factor for colours, (B, 1, H, W)."""
    return number.unsqueeze(1)


@cache
def rgb(red: float, green: float, blue: float, device: torch.device) -> Tensor:
    """A constant colour, (1, 3, 1, 1)."""
    return torch.tensor([red, green, blue], device=device).view(1, 3, 1, 1)


def pixel_centres(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where every column (1, 1, W) and row (1, H, 1) lies in the picture, from -1 to 1."""
    line = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size * 2 - 1
    return line[None, None, :], line[None, :, None]


def scramble(numbers: Tensor) -> Tensor:
    """Hash whole numbers (int64) to whole numbers below 2**32; the same on every platform."""
    low, high = numbers & 0xFFFFFFFF, (numbers >> 32) & 0xFFFFFFFF
    mixed = low ^ (high * 0x9E3779B1 & 0xFFFFFFFF)
    for _ in range(2):
        mixed = ((mixed ^ (mixed >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return mixed ^ (mixed >> 16)


@cache
def noise_tile(kind: str, device: torch.device) -> Tensor:
    """A noise picture in [0, 1] that repeats, (1, 1, TILE + 2, TILE + 2): around it a ring of the other side.

    `cloud` has three octaves of equal extent in both directions; `strands` is fine across and long along.
    """
    octaves = {"cloud": ((32, 32), (64, 64), (128, 128)), "strands": ((64, 32), (128, 64), (256, 64))}[kind]
    total = torch.zeros(1, 1, TILE, TILE)
    for octave, (columns, rows) in enumerate(octaves):
        cells = scramble(torch.arange(rows * columns) + 100_003 * octave + (7919 if kind == "cloud" else 0))
        lattice = (cells.double() / 2**32).float().view(1, 1, rows, columns)
        ring = functional.pad(lattice, (2, 2, 2, 2), mode="circular")
        scale = (TILE // rows, TILE // columns)
        fine = functional.interpolate(ring, scale_factor=scale, mode="bicubic", align_corners=False)
        fine = fine[:, :, 2 * scale[0] : 2 * scale[0] + TILE, 2 * scale[1] : 2 * scale[1] + TILE]
        total += (fine - 0.5) * (0.62, 0.30, 0.16)[octave]
    return functional.pad((total + 0.5).clamp(0, 1), (1, 1, 1, 1), mode="circular").to(device)


def noise(across: Tensor, down: Tensor, kind: str = "cloud") -> Tensor:
    """Noise in [0, 1] at positions counted in noise cells, (B, H, W)."""
    across, down = torch.broadcast_tensors(across, down)
    cells = torch.stack([across, down], dim=-1) / CELLS
    places = ((cells - cells.floor()) * (2 * TILE) + 2) / (TILE + 2) - 1
    tile = noise_tile(kind, across.device).expand(across.shape[0], -1, -1, -1)
    return functional.grid_sample(tile, places, align_corners=False)[:, 0]


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture; -1 is the left or upper border, 1 the right or lower one."""

    left: float
    top: float
    right: float
    bottom: float

    def slices(self, size: int) -> tuple[slice, slice]:
        """Rows and columns of a picture of `size` pixels a side."""

        def pixels(low: float, high: float) -> slice:
            return slice(max(int((low + 1) / 2 * size), 0), min(int((high + 1) / 2 * size) + 1, size))

        return pixels(self.top, self.bottom), pixels(self.left, self.right)


@dataclass(frozen=True)
class Canvas:
    """The picture being painted and its region map; windows share their pixels with the whole."""

    picture: Tensor  # (B, 3, H, W), 0 is black and 1 white
    regions: Tensor  # (B, H, W) uint8, index into REGIONS

    def within(self, rows: slice, columns: slice) -> Canvas:
        """A window; painting in it paints the whole."""
        return Canvas(self.picture[:, :, rows, columns], self.regions[:, rows, columns])

    def paint(self, colour: Tensor, cover: Tensor, region: int | None = None) -> None:
        """Lay `colour` (B, 3, H, W) over the picture by `cover` (B, H, W); name it where above a half."""
        self.picture.lerp_(colour.expand_as(self.picture), cover.unsqueeze(1).expand_as(self.picture))
        if region is not None:
            self.name(cover, region)

    def darken(self, shade: Tensor, tint: Tensor) -> None:
        """Multiply the picture by 1 - shade * tint."""
        self.picture.mul_(1 - shade.unsqueeze(1) * tint)

    def name(self, cover: Tensor, region: int) -> None:
        """Call every pixel with more than half cover `region`."""
        self.regions.masked_fill_(cover > 0.5, region)
