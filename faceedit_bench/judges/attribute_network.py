"""The attributes judge of photographs: a backbone of timm under one linear layer."""

from __future__ import annotations

from typing import Any

import timm
from torch import Tensor, nn

from ..contracts import THIRTEEN

DROPOUT = 0.2  # before the linear layer, in training


class AttributeJudge(nn.Module):
    """(B, 3, 224, 224), normalised as ImageNet's -> (B, A) probabilities."""

    def __init__(self, backbone: str = "resnet50", attributes: int = len(THIRTEEN)) -> None:
        super().__init__()
        trunk: Any = timm.create_model(backbone, pretrained=False, num_classes=0)
        self.backbone = trunk
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(trunk.num_features, attributes)

    def logits(self, faces: Tensor) -> Tensor:
        return self.head(self.dropout(self.backbone(faces)))

    def forward(self, faces: Tensor) -> Tensor:
        return self.logits(faces).sigmoid()
