"""The finder of faces in photographs: RetinaFace on ResNet-50, asked for the surest face of a picture.

Deng et al., "RetinaFace", 2020. The layers and anchors are facexlib's; of overlapping boxes the surest is the
one that any suppression of the others would keep, so none is made.
"""

from __future__ import annotations

import warnings

import torch
from facexlib.detection.retinaface import RetinaFace
from facexlib.detection.retinaface_utils import PriorBox
from torch import Tensor, nn

from ..contracts import JudgeContext
from .official import without

SIDE = 256  # pixels per side of what it looks at


class Detector(nn.Module):
    """(B, 3, 256, 256) RGB from 0 to 255 less the mean colour -> (B, 11): how sure it is in [0, 1] that there
    is a face, and x, y of its five points as shares of the picture's side."""

    anchors: Tensor

    def __init__(self, network: RetinaFace) -> None:
        super().__init__()
        self.network = network
        anchors = PriorBox(network.cfg, image_size=(SIDE, SIDE)).forward()  # (P, 4): middle, width and height
        self.register_buffer("anchors", anchors, persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        _, sure, steps = self.network(faces.flip(1))  # it learned blue first
        best = sure[:, :, 1].argmax(1)
        row = torch.arange(len(faces), device=faces.device)
        anchor, step = self.anchors[best], steps[row, best].view(-1, 5, 2)
        pixels = SIDE * (anchor[:, None, :2] + self.network.cfg["variance"][0] * step * anchor[:, None, 2:])
        return torch.cat([sure[row, best, 1:], (pixels.flatten(1) + 0.5) / SIDE], dim=1)


def retinaface() -> RetinaFace:
    """Without weights; facexlib builds it by an argument that torchvision has renamed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        return RetinaFace("resnet50", device=torch.device("cpu"))


def load(context: JudgeContext) -> Detector:
    network = context.adopt(retinaface(), without(prefix="module."))
    assert isinstance(network, RetinaFace)
    return Detector(network).to(context.device)
