"""Crops and resizing: the rule of each paper, and the same pixels on every path to within one level."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from faceedit_bench.data.frame import CENTRE_178, LFW_178, OFFSET_170, WHOLE, Frame
from faceedit_bench.errors import BadImage

NOISE = np.random.default_rng(1).integers(64, 192, (3, 218, 178), dtype=np.uint8)  # nothing overshoots


def test_a_square_of_the_wanted_size_is_cut_and_not_resized() -> None:
    assert np.array_equal(CENTRE_178.cut(NOISE, 178, "x"), NOISE[:, 20:198])
    assert np.array_equal(OFFSET_170.cut(NOISE, 170, "x"), NOISE[:, 26:196, 3:173])
    assert np.array_equal(WHOLE.cut(NOISE, 178, "x"), NOISE[:, 20:198])


def test_the_square_of_lfw_lies_inside_its_pictures() -> None:
    assert LFW_178.top + LFW_178.side <= LFW_178.height and LFW_178.left + LFW_178.side <= LFW_178.width


@pytest.mark.parametrize("frame", [CENTRE_178, OFFSET_170, WHOLE], ids=lambda frame: frame.rule)
@pytest.mark.parametrize("size", [64, 128, 256])
def test_resizing_is_antialiased_as_torch_does_it_within_one_level(frame: Frame, size: int) -> None:
    side, top, left = (frame.side, frame.top, frame.left) if frame.side else (178, 20, 0)
    square = torch.from_numpy(NOISE[:, top : top + side, left : left + side]).double()[None]
    wanted = torch.nn.functional.interpolate(square, (size, size), mode=frame.filter, antialias=True)
    found = torch.from_numpy(frame.cut(NOISE, size, "x")).double()
    # Pillow rounds to 8 bits after the rows and after the columns: half a level each, and the first half is
    # multiplied by the sum of the bicubic weights' sizes, at most 1.3
    assert (found - wanted[0]).abs().max() <= (1.01 if frame.filter == "bilinear" else 1.15)


def test_regions_are_resized_by_nearest_pixel() -> None:
    regions = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert WHOLE.cut_regions(regions, 2).tolist() == [[5, 7], [13, 15]]


def test_a_picture_of_another_size_is_named() -> None:
    with pytest.raises(BadImage, match=r"face\.jpg: 178×218 pixels; wanted 250×250"):
        LFW_178.cut(NOISE, 32, "face.jpg")
