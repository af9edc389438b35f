"""How a judge looks at a face: resize by a named rule, then normalise. Part of the judge's identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contracts import View
from ..errors import BadImage, UnknownName


def look(images: Tensor, view: View) -> Tensor:
    """(B, 3, H, W) in [-1, 1] -> (B, 3, size, size), normalised by the view's mean and deviation.

    A view of size 0 gives the images back as they are. Judges look at square pictures: stretching one to fit
    would show another face.
    """
    if view.size == 0:
        return images
    height, width = images.shape[-2:]
    if height != width:
        raise BadImage(f"judges look at square pictures, found {width}×{height} pixels; crop them first")
    if view.resize not in RESIZES:
        raise UnknownName("resize rule", view.resize, RESIZES)
    seen = RESIZES[view.resize]((images + 1) / 2, view.size)  # in [0, 1]
    mean = torch.tensor(view.mean, dtype=seen.dtype, device=seen.device).view(1, 3, 1, 1)
    std = torch.tensor(view.std, dtype=seen.dtype, device=seen.device).view(1, 3, 1, 1)
    return (seen - mean) / std


# ---- resize rules: (B, 3, H, W) in [0, 1] -> (B, 3, size, size) -------------------------------------


def _bilinear(images: Tensor, size: int) -> Tensor:
    """No antialias: pytorch-fid's rule."""
    return F.interpolate(images, (size, size), mode="bilinear", align_corners=False)


def _bilinear_antialiased(images: Tensor, size: int) -> Tensor:
    """torchmetrics' rule since 1.9."""
    return F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)


def _clean_bicubic(images: Tensor, size: int) -> Tensor:
    """clean-fid's rule: Pillow's bicubic on float channels, clipped, not rounded (Parmar et al., 2022)."""
    grown = F.interpolate(images, (size, size), mode="bicubic", align_corners=False, antialias=True)
    return grown.clamp(0, 1)


RESIZES: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "torch-bilinear": _bilinear,
    "torch-bilinear-aa": _bilinear_antialiased,
    "clean-bicubic": _clean_bicubic,
}
"""Rule id -> resize."""
