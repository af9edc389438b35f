"""Which part of a picture is the face, and how it is resized: part of the data set's identity.

All resizing is Pillow's, on 8-bit pixels, antialiased, whatever the picture is read for; `resize.py` gives
the same bits on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..errors import BadImage

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Frame:
    """A square of the picture, resized. Rows and columns count from the top left, from 0."""

    side: int = 0  # pixels; 0 is the largest central square
    top: int = 0  # row of the square's first pixel, where `side` is given
    left: int = 0
    filter: str = "bicubic"
    width: int = 0  # of the picture; 0 takes any, otherwise another size is refused
    height: int = 0

    @property
    def rule(self) -> str:
        """In words, for digests and people."""
        where = f"{self.side} px at ({self.top}, {self.left})" if self.side else "central square"
        return f"{where}, antialiased {self.filter}"

    def square(self, height: int, width: int, name: str) -> tuple[int, int, int]:
        """Side, first row and first column of the square; `name` is what an error calls the picture."""
        if self.width and (width, height) != (self.width, self.height):
            raise BadImage(
                f"{name}: {width}×{height} pixels; wanted {self.width}×{self.height} as the data set comes; "
                "leave its pictures as they are, the suite crops and resizes"
            )
        return self._square(height, width)

    def cut(self, image: np.ndarray, resolution: int, name: str) -> np.ndarray:
        """(3, H, W) uint8 -> (3, resolution, resolution) uint8."""
        _, height, width = image.shape
        side, top, left = self.square(height, width, name)
        square = image[:, top : top + side, left : left + side]
        if side == resolution:
            return np.ascontiguousarray(square)
        picture = Image.fromarray(np.ascontiguousarray(square.transpose(1, 2, 0)))
        resized = picture.resize((resolution, resolution), FILTERS[self.filter])
        return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))

    def cut_regions(self, regions: np.ndarray, resolution: int) -> np.ndarray:
        """(H, W) uint8 classes -> (resolution, resolution): the same square, nearest pixel."""
        assert not self.side, "region maps belong to square pictures"
        side, top, left = self._square(*regions.shape)
        square = Image.fromarray(regions[top : top + side, left : left + side])
        return np.asarray(square.resize((resolution, resolution), Image.Resampling.NEAREST))

    def cut_points(self, points: np.ndarray, resolution: int) -> np.ndarray:
        """(..., 2) x and y in pixels of the whole picture -> float32, in pixels of the cut and resized one.

        Pixels count from the middle of the first, which resizing moves: 0 at scale s becomes s / 2 − 1 / 2.
        """
        side, top, left = self._square(self.height, self.width)
        return ((points - (left, top) + 0.5) * (resolution / side) - 0.5).astype(np.float32)

    def _square(self, height: int, width: int) -> tuple[int, int, int]:
        if self.side:
            return self.side, self.top, self.left
        side = min(height, width)
        return side, (height - side) // 2, (width - side) // 2


CENTRE_178 = Frame(side=178, top=20, left=0, filter="bilinear", width=178, height=218)
"""Aligned CelebA as StarGAN and SeCGAN see it (SeCGAN, section 4; resize as in StarGAN's program)."""

OFFSET_170 = Frame(side=170, top=26, left=3, filter="bicubic", width=178, height=218)
"""Aligned CelebA as AttGAN and STGAN see it: their programs' crop, resized with antialiasing."""

WHOLE = Frame(filter="bicubic")
"""CelebA-HQ, FFHQ and folders: the central square, which is all of a square picture."""

LFW_178 = Frame(side=178, top=22, left=36, filter="bilinear", width=250, height=250)
"""LFW: a square that puts the eyes about where CENTRE_178 has them. Ours: no paper says which."""
