"""Faces brought to the place where recognition networks learned them, by five points of each.

Deng et al., "ArcFace", 2019, section 3.1: eyes, nose and corners of the mouth come as near to five fixed
places in 112×112 pixels as turning, scaling and shifting allow. The places are those of InsightFace and of
facexlib.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 112  # pixels in which PLACES are given
PLACES = (
    (38.29459953, 51.69630051),
    (73.53179932, 51.50139999),
    (56.02519989, 71.73660278),
    (41.54930115, 92.3655014),
    (70.72990036, 92.20410156),
)
"""x and y of left eye, right eye, nose, left and right corner of the mouth; left is the picture's left."""

LARGEST = 256  # pixels per side that are sampled at points; larger pictures are reduced first, by means


def aligned(images: Tensor, points: Tensor, size: int = SIDE) -> Tensor:
    """(B, 3, H, H) and five points of each (B, 5, 2) in its pixels -> (B, 3, size, size), bilinear.

    What lies outside the picture is 0, and all of a face whose points lie in one place. Pictures of more than
    256 pixels are first reduced to 256 by means over their parts: sampled at points, they would show noise
    that nobody sees.
    """
    side = images.shape[-1]
    if side > LARGEST:
        images = F.adaptive_avg_pool2d(images, (LARGEST, LARGEST))
        points, side = (points + 0.5) * (LARGEST / side) - 0.5, LARGEST
    places = torch.tensor(PLACES, dtype=torch.float64, device=points.device) * (size / SIDE)
    apart = (points != points[:, :1]).any(2).any(1)[:, None, None]
    points = torch.where(apart, points, places.to(points.dtype))
    back = torch.linalg.inv(similarity(points.double(), places))  # (B, 3, 3): from the face to the picture
    steps = torch.arange(size, dtype=torch.float64, device=points.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)]).flatten(1)  # (3, size²)
    found = (back @ pixels)[:, :2].mT.view(-1, size, size, 2)  # where in the picture each of them lies
    grid = ((found * 2 + 1) / side - 1).to(images.dtype)  # -1 and 1 are the picture's edges
    faces = F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return torch.where(apart[..., None], faces, 0.0)


def similarity(points: Tensor, places: Tensor) -> Tensor:
    """(B, P, 2), (P, 2) -> (B, 3, 3): turns, scales and shifts the points to lie nearest the places.

    Least squares (Umeyama, 1991) without mirroring: as complex numbers z and w, less their means, w = a z
    for the factor a = Σ conj(z) w / Σ |z|². The points must not all lie in one place.
    """
    middle, goal = points.mean(1), places.mean(0)
    z, w = points - middle[:, None], places - goal
    spread = z.square().sum((1, 2))
    real = (z * w).sum((1, 2)) / spread
    imaginary = (z[..., 0] * w[..., 1] - z[..., 1] * w[..., 0]).sum(1) / spread
    turn = torch.stack([real, -imaginary, imaginary, real], dim=1).view(-1, 2, 2)
    shift = goal - (turn @ middle[..., None])[..., 0]
    last = torch.tensor([0, 0, 1], dtype=points.dtype, device=points.device).expand(len(points), 1, 3)
    return torch.cat([torch.cat([turn, shift[..., None]], dim=2), last], dim=1)
