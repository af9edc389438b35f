"""Parts of faces as CelebAMask-HQ draws them (Lee et al., 2020), as the toolkit's twelve region classes.

`CelebAMask-HQ-mask-anno/{0..14}/NNNNN_<part>.png`: a mask of 512 pixels for each part that shows; 2,000 faces
a folder. Parts are painted in the order of `PARTS`, later ones over earlier ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BadImage
from .images import read_image

PARTS = {
    "skin": 0, "l_brow": 1, "r_brow": 1, "l_eye": 2, "r_eye": 2, "eye_g": 3, "l_ear": 4, "r_ear": 4,
    "ear_r": 5, "nose": 6, "mouth": 7, "u_lip": 8, "l_lip": 8, "neck": 9, "neck_l": 11, "cloth": 11,
    "hair": 10, "hat": 11,
}  # fmt: skip
"""Part -> region class, in the order of painting (SeCGAN, section 3; the order of face-parsing.PyTorch)."""

OTHERS = 11  # backdrop, cloth, hat, necklace
PER_FOLDER = 2_000
SIDE = 512  # pixels


def mask_files(folder: Path, place: int) -> list[Path]:
    """The masks of a face in the order of painting: its skin, which every face has, and those that exist."""
    beside = folder / str(place // PER_FOLDER)
    files = [(part, beside / f"{place:05d}_{part}.png") for part in PARTS]
    return [path for part, path in files if part == "skin" or path.exists()]


def part_of(path: Path) -> str:
    """The part of the face that a mask shows."""
    return path.stem.partition("_")[2]


def read_regions(folder: Path, place: int) -> np.ndarray:
    """(512, 512) uint8 region classes of face number `place`."""
    regions = np.full((SIDE, SIDE), OTHERS, np.uint8)
    for path in mask_files(folder, place):
        mask = read_image(path)[0]
        if mask.shape != (SIDE, SIDE):
            raise BadImage(
                f"{path}: {mask.shape[1]}×{mask.shape[0]} pixels; wanted {SIDE}×{SIDE}; get it again"
            )
        regions[mask > 127] = PARTS[part_of(path)]
    return regions
