"""The networks of the demo judges: one small residual backbone (timm) under four heads.

They look at faces of 64 px, or at the middle of 96 px where small things count. timm's ResNet (He et al.,
2016) with one block per stage and narrow stages has 0.32 M parameters; the stem of three 3×3 convolutions
(He et al., 2019, ResNet-D) keeps thin strokes such as moustaches that a 7×7 stem blurs away.
"""

from __future__ import annotations

import torch.nn.functional as F
from timm.models.resnet import BasicBlock, ResNet
from torch import Tensor, nn

from .specs import KINDS, WIDTH


def backbone(channels: tuple[int, int, int, int] = (16, 32, 64, WIDTH)) -> ResNet:
    """(B, 3, H, W) -> (B, channels[-1]): pooled features, no classifier."""
    return ResNet(
        BasicBlock,  # type: ignore[arg-type]  # timm means the class and types the object
        (1, 1, 1, 1),
        num_classes=0,
        channels=channels,
        stem_type="deep_tiered",
        stem_width=16,
        avg_down=True,
    )


def middle(faces: Tensor) -> Tensor:
    """(B, 3, 96, 96) -> (B, 3, 80, 80): where the face is; more backdrop would only cost time."""
    return faces[:, :, 8:-8, 8:-8]


class AttributeNetwork(nn.Module):
    """Thirteen attribute probabilities."""

    def __init__(self, attributes: int) -> None:
        super().__init__()
        self.backbone = backbone()
        self.head = nn.Linear(WIDTH, attributes)

    def logits(self, faces: Tensor) -> Tensor:
        return self.head(self.backbone(middle(faces)))  # (B, A)

    def forward(self, faces: Tensor) -> Tensor:
        return self.logits(faces).sigmoid()  # (B, A) in [0, 1]


class IdentityNetwork(nn.Module):
    """Embedding of unit length: the cosine of two says how far they show one person."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = backbone()
        self.head = nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=False), nn.BatchNorm1d(WIDTH))

    def forward(self, faces: Tensor) -> Tensor:
        return F.normalize(self.head(self.backbone(middle(faces))), dim=1)  # (B, D), length 1


class SwavNetwork(nn.Module):
    """Pooled features of a backbone that learnt without labels; the projection stays with the training."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = backbone()

    def forward(self, faces: Tensor) -> Tensor:
        return self.backbone(faces)  # (B, D), not normalised (section 4.3 of SeCGAN's ssFID)


class ClassNetwork(nn.Module):
    """Logits of the kinds of people, without bias as the inception score has them, and what lies below."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = backbone()
        self.head = nn.Linear(WIDTH, len(KINDS), bias=False)

    def pool(self, faces: Tensor) -> Tensor:
        return self.backbone(faces)  # (B, D)

    def forward(self, faces: Tensor) -> Tensor:
        return self.head(self.pool(faces))  # (B, K)
