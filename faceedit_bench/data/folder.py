"""The data set `folder`: any pictures on disk, without labels.

Each picture is cropped to its central square and resized with antialiasing (Pillow's bicubic) to the suite's
resolution. Ids are paths relative to the folder.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from ..contracts import Sample
from ..errors import BadDataset, BadImage
from .images import list_images, read_image

NAMED = 10  # broken pictures named in the error


class Folder:
    """Pictures of a folder, decoded when the folder is opened (contracts.Samples)."""

    attributes: tuple[str, ...] = ()

    def __init__(self, root: Path, resolution: int, count: int) -> None:
        paths = list_images(root)
        if not paths:
            raise BadDataset(f"{root}: no pictures; wanted .png, .jpg, .jpeg, .webp, .bmp or .tif files")
        paths = paths[: count or None]
        self.ids = [path.relative_to(root).as_posix() for path in paths]
        self.images = np.stack(_read_all(paths, resolution))  # (N, 3, H, W) uint8

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        return Sample(self.ids[index], self.images[index], np.zeros(0, np.uint8))

    def digest(self) -> str:
        total = hashlib.sha256()
        for name, image in zip(self.ids, self.images, strict=True):
            total.update(name.encode() + b"\0" + image.tobytes())
        return total.hexdigest()


def open_folder(root: Path | None, split: str, resolution: int, count: int) -> Folder:
    """The pictures below `root`."""
    if root is None:
        raise BadDataset("data set 'folder' wants a folder of pictures: give it with --data DIR")
    if not root.is_dir():
        raise BadDataset(f"{root}: no such folder; --data wants a folder of pictures")
    return Folder(root, resolution, count)


def square(image: np.ndarray, size: int) -> np.ndarray:
    """(3, H, W) -> (3, size, size) uint8: central square, antialiased bicubic."""
    side = min(image.shape[1:])
    top, left = (image.shape[1] - side) // 2, (image.shape[2] - side) // 2
    crop = image[:, top : top + side, left : left + side]
    resized = Image.fromarray(crop.transpose(1, 2, 0)).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(resized).transpose(2, 0, 1)


def _read_all(paths: list[Path], resolution: int) -> list[np.ndarray]:
    """Every picture, or one error that names the broken ones."""
    pictures, broken = [], []
    for path in paths:
        try:
            pictures.append(square(read_image(path), resolution))
        except BadImage as error:
            broken.append(str(error))
    if broken:
        more = f"\n  and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
        listed = "\n  ".join(broken[:NAMED])
        raise BadImage(
            f"{len(broken)} of {len(paths)} pictures cannot be read; mend or remove them:\n  {listed}{more}"
        )
    return pictures
