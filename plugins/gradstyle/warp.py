"""Random perspective in normalised coordinates: the misalignment that aligners learn to undo (section 3.4).

Libraries draw shifts of whole pixels, and at 8×8 there are none so small. Here a part of a pixel is one too,
and the same homography warps the residuals of all places.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))  # x, y of the square [−1, 1]²


def homographies(count: int, distortion: float, probability: float, generator: torch.Generator) -> Tensor:
    """(count, 3, 3): where in the picture each place of the warped one comes from.

    Each corner moves inwards by up to `distortion` of half a side, in x and in y. The identity warps nothing.
    """
    corners = torch.tensor(CORNERS, dtype=torch.float64)
    shifts = torch.rand(count, 4, 2, generator=generator, dtype=torch.float64) * distortion
    found = solve(corners - corners * shifts, corners.expand(count, -1, -1))
    is_warped = torch.rand(count, generator=generator) < probability
    return torch.where(is_warped[:, None, None], found, torch.eye(3, dtype=torch.float64))


def solve(start: Tensor, end: Tensor) -> Tensor:
    """(B, 4, 2) twice -> (B, 3, 3): the homography that brings four points to four others."""
    x, y = start.unbind(2)  # (B, 4)
    one, none = torch.ones_like(x), torch.zeros_like(x)
    rows = [
        torch.stack([x, y, one, none, none, none, -end[:, :, 0] * x, -end[:, :, 0] * y], 2),
        torch.stack([none, none, none, x, y, one, -end[:, :, 1] * x, -end[:, :, 1] * y], 2),
    ]
    system, wanted = torch.cat(rows, 1), torch.cat([end[:, :, 0], end[:, :, 1]], 1)  # (B, 8, 8), (B, 8)
    found = torch.linalg.solve(system, wanted)
    return torch.cat([found, torch.ones_like(found[:, :1])], 1).unflatten(1, (3, 3))


def warp(features: Tensor, homography: Tensor) -> Tensor:
    """(B, C, H, W) and (B, 3, 3) -> (B, C, H, W): bilinear, zeros around."""
    height, width = features.shape[2:]
    x, y = ((2 * torch.arange(side, dtype=torch.float64) + 1) / side - 1 for side in (width, height))
    places = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width), torch.ones(height, width)], 2)
    found = places.flatten(0, 1) @ homography.transpose(1, 2)  # (B, H·W, 3)
    grid = (found[:, :, :2] / found[:, :, 2:]).unflatten(1, (height, width))
    return F.grid_sample(features, grid.to(features), mode="bilinear", align_corners=False)
