from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from faceedit_bench.api import EditBatch


def difference(batch: EditBatch, strength: float) -> Tensor:
    scale = torch.where(batch.edited, (1 + strength) / 2 * batch.strength[:, None], 1.0)
    return batch.change * scale


def shrink(images: Tensor, side: int, mode: str = "bicubic") -> Tensor:
    if images.shape[-2:] == (side, side):
        return images
    return F.interpolate(images, (side, side), mode=mode, antialias=True).clamp(-1, 1)
