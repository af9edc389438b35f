"""Identity judges of photographs: ArcFace IR-SE50 and CurricularFace IR-101.

Deng et al., "ArcFace", 2019; Huang et al., "CurricularFace", 2020. The layers are facexlib's. Both look at
112×112 pixels of a face. Which, is part of a judge: the fixed window of pSp's identity loss (Richardson et
al., 2021) in a picture aligned as FFHQ and CelebA-HQ are, or the face where its five points put it
(`alignment.py`).
"""

from __future__ import annotations

import torch.nn.functional as F
from facexlib.recognition.arcface_arch import Backbone
from torch import Tensor, nn

from ..contracts import JudgeContext
from .official import as_published

ROWS, COLUMNS = slice(35, 223), slice(32, 220)  # of 256: eyes, nose and mouth where the networks expect them
SIDE = 112


class Recogniser(nn.Module):
    """(B, 3, 256, 256) in [-1, 1], RGB -> (B, 512) of unit length."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor) -> Tensor:
        window = F.adaptive_avg_pool2d(faces[:, :, ROWS, COLUMNS], SIDE)
        return self.network(window)


def irse50() -> Backbone:
    """50 layers with squeeze and excitation."""
    return Backbone(num_layers=50, drop_ratio=0.6, mode="ir_se")


def ir101() -> Backbone:
    """100 layers; CurricularFace's last norm has no scale and no shift."""
    network = Backbone(num_layers=100, drop_ratio=0.4, mode="ir")
    network.output_layer[4] = nn.BatchNorm1d(512, affine=False)
    return network


def load_arcface(context: JudgeContext) -> Recogniser:
    return Recogniser(load_arcface_aligned(context))


def load_curricularface(context: JudgeContext) -> Recogniser:
    return Recogniser(load_curricularface_aligned(context))


def load_arcface_aligned(context: JudgeContext) -> nn.Module:
    """(B, 3, 112, 112) in [-1, 1], RGB, faces in their place -> (B, 512) of unit length."""
    return context.adopt(irse50(), as_published)


def load_curricularface_aligned(context: JudgeContext) -> nn.Module:
    """As `load_arcface_aligned`."""
    return context.adopt(ir101(), as_published)
