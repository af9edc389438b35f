"""Faces brought to their place by five points: the transform of others, and pixels where it puts them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from facexlib.detection.align_trans import get_reference_facial_points, warp_and_crop_face
from skimage.transform import estimate_transform, warp
from torch import Tensor

from faceedit_bench.contracts import FIVE_POINTS, View
from faceedit_bench.judges.alignment import LARGEST, PLACES, SIDE, aligned, similarity
from faceedit_bench.judges.view import look

WANTED = torch.tensor(PLACES, dtype=torch.float64)


def turned(degrees: float, scale: float, shift: tuple[float, float], noise: float = 0.0) -> Tensor:
    """(1, 5, 2) the places turned, scaled and shifted, each a little off."""
    angle = torch.tensor(degrees).deg2rad().double()
    turn = scale * torch.tensor([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]])
    off = noise * torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (WANTED @ turn.T + torch.tensor(shift) + off)[None]


def smooth(side: int, count: int = 1) -> Tensor:
    """(count, 3, side, side) in [0, 1]: waves of some twenty pixels, of which sampling loses nothing."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    waves = [torch.sin(x / 9 + n) * torch.cos(y / 7 + 2 * n) for n in range(3 * count)]
    return torch.stack(waves).view(count, 3, side, side) / 2 + 0.5


FACES = [
    turned(0, 1, (0, 0)),
    turned(12, 1.3, (20, -4), 3),
    turned(-40, 0.4, (60, 30), 1.5),
    turned(85, 2, (9, 9)),
]


@pytest.mark.parametrize("points", FACES)
def test_the_transform_is_scikit_images(points: Tensor) -> None:
    peer = estimate_transform("similarity", points[0].numpy(), WANTED.numpy())
    found = similarity(points, WANTED)[0].numpy()
    assert np.abs(found - peer.params).max() < 1e-6  # both are float64; Umeyama's goes through an SVD


def test_faces_of_a_batch_do_not_touch_each_other() -> None:
    together = similarity(torch.cat(FACES), WANTED)
    assert torch.equal(together, torch.cat([similarity(points, WANTED) for points in FACES]))


def test_places_are_facexlibs() -> None:
    assert np.abs(WANTED.numpy() - get_reference_facial_points(default_square=True)).max() < 1e-8


@pytest.mark.parametrize("points", FACES[:3])
def test_pixels_are_where_scikit_image_puts_them(points: Tensor) -> None:
    picture = smooth(160)
    found = aligned(picture, points)[0].permute(1, 2, 0).numpy()
    inverse = estimate_transform("similarity", points[0].numpy(), WANTED.numpy()).inverse
    peer = warp(picture[0].permute(1, 2, 0).numpy(), inverse, output_shape=(SIDE, SIDE), order=1)
    inside = warp(np.ones((160, 160)), inverse, output_shape=(SIDE, SIDE), order=1) == 1
    assert inside.mean() > 0.5
    assert np.abs(found - peer)[inside].max() < 1e-4  # float32 places in a picture of 160 pixels


def test_facexlibs_own_warp_agrees_where_points_fit_exactly() -> None:
    """It fits from the places to the points, so points that are a little off give it another transform; and
    OpenCV rounds places to 1/32 pixel and colours to 8 bits."""
    points, picture = turned(10, 1.2, (15, 5)), (smooth(200) * 255).byte()
    places = get_reference_facial_points(default_square=True)
    pixels = picture[0].permute(1, 2, 0).numpy()
    theirs = warp_and_crop_face(pixels, points[0].tolist(), places, crop_size=(SIDE, SIDE))
    ours = aligned(picture / 255, points)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(ours - theirs).max() < 2


def test_a_face_in_its_place_stays_as_it_is_and_what_is_outside_is_black() -> None:
    picture = smooth(SIDE)
    assert torch.allclose(aligned(picture, WANTED[None]), picture, atol=1e-5)
    beside = aligned(picture, WANTED[None] + 40)
    assert torch.allclose(beside[..., : SIDE - 40, : SIDE - 40], picture[..., 40:, 40:], atol=1e-5)
    assert not beside[..., SIDE - 38 :, :].any()


def test_large_pictures_are_reduced_by_means_so_that_noise_goes() -> None:
    points = torch.tensor(PLACES)[None] * (LARGEST / SIDE)
    small = smooth(LARGEST)
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    noise = 0.2 * torch.randn(large.shape, generator=torch.Generator().manual_seed(0))
    noise -= torch.nn.functional.avg_pool2d(noise, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    found = aligned(large + noise, (points + 0.5) * 4 - 0.5)
    assert torch.allclose(found, aligned(small, points), atol=1e-5)


def test_points_in_one_place_give_black_and_leave_the_others_alone() -> None:
    pictures, points = smooth(SIDE, 2), torch.cat([WANTED[None], torch.full((1, 5, 2), 40.0)])
    found = aligned(pictures, points)
    assert torch.equal(found[:1], aligned(pictures[:1], points[:1])) and not found[1].any()


def test_a_view_that_aligns_normalises_as_the_others_do() -> None:
    picture, points = smooth(140), turned(5, 1.1, (6, 2)).float()
    seen = look(picture * 2 - 1, View(SIDE, FIVE_POINTS), points)
    assert torch.allclose(seen, aligned(picture, points) * 2 - 1, atol=1e-5)
    assert View(SIDE, FIVE_POINTS).aligns and not View(SIDE).aligns
