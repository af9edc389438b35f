"""How judges look: the resize rules against Pillow and torch, and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image

from faceedit_bench.contracts import View
from faceedit_bench.errors import BadImage, UnknownName
from faceedit_bench.judges.view import RESIZES, look


def pictures(side: int) -> torch.Tensor:
    """Two smooth faces-to-be with some noise, (2, 3, side, side) in [-1, 1] on the grid of 8 bits."""
    generator = torch.Generator().manual_seed(3)
    rough = torch.rand(2, 3, 9, 9, generator=generator)
    smooth = torch.nn.functional.interpolate(rough, (side, side), mode="bicubic").clamp(0, 1)
    noisy = (0.9 * smooth + 0.1 * torch.rand(2, 3, side, side, generator=generator)).mul(255).round()
    return noisy / 127.5 - 1


@pytest.mark.parametrize("side", [50, 128, 301])
def test_clean_bicubic_is_pillows_bicubic_on_float_channels(side: int) -> None:
    images = pictures(side)
    seen = (look(images, View(size=96, resize="clean-bicubic")) + 1) * 127.5
    for image, found in zip((images + 1) * 127.5, seen, strict=True):
        for channel, result in zip(image.numpy(), found.numpy(), strict=True):
            wanted = Image.fromarray(channel.astype(np.float32)).resize((96, 96), Image.Resampling.BICUBIC)
            # 0.01 grey level is the acceptance limit of metrics; both compute in float32
            np.testing.assert_allclose(result, np.asarray(wanted).clip(0, 255), atol=0.01)


@pytest.mark.parametrize("side", [50, 128, 301])
def test_bilinear_with_antialias_is_pillows_bilinear(side: int) -> None:
    images = pictures(side)
    seen = (look(images, View(size=96)) + 1) * 127.5
    for channel, result in zip((images[0] + 1).numpy() * 127.5, seen[0].numpy(), strict=True):
        wanted = Image.fromarray(channel.astype(np.float32)).resize((96, 96), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(result, np.asarray(wanted), atol=0.01)


def test_bilinear_without_antialias_takes_the_two_nearest_pixels() -> None:
    ramp = torch.arange(8.0).expand(1, 3, 8, 8) / 3.5 - 1
    halved = look(ramp, View(size=2, resize="torch-bilinear"))
    assert torch.allclose(halved[0, 0, 0], torch.tensor([1.5, 5.5]) / 3.5 - 1, atol=1e-6)  # float32 rounding
    assert not torch.allclose(
        look(pictures(128), View(32)), look(pictures(128), View(32, "torch-bilinear")), atol=0.05
    )


@pytest.mark.parametrize("rule", sorted(RESIZES))
@pytest.mark.parametrize("side", [1, 64, 77, 200])
def test_every_rule_gives_the_views_size_from_any_size(rule: str, side: int) -> None:
    seen = look(pictures(side), View(size=64, resize=rule))
    assert seen.shape == (2, 3, 64, 64) and seen.dtype == torch.float32 and seen.isfinite().all()


@pytest.mark.parametrize("rule", sorted(RESIZES))
def test_a_picture_of_the_views_size_is_not_resampled(rule: str) -> None:
    images = pictures(64)
    assert torch.allclose(look(images, View(size=64, resize=rule)), images, atol=1e-6)  # float32 rounding


def test_size_zero_leaves_pictures_as_they_are() -> None:
    images = pictures(40)
    assert look(images, View(size=0)) is images


def test_mean_and_deviation_are_of_pictures_between_0_and_1() -> None:
    white = torch.ones(1, 3, 8, 8)
    seen = look(white, View(size=8, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.4)))
    assert torch.allclose(seen[0, :, 0, 0], torch.tensor([3.0, 2.0, 1.0]))


def test_pictures_that_are_not_square_are_refused() -> None:
    with pytest.raises(BadImage, match="found 20×10 pixels"):
        look(torch.zeros(1, 3, 10, 20), View(size=8))


def test_an_unknown_rule_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="did you mean 'torch-bilinear'"):
        look(torch.zeros(1, 3, 8, 8), View(size=4, resize="torch-bilinar"))
