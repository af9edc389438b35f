"""The parser of photographs: BiSeNet with nineteen classes of face parts.

Yu et al., "BiSeNet", 2018, as zllrunning/face-parsing.PyTorch trained it on CelebAMask-HQ; the layers are
facexlib's.
"""

from __future__ import annotations

from facexlib.parsing.bisenet import BiSeNet
from torch import Tensor, nn

from ..contracts import PARTS, JudgeContext
from .official import as_published


class Parser(nn.Module):
    """(B, 3, S, S), normalised as ImageNet's -> (B, S·S): the class of every pixel, row by row."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor) -> Tensor:
        logits = self.network(faces)[0]  # (B, 19, S, S)
        return logits.argmax(1).flatten(1).float()


def load(context: JudgeContext) -> Parser:
    return Parser(context.adopt(BiSeNet(num_class=len(PARTS)), as_published))
