"""Backbones whose pooled features are compared as distributions: SwAV's ResNet-50 and DINOv2's ViT-L/14."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..contracts import JudgeContext
from .official import without


def load_swav(context: JudgeContext) -> nn.Module:
    """(B, 3, 224, 224) -> (B, 2048): global average pool after layer 4, neither projected nor normalised.

    SwAV (Caron et al., 2020). Its stem pads by 1 and convolves with padding 2: the stock network's 3.
    """
    network = timm.create_model("resnet50", pretrained=False, num_classes=0)
    return context.adopt(network, without("projection_head.", "prototypes.", prefix="module."))


# ---- DINOv2 ---------------------------------------------------------------------------------------

PATCH = 14  # pixels per side
OFFSET = 0.1  # added to the grid's side before dividing, in DINOv2's own code


def load_dinov2(context: JudgeContext) -> nn.Module:
    """(B, 3, 224, 224) -> (B, 1024): the class token after the last norm (Oquab et al., 2023), ViT-L/14."""
    return context.adopt(vision_transformer(), dinov2_names(side=224))


def vision_transformer(side: int = 224, width: int = 1024, depth: int = 24, heads: int = 16) -> nn.Module:
    """timm's vision transformer at the sizes of ViT-L/14."""
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=side,
        patch_size=PATCH,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        init_values=1e-5,
        num_classes=0,
        weight_init="skip",
    )


def dinov2_names(side: int) -> Callable[[Mapping[str, Tensor]], dict[str, Tensor]]:
    """The published tensors, positions brought to pictures of `side` pixels; the mask token is not used."""

    def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = without("mask_token")(tensors)
        if "pos_embed" in found:
            found["pos_embed"] = resized_positions(found["pos_embed"], side // PATCH)
        return found

    return rename


def resized_positions(positions: Tensor, grid: int) -> Tensor:
    """(1, 1 + M², D) -> (1, 1 + grid², D) as DINOv2's own code does it: bicubic, no antialias."""
    token, patches = positions[:, :1], positions[:, 1:]
    side = int(patches.shape[1] ** 0.5)
    if side == grid:
        return positions
    square = patches.reshape(1, side, side, -1).permute(0, 3, 1, 2)  # (1, D, M, M)
    scale = (grid + OFFSET) / side
    seen = F.interpolate(square, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([token, seen.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
