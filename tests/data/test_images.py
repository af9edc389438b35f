"""Pictures of every kind come in as upright 8-bit RGB; what cannot be read is named; files are whole."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from faceedit_bench.data import images
from faceedit_bench.data.images import list_images, read_image, write_png
from faceedit_bench.errors import BadDataset, BadImage, ResultsError

RAMP = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5) * 4  # (3, H=4, W=5)


def save(path: Path, pixels: np.ndarray, mode: str | None = None, **settings: object) -> Path:
    picture = Image.fromarray(pixels)
    (picture if mode is None else picture.convert(mode)).save(path, **settings)
    return path


def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    write_png(tmp_path / "new" / "a.png", RAMP)
    assert np.array_equal(read_image(tmp_path / "new" / "a.png"), RAMP)


def test_a_single_pixel_is_a_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "one.png", np.full((1, 1, 3), 7, np.uint8))
    assert np.array_equal(read_image(path), np.full((3, 1, 1), 7, np.uint8))


def test_grey_is_replicated(tmp_path: Path) -> None:
    path = save(tmp_path / "grey.png", RAMP[0])
    assert np.array_equal(read_image(path), np.stack([RAMP[0]] * 3))


def test_bilevel_is_black_and_white(tmp_path: Path) -> None:
    path = save(tmp_path / "bits.png", np.array([[0, 255]], np.uint8), mode="1")
    assert read_image(path)[:, 0].tolist() == [[0, 255]] * 3


def test_sixteen_bit_grey_is_scaled_to_eight(tmp_path: Path) -> None:
    path = save(tmp_path / "deep.png", np.array([[0, 257 * 100 + 100, 257 * 100 + 200, 65535]], np.uint16))
    assert read_image(path)[:, 0].tolist() == [[0, 100, 101, 255]] * 3  # rounded, not cut off


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "float.tif", np.ones((2, 2), np.float32))
    with pytest.raises(BadImage, match=r"float\.tif.*more than 16 bits.*save it"):
        read_image(path)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    picture = Image.new("P", (1, 1), 1)
    picture.putpalette([0, 0, 0, 200, 10, 30])
    picture.save(tmp_path / "palette.gif")
    assert read_image(tmp_path / "palette.gif")[:, 0, 0].tolist() == [200, 10, 30]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_composited_on_white(tmp_path: Path, mode: str) -> None:
    grey = Image.new("L", (3, 1), 100)
    picture = grey.convert(mode)
    picture.putalpha(Image.fromarray(np.array([[0, 128, 255]], np.uint8)))
    picture.save(tmp_path / "clear.png")
    half = 255 - (255 - 100) * 128 / 255
    assert read_image(tmp_path / "clear.png")[0, 0].tolist() == [255, round(half), 100]


def test_a_transparent_palette_entry_is_white(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "hole.png", transparency=1)
    assert read_image(tmp_path / "hole.png")[:, 0].T.tolist() == [[10, 20, 30], [255, 255, 255]]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    red, green, blue = read_image(tmp_path / "print.jpg")[:, 4, 4].tolist()
    assert red > 240 and green < 15 and blue < 15  # JPEG is lossy


@pytest.mark.parametrize(("orientation", "turned"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_the_rotation_in_exif_is_applied(tmp_path: Path, orientation: int, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "phone.png", RAMP.transpose(1, 2, 0), exif=exif)
    assert np.array_equal(read_image(path), np.rot90(RAMP, turned, axes=(1, 2)))


def test_exif_rotation_holds_for_grey_and_transparent_pictures_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode, suffix in (("L", "png"), ("RGBA", "png"), ("P", "png"), ("L", "tif"), ("RGB", "webp")):
        path = save(tmp_path / f"{mode}.{suffix}", RAMP.transpose(1, 2, 0), mode=mode, exif=exif)
        assert read_image(path).shape == (3, 5, 4), path
    turned = np.rot90(np.stack([RAMP[0]] * 3), -1, axes=(1, 2))
    assert np.array_equal(read_image(save(tmp_path / "grey.tif", RAMP[0], exif=exif)), turned)
    deep = save(tmp_path / "deep.png", RAMP[0].astype(np.uint16) * 257, exif=exif)
    assert np.array_equal(read_image(deep), turned)


def test_a_colour_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    """Profile with red and blue primaries exchanged: red pixels must come out blue."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    swapped = bytes(profile).replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    path = save(tmp_path / "swapped.png", np.full((2, 2, 3), (255, 0, 0), np.uint8), icc_profile=swapped)
    red, _, blue = read_image(path)[:, 0, 0].tolist()
    assert blue > 200 and red < 60


def test_an_srgb_profile_changes_no_bit(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(tmp_path / "srgb.png", RAMP.transpose(1, 2, 0), icc_profile=profile)
    assert np.array_equal(read_image(path), RAMP)


def test_a_broken_colour_profile_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "odd.png", RAMP.transpose(1, 2, 0), icc_profile=b"not a profile")
    with pytest.raises(BadImage, match=r"odd\.png.*colour profile.*sRGB"):
        read_image(path)


def photo() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, "JPEG")
    return content.getvalue()


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match=r"gone\.jpg: no such file"):
        read_image(tmp_path / "gone.jpg")


def test_a_folder_is_not_a_photo(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_truncated_photo_is_named(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole.{suffix}"
    Image.open(io.BytesIO(photo())).save(whole)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(BadImage, match=rf"cut\.{suffix}: truncated or damaged.*get the file again"):
        read_image(cut)


@pytest.mark.parametrize("content", [b"", b"hello, world"])
def test_text_is_not_a_photo(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "note.jpg").write_bytes(content)
    with pytest.raises(BadImage, match=r"note\.jpg: not a picture; wanted one of"):
        read_image(tmp_path / "note.jpg")


def test_a_picture_too_large_to_be_true_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "large.png", np.zeros((40, 40, 3), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses twice its limit
    with pytest.raises(BadImage, match="too large"):
        read_image(path)


def test_a_full_disk_leaves_the_old_picture_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "a.png", RAMP)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(images.os, "fsync", full)
    with pytest.raises(ResultsError, match=r"a\.png: No space left on device"):
        write_png(tmp_path / "a.png", RAMP // 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert np.array_equal(read_image(tmp_path / "a.png"), RAMP)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError, match="cannot write"):
        write_png(tmp_path / "file" / "a.png", RAMP)


def test_pictures_are_listed_in_order_and_hidden_files_left_out(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "sub/c.webp", ".hidden/d.png", "._a.jpg", "labels.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in list_images(tmp_path)] == [
        "a.jpg",
        "b.PNG",
        "sub/c.webp",
    ]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="no pictures in it"):
        list_images(tmp_path)
    with pytest.raises(BadDataset, match="found nothing there"):
        list_images(tmp_path / "gone")
