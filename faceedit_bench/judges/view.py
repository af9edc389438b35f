"""How a judge looks at a face: resize by a named rule, then normalise. Part of the judge's identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contracts import FIVE_POINTS, View
from ..errors import BadImage, UnknownName
from .alignment import aligned


def look(images: Tensor, view: View, points: Tensor | None = None) -> Tensor:
    """(B, 3, H, W) in [-1, 1] -> (B, 3, size, size), normalised by the view's mean and deviation.

    A view of size 0 gives the images back as they are. Judges look at square pictures: stretching one to fit
    would show another face. One that aligns faces wants five points of each, (B, 5, 2) in pixels.
    """
    if view.size == 0:
        return images
    height, width = images.shape[-2:]
    if height != width:
        raise BadImage(f"judges look at square pictures, found {width}×{height} pixels; crop them first")
    if view.aligns:
        assert points is not None, "asked for with landmarks, which data sets and suites are checked for"
        seen = aligned((images + 1) / 2, points, view.size)  # in [0, 1]
    elif view.resize in RESIZES:
        seen = RESIZES[view.resize]((images + 1) / 2, view.size)
    else:
        raise UnknownName("resize rule", view.resize, [*RESIZES, FIVE_POINTS])
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


def _pil_bilinear(images: Tensor, size: int) -> Tensor:
    """torchvision's `Resize` of a Pillow image, within one grey level."""
    return _rounded(_bilinear_antialiased(images, size))


def _pil_bicubic(images: Tensor, size: int) -> Tensor:
    """Pillow's bicubic of an 8-bit image, within one grey level: dgm-eval's rule (Stein et al., 2023)."""
    return _rounded(_clean_bicubic(images, size))


def _tf1_bilinear(images: Tensor, size: int) -> Tensor:
    """TensorFlow 1's rule, no half-pixel shift, no antialias: torch-fidelity's and older papers'."""
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as tf1

    return tf1(images, size=(size, size), align_corners=False)


def _area(images: Tensor, size: int) -> Tensor:
    """Means over equal parts of the picture: the rule of pSp's identity loss."""
    return F.adaptive_avg_pool2d(images, (size, size))


def _rounded(images: Tensor) -> Tensor:
    """To the nearest of 256 levels, as a picture stored with 8 bits."""
    return (images * 255).round().clamp(0, 255) / 255


RESIZES: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "torch-bilinear": _bilinear,
    "torch-bilinear-aa": _bilinear_antialiased,
    "clean-bicubic": _clean_bicubic,
    "pil-bilinear-u8": _pil_bilinear,
    "pil-bicubic-u8": _pil_bicubic,
    "tf1-bilinear": _tf1_bilinear,
    "area": _area,
}
"""Rule id -> resize."""
