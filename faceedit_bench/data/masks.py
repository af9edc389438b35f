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
    """The masks of a face that exist, in the order of painting."""
    beside = folder / str(place // PER_FOLDER)
    return [path for part in PARTS if (path := beside / f"{place:05d}_{part}.png").exists()]


def read_regions(folder: Path, place: int) -> np.ndarray:
    """(512, 512) uint8 region classes of face number `place`."""
    files = mask_files(folder, place)
    if not files:
        raise BadImage(
            f"{folder / str(place // PER_FOLDER)}: no mask {place:05d}_<part>.png; "
            "wanted at least the skin of every face; get the masks again"
        )
    regions = np.full((SIDE, SIDE), OTHERS, np.uint8)
    for path in files:
        mask = read_image(path)[0]
        if mask.shape != (SIDE, SIDE):
            raise BadImage(
                f"{path}: {mask.shape[1]}×{mask.shape[0]} pixels; wanted {SIDE}×{SIDE}; get it again"
            )
        regions[mask > 127] = PARTS[path.stem.partition("_")[2]]
    return regions
