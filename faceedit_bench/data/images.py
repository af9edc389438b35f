"""Picture files in and out: 8-bit RGB, channels first.

How a file becomes (3, H, W) uint8 RGB, in this order:

1. The rotation written in EXIF is applied.
2. 16-bit grey is scaled by 255/65535 and rounded; 16-bit colour keeps its high byte.
3. Colours go through an embedded profile (ICC) to sRGB; CMYK without one is converted plainly.
4. Grey is replicated to three channels, palettes are looked up.
5. Transparency is composited on white.

The first frame of an animation is taken.
"""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from ..errors import BadDataset, BadImage, ResultsError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})

_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, EOFError, struct.error, zlib.error)
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


def read_image(path: str | Path) -> np.ndarray:
    """The picture as (3, H, W) uint8 RGB, upright; BadImage names the file, what is wrong and what to do."""
    path = Path(path)
    try:
        with (
            path.open("rb") as content,
            Image.open(content) as file,
        ):  # by name, Pillow garbles rotated grey TIFF
            file.load()
            rgb = _to_rgb(ImageOps.exif_transpose(file), path)
    except FileNotFoundError:
        raise BadImage(f"{path}: no such file; wanted a picture") from None
    except IsADirectoryError:
        raise BadImage(f"{path} is a folder; wanted a picture file, for example {path / '*.jpg'}") from None
    except PermissionError:
        raise BadImage(f"{path}: no permission to read it; wanted a picture") from None
    except UnidentifiedImageError:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise BadImage(f"{path}: not a picture; wanted one of {kinds}") from None
    except Image.DecompressionBombError as error:
        raise BadImage(f"{path}: too large to read safely: {error}; save it smaller") from None
    except _UNREADABLE as error:
        raise BadImage(
            f"{path}: truncated or damaged ({error}); get the file again or leave it out"
        ) from None
    return np.ascontiguousarray(np.asarray(rgb).transpose(2, 0, 1))


def decoder() -> str:
    """What decodes here, for records: JPEG decoders differ by a few levels."""
    turbo = features.version_feature("libjpeg_turbo")
    return f"Pillow {PIL.__version__}, " + (
        f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {features.version_codec('jpg')}"
    )


def _to_rgb(image: Image.Image, path: Path) -> Image.Image:
    """Any mode -> RGB."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image, path)
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        return _on_white(image, path)
    return _in_srgb(image, path)


def _eight_bits(image: Image.Image, path: Path) -> Image.Image:
    """16-bit grey -> 8-bit grey; wider pixels have no agreed white."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise BadImage(f"{path}: pixels of more than 16 bits; save it as an 8-bit or 16-bit picture")
    grey = Image.fromarray(np.rint(values.astype(np.float64) * (255 / 65535)).astype(np.uint8))
    if "transparency" in image.info:  # one of the 65536 levels
        grey.putalpha(Image.fromarray(np.uint8(255) * (values != image.info["transparency"])))
    grey.info = {key: image.info[key] for key in ("icc_profile",) if key in image.info}
    return grey


def _on_white(image: Image.Image, path: Path) -> Image.Image:
    """Transparent pixels show a white ground."""
    rgba = image.convert("RGBA")
    colours = rgba.convert("RGB")
    if image.mode in ("LA", "La") or "icc_profile" not in image.info:
        colours.info.pop("icc_profile", None)
    else:
        colours.info["icc_profile"] = image.info["icc_profile"]
    ground = Image.new("RGB", image.size, "white")
    ground.paste(_in_srgb(colours, path), mask=rgba.getchannel("A"))
    return ground


def _in_srgb(image: Image.Image, path: Path) -> Image.Image:
    """Through the embedded colour profile where there is one other than sRGB, plainly otherwise."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    if image.mode not in ("RGB", "L", "CMYK"):  # palettes, bilevel, YCbCr
        image = image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise BadImage(f"{path}: unusable colour profile ({error}); save it again as sRGB") from None
    assert converted is not None, "profileToProfile returns a new picture unless told to work in place"
    return converted


def write_png(path: str | Path, pixels: np.ndarray) -> None:
    """Write (3, H, W) uint8 RGB as PNG: whole or not at all."""
    _write_whole(Path(path), png(pixels))


def save_png(path: str | Path, picture: Image.Image) -> None:
    """Write a Pillow picture as PNG: whole or not at all."""
    _write_whole(Path(path), _encoded(picture))


def png(pixels: np.ndarray) -> bytes:
    """(3, H, W) uint8 RGB as a PNG file's content."""
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[0] == 3, (
        pixels.dtype,
        pixels.shape,
    )
    return _encoded(Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))))


def _encoded(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()


def _write_whole(path: Path, content: bytes) -> None:
    """Temporary file beside `path`, fsync, rename; ResultsError says why it could not be."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise ResultsError(
            f"cannot write {path}: {error.strerror}; free some space or choose another folder"
        ) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def list_images(folder: str | Path) -> list[Path]:
    """Every picture file in the folder and below, sorted by relative path; hidden files are left out."""
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing there"
        raise BadDataset(f"{folder}: wanted a folder of pictures, found {found}")
    inside = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    visible = [path for path in inside if not any(part.startswith(".") for part in path.parts)]
    if not visible:
        kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise BadDataset(f"{folder}: no pictures in it; wanted files ending in {kinds}; give another folder")
    return [folder / path for path in sorted(visible, key=lambda path: path.as_posix())]
