"""The pictures that runs kept, as data addresses small enough for one page, and where they differ."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ResultsError
from .material import Run

if TYPE_CHECKING:
    import numpy as np

SIDE = 256  # pixels; larger pictures are made smaller
QUALITY = 88  # WebP
FULL = 64.0  # grey levels of difference that have the brightest colour
HEAT = ((0, 0, 4), (60, 15, 110), (150, 40, 100), (222, 80, 60), (251, 160, 30), (252, 255, 190))
"""Colours from no difference to FULL: dark violet over red to pale yellow, rising in lightness."""


@dataclass(frozen=True)
class Face:
    """One face of a run with its pictures: `source`, edits, and `<edit>@<name>` for explanations."""

    row: int  # its place among the rows of every edit in the run's samples
    sample: str
    files: Mapping[str, Path]

    @cached_property
    def source(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        return read(self.files["source"])

    def picture(self, edit: str) -> np.ndarray:
        """(H, W, 3) uint8."""
        return read(self.files[edit])

    def explained(self) -> Iterator[tuple[str, str]]:
        """Edit and name of everything the method showed of how it edits."""
        for name in sorted(self.files):
            edit, at, what = name.partition("@")
            if at:
                yield edit, what


def faces(run: Run) -> list[Face]:
    """The faces whose pictures the run kept, in the suite's order; faces left out have neither rows."""
    first = run.samples[run.samples["edit"] == run.samples["edit"].iloc[0]]
    names = [str(name) for name in first["sample"]]
    folders = sorted(path for path in (run.path / "images").glob("[0-9]*") if path.is_dir())
    found = [{path.stem: path for path in sorted(folder.glob("*.png"))} for folder in folders]
    return [
        Face(row, names[row], files)
        for row, files in enumerate(found)
        if "source" in files and row < len(names)
    ]


def read(path: Path) -> np.ndarray:
    """(H, W, 3) uint8."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: missing or damaged ({error}); run the same command again") from None


def address(picture: np.ndarray) -> str:
    """`data:image/webp;…` of a picture (H, W, 3) uint8, at most SIDE pixels long."""
    from PIL import Image

    image = Image.fromarray(picture)
    if max(image.size) > SIDE:
        scale = SIDE / max(image.size)
        width, height = (max(1, round(length * scale)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the mean absolute difference of the colours, as a colour of HEAT."""
    import numpy as np

    levels = np.abs(before.astype(np.int16) - after).mean(axis=2)  # (H, W) grey levels
    places = np.minimum(levels / FULL, 1) * 255
    return _ramp()[places.astype(np.uint8)]


def _ramp() -> np.ndarray:
    """(256, 3) uint8, linear between the colours of HEAT."""
    import numpy as np

    anchors = np.array(HEAT, dtype=float)
    places = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(places, range(len(anchors)), anchors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)
