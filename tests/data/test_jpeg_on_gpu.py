"""Resizing on a GPU gives Pillow's bits; its decoder is tried beside the CPU's and serves where it agrees."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from faceedit_bench.catalog import catalog
from faceedit_bench.data import gathered
from faceedit_bench.data.frame import FILTERS
from faceedit_bench.data.jpeg_on_gpu import MOST, OnGpu, chosen, is_plain
from faceedit_bench.data.photographs import Photographs
from faceedit_bench.data.resize import resized
from faceedit_bench.errors import BadConfig, BadImage

Copy = Callable[[str], Path]
on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def cpu_decoder(contents: list[Tensor]) -> list[Tensor]:
    """In place of the GPU's: Pillow's, in a batch."""
    try:
        pictures = [np.asarray(Image.open(io.BytesIO(content.numpy().tobytes()))) for content in contents]
    except OSError as error:
        raise RuntimeError(str(error)) from None
    return [torch.from_numpy(picture.transpose(2, 0, 1).copy()) for picture in pictures]


def open_(root: Path, name: str = "celeba", split: str = "test", size: int = 24) -> Photographs:
    found = catalog().dataset(name).open(root, split, size, 0)
    assert isinstance(found, Photographs)
    return found


@pytest.mark.parametrize("place", ["cpu", pytest.param("cuda", marks=on_cuda)])
@pytest.mark.parametrize("kernel", sorted(FILTERS))
@pytest.mark.parametrize(("source", "side"), [(178, 128), (170, 64), (64, 150), (1024, 256), (7, 3)])
def test_resizing_tensors_gives_pillows_bits(source: int, side: int, kernel: str, place: str) -> None:
    pixels = np.random.default_rng(source).integers(0, 256, (2, 3, source, source), np.uint8)
    pixels[1] = (pixels[1] > 127) * 255  # bicubic weights overshoot at hard edges
    wanted = [
        np.asarray(Image.fromarray(one.transpose(1, 2, 0)).resize((side, side), FILTERS[kernel]))
        for one in pixels
    ]
    found = resized(torch.from_numpy(pixels).to(place), side, kernel).cpu().numpy()
    assert np.array_equal(found, np.stack(wanted).transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("name", "tree", "split", "size"),
    [
        ("celeba", "celeba", "test", 24),
        ("celeba-170", "celeba", "test", 170),
        ("celebahq", "hq", "train", 32),
    ],
)
def test_the_batched_way_cuts_and_resizes_as_the_cpu_does(
    trees: Path, name: str, tree: str, split: str, size: int
) -> None:
    faces = open_(trees / tree, name, split, size)
    found = OnGpu(faces, "cpu", cpu_decoder)(range(len(faces)))
    wanted = np.stack([faces[position].image for position in range(len(faces))])
    assert np.array_equal(found.numpy(), wanted)


def test_pictures_that_need_more_than_decoding_go_the_cpus_way(copy_of: Copy) -> None:
    root = copy_of("celeba")
    folder = root / "img_align_celeba"
    grey, turned, png = (folder / f"{number}.jpg" for number in (182638, 182639, 182640))
    with Image.open(grey) as file:
        upright = file.convert("RGB")
    upright.convert("L").save(grey)
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    upright.save(png, format="PNG")
    asked: list[int] = []

    def counting(contents: list[Tensor]) -> list[Tensor]:
        asked.append(len(contents))
        return cpu_decoder(contents)

    faces = open_(root)
    found = OnGpu(faces, "cpu", counting)(range(6))
    assert asked == [3]
    for position in range(3):
        assert np.array_equal(found[position].numpy(), faces[position].image)
    assert not is_plain(b"") and not is_plain(grey.read_bytes()) and not is_plain(png.read_bytes())
    assert is_plain((folder / "182641.jpg").read_bytes())


def test_what_the_decoder_refuses_is_named(copy_of: Copy) -> None:
    root = copy_of("celeba")
    faces = open_(root)
    path = root / "img_align_celeba" / "182639.jpg"
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(BadImage, match=r"182639\.jpg: truncated"):
        OnGpu(faces, "cpu", cpu_decoder)(range(6))
    with pytest.raises(BadImage, match=r"1 of 6 pictures cannot be read(.|\n)*182639: truncated"):
        gathered.read_all(gathered.images(faces, OnGpu(faces, "cpu", cpu_decoder)), faces)

    def out_of_order(contents: list[Tensor]) -> list[Tensor]:
        raise RuntimeError("nvjpeg: no such driver")

    with pytest.raises(BadConfig, match=r"fails \(nvjpeg: no such driver\); take --decode cpu"):
        OnGpu(faces, "cpu", out_of_order)([0, 2])


def test_a_decoder_that_differs_or_fails_is_not_used(trees: Path) -> None:
    faces = open_(trees / "celeba")

    def brighter(contents: list[Tensor]) -> list[Tensor]:
        return [(picture.int() + int(MOST) + 2).clamp(0, 255).byte() for picture in cpu_decoder(contents)]

    found, why = chosen("auto", faces, "cuda", brighter)  # without a GPU it fails, with one it differs
    assert found is None and ("differ" in why or "cannot decode on the GPU here" in why)
    with pytest.raises(BadConfig, match=r"--decode cuda: the GPU's pixels differ .* levels on average; take"):
        chosen("cuda", faces, "cpu", brighter)
    with pytest.raises(BadConfig, match="--decode cuda: it wants a GPU, and the device is cpu"):
        chosen("cuda", faces, "cpu")
    assert chosen("auto", faces, "cpu") == (None, "") == chosen("cpu", faces, "cuda")
    taken, _ = chosen("cuda", faces, "cpu", cpu_decoder)
    assert taken is not None and taken.name.startswith("torchvision ")


def test_pictures_are_gathered_whole_or_each_time(trees: Path) -> None:
    faces = open_(trees / "hq", "celebamask-hq", "train", 16)
    wanted = np.stack([faces[position].image for position in range(2)])
    source, parts = gathered.images(faces), gathered.regions(faces)
    assert parts is not None and source.shape == (2, 3, 16, 16) and source.ndim == 4
    assert np.array_equal(gathered.read_all(source, faces), wanted)
    assert np.array_equal(source[np.array([1, 0, 1])], wanted[[1, 0, 1]])
    assert np.array_equal(parts[:], np.stack([faces[position].regions for position in range(2)]))
    assert source[:0].shape == (0, 3, 16, 16)


@on_cuda
def test_the_gpus_decoder_agrees_with_the_cpus(trees: Path) -> None:
    faces = open_(trees / "celeba", size=128)
    found, why = chosen("cuda", faces, "cuda")
    assert found is not None and not why
    wanted = np.stack([faces[position].image for position in range(6)])
    pixels = found(range(6)).cpu().numpy().astype(int)
    assert np.abs(pixels - wanted).mean() <= MOST
