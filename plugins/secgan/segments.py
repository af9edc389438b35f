"""The twelve segments of a face, and how the nineteen classes of a parser of photographs become them.

Two numberings of the nineteen circulate. Parts are therefore joined by name, and NINETEEN is the numbering of
the network that `parser.py` knows (face-parsing.PyTorch, facexlib).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, one_hot

from faceedit_bench.api import BadDataset

PARTS: dict[str, tuple[str, ...]] = {
    "skin": ("skin",),
    "eyebrows": ("l_brow", "r_brow"),
    "eyes": ("l_eye", "r_eye"),
    "eyeglasses": ("eye_g",),
    "ears": ("l_ear", "r_ear"),
    "earrings": ("ear_r",),
    "nose": ("nose",),
    "mouth": ("mouth",),
    "lips": ("u_lip", "l_lip"),
    "neck": ("neck",),
    "hair": ("hair",),
    "others": ("background", "neck_l", "cloth", "hat"),
}
"""Section 4.1 of the paper: segments in its order, each with the parts of CelebAMask-HQ that it joins."""

SEGMENTS = tuple(PARTS)

NINETEEN = (
    "background",
    "skin",
    "l_brow",
    "r_brow",
    "l_eye",
    "r_eye",
    "eye_g",
    "l_ear",
    "r_ear",
    "ear_r",
    "nose",
    "mouth",
    "u_lip",
    "l_lip",
    "neck",
    "neck_l",
    "cloth",
    "hair",
    "hat",
)

CELEBA_MASK_HQ = (
    "background",
    "skin",
    "nose",
    "eye_g",
    "l_eye",
    "r_eye",
    "l_brow",
    "r_brow",
    "l_ear",
    "r_ear",
    "mouth",
    "u_lip",
    "l_lip",
    "hair",
    "hat",
    "ear_r",
    "neck_l",
    "neck",
    "cloth",
)
"""The other numbering: that of the data set's own tools."""


def merge_matrix(classes: tuple[str, ...] = NINETEEN) -> Tensor:
    """(12, 19): 1 where the row's segment holds the column's class; every column has exactly one 1."""
    return torch.tensor([[float(name in parts) for name in classes] for parts in PARTS.values()])


def merge(logits: Tensor, classes: tuple[str, ...] = NINETEEN) -> Tensor:
    """(B, 19, H, W) logits -> (B, 12, H, W) log-probabilities: log of M · softmax, from the logits."""
    groups = [[classes.index(name) for name in parts] for parts in PARTS.values()]
    joined = torch.stack([logits[:, group].logsumexp(dim=1) for group in groups], dim=1)
    return joined - logits.logsumexp(dim=1, keepdim=True)


def resized(regions: Tensor, side: int) -> Tensor:
    """(B, H, W) segment numbers -> (B, side, side), by the nearest pixel; numbers beyond 11 are refused."""
    if int(regions.max()) >= len(SEGMENTS):
        raise BadDataset(
            f"secgan knows the regions 0 to {len(SEGMENTS) - 1} ({', '.join(SEGMENTS)}), found region "
            f"{int(regions.max())}"
        )
    if regions.shape[1:] == (side, side):
        return regions
    return interpolate(regions[:, None].float(), (side, side), mode="nearest-exact")[:, 0].long()


def as_planes(segments: Tensor) -> Tensor:
    """(B, H, W) segment numbers -> (B, 12, H, W) one-hot float32."""
    return one_hot(segments, len(SEGMENTS)).movedim(-1, 1).float().contiguous()
