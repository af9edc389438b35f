"""JPEG files decoded in batches on a GPU by torchvision's decoder, cut there, and resized to Pillow's bits.

Decoders differ by a level or two, so this serves training only: what metrics look at is decoded by the CPU.
Pictures that need more than decoding (a rotation, a colour profile, grey or CMYK) go the CPU's way, too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ..errors import BadConfig, BadImage
from .images import decoder, read_image
from .index import Index
from .photographs import Photographs, read_picture
from .resize import resized

Decode = Callable[
    [list[Tensor]], list[Tensor]
]  # contents of files, (n,) uint8 -> (3, H, W) uint8 on the device
MOST = 2.0  # levels that the two decoders may differ by, on average over a picture
ORIENTATION = 0x0112  # EXIF's tag


class OnGpu:
    """Pictures of a data set, decoded on `device`."""

    def __init__(self, faces: Photographs, device: str, decode: Decode | None = None) -> None:
        self.faces, self.device = faces, device
        self.decode = decode or cuda(device)
        self.name = f"torchvision {_version()} on the GPU; {decoder()} for what it does not take"

    def __call__(self, positions: Sequence[int]) -> Tensor:
        """(B, 3, S, S) uint8 on the device."""
        faces = self.faces
        found = torch.empty(
            (len(positions), 3, faces.resolution, faces.resolution), dtype=torch.uint8, device=self.device
        )
        waiting: dict[int, list[tuple[int, Tensor]]] = {}  # side of the square -> place in the batch, square
        for place, picture in self._decoded([int(faces.rows[position]) for position in positions]):
            if picture.shape[-1] == faces.resolution:
                found[place] = picture.to(self.device)
            else:
                waiting.setdefault(picture.shape[-1], []).append((place, picture))
        for squares in waiting.values():
            places, pictures = zip(*squares, strict=True)
            stacked = torch.stack(pictures)
            found[list(places)] = resized(stacked, faces.resolution, faces.index.frame.filter)
        return found

    def _decoded(self, rows: Sequence[int]) -> list[tuple[int, Tensor]]:
        """Place in the batch and picture of each row: its square, or the whole face from the CPU."""
        index = self.faces.index
        found: list[tuple[int, Tensor]] = []
        contents: list[tuple[int, Tensor]] = []
        for place, row in enumerate(rows):
            content = _content(index, row)
            if is_plain(content):
                contents.append((place, torch.frombuffer(bytearray(content), dtype=torch.uint8)))
            else:
                found.append((place, torch.from_numpy(read_picture(index, row, self.faces.resolution))))
        if contents:
            pictures = self._try([content for _, content in contents], [rows[place] for place, _ in contents])
            for (place, _), picture in zip(contents, pictures, strict=True):
                _, height, width = picture.shape
                side, top, left = index.frame.square(height, width, str(index.path(rows[place])))
                found.append((place, picture[:, top : top + side, left : left + side]))
        return found

    def _try(self, contents: list[Tensor], rows: Sequence[int]) -> list[Tensor]:
        """Decode a batch; if the decoder fails, the CPU says which picture is to blame."""
        try:
            return self.decode(contents)
        except RuntimeError as error:
            for row in rows:
                read_image(self.faces.index.path(row))  # raises BadImage with its name
            raise BadConfig(f"--decode cuda: the GPU's decoder fails ({error}); take --decode cpu") from None


def _content(index: Index, row: int) -> bytes:
    path = index.path(row)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadImage(f"{path}: {error.strerror}") from None


def is_plain(content: bytes) -> bool:
    """Whether these are the bytes of an upright JPEG of three colours without a profile."""
    try:
        with Image.open(io.BytesIO(content)) as file:
            return (
                file.format == "JPEG"
                and file.mode == "RGB"
                and "icc_profile" not in file.info
                and file.getexif().get(ORIENTATION, 1) == 1
            )
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return False  # the CPU's way names what is wrong


def cuda(device: str) -> Decode:
    """torchvision's decoder of batches."""
    from torchvision.io import ImageReadMode, decode_jpeg

    def decode(contents: list[Tensor]) -> list[Tensor]:
        found: list[Tensor] = decode_jpeg(contents, mode=ImageReadMode.RGB, device=device)
        return found

    return decode


def _version() -> str:
    import torchvision

    return str(torchvision.__version__)


# ---- choosing -------------------------------------------------------------------------------------


def chosen(
    asked: str, faces: Photographs, device: str, decode: Decode | None = None
) -> tuple[OnGpu | None, str]:
    """The GPU's decoder or None for the CPU's, and why. `asked` is auto, cpu or cuda.

    It is tried on the first picture beside the CPU's: with `auto` one that fails or differs is not used,
    with `cuda` that is an error.
    """
    if asked == "cpu" or (asked == "auto" and torch.device(device).type != "cuda"):
        return None, ""
    fault, found = _tried(faces, device, decode)
    if fault and asked == "cuda":
        raise BadConfig(f"--decode cuda: {fault}; take --decode cpu")
    return (None, fault) if fault else (found, "")


def _tried(faces: Photographs, device: str, decode: Decode | None) -> tuple[str, OnGpu | None]:
    """What speaks against the GPU's decoder; "" and the decoder if nothing does."""
    if decode is None and torch.device(device).type != "cuda":
        return f"it wants a GPU, and the device is {device}", None
    try:
        found = OnGpu(faces, device, decode)
        there = found([0])[0].cpu().numpy()
    except (RuntimeError, AssertionError, ImportError, BadConfig) as error:  # the second: torch without CUDA
        return f"torchvision cannot decode on the GPU here ({str(error).splitlines()[0]})", None
    here = faces.picture(0)
    differ = float(np.abs(there.astype(np.int16) - here).mean())
    if differ > MOST:
        return f"the GPU's pixels differ from the CPU's by {differ:.1f} levels on average", None
    return "", found
