"""Inception-v3 of 2015: the network of FID, KID and the Inception Score.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, as TensorFlow's graph of
5 December 2015 has it (1008 classes). The blocks, with that graph's peculiar pooling, are torch-fidelity's;
its whole network wants weights in the constructor, so the blocks are joined here under the same names. How a
picture is resized and scaled is each judge's view, not the network's.

Norms are folded into the convolutions before them and channels lie last: twice as fast on a CPU, and as near
to the same pass in float64 as torch-fidelity's (benchmarks/README.md tells how near).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import (
    BasicConv2d,
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE_1,
    InceptionE_2,
)

from ..contracts import JudgeContext
from .official import as_published


class Inception(nn.Module):
    """(B, 3, 299, 299), scaled as the view says -> (B, 2048) pooled features; these -> (B, 1008) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, kernel_size=3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, kernel_size=3, padding=1)
        self.MaxPool_1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, kernel_size=3)
        self.MaxPool_2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Mixed_5b = InceptionA(192, pool_features=32)
        self.Mixed_5c = InceptionA(256, pool_features=64)
        self.Mixed_5d = InceptionA(288, pool_features=64)
        self.Mixed_6a = InceptionB(288)
        self.Mixed_6b = InceptionC(768, channels_7x7=128)
        self.Mixed_6c = InceptionC(768, channels_7x7=160)
        self.Mixed_6d = InceptionC(768, channels_7x7=160)
        self.Mixed_6e = InceptionC(768, channels_7x7=192)
        self.Mixed_7a = InceptionD(768)
        self.Mixed_7b = InceptionE_1(1280)
        self.Mixed_7c = InceptionE_2(2048)
        self.AvgPool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, 1008)
        self.quick: Callable[[Tensor], Tensor] | None = None  # `pool` of the same network, folded

    def pool(self, pictures: Tensor) -> Tensor:
        """(B, 2048): every layer but the last, in the order in which they stand above."""
        if self.quick is not None and pictures.dtype == torch.float32:
            return self.quick(pictures)
        seen = pictures
        for name, layer in self.named_children():
            seen = seen if name == "fc" else layer(seen)
        return seen.flatten(1)

    def logits(self, features: Tensor) -> Tensor:
        """(B, 2048) -> (B, 1008), without the bias, as the Inception Score has them."""
        return features @ self.fc.weight.T


LOADED: WeakValueDictionary[tuple[Path, int, str], Inception] = WeakValueDictionary()
"""File, when it was written, and device -> the network, as long as a judge has it: two judges ask one."""


def load(context: JudgeContext) -> Inception:
    """The network with checked weights, ready to answer."""
    file = context.file()
    key = (file, file.stat().st_mtime_ns, context.device)
    network = LOADED.get(key)
    if network is None:
        adopted = context.adopt(Inception(), as_published)
        assert isinstance(adopted, Inception)
        network = LOADED[key] = adopted
        network.quick = folded(copy.deepcopy(network)).pool  # in float64 the published tensors are asked
    return network


def folded(network: Inception) -> Inception:
    """The same network without norms, which at rest are a scale and a shift; multiplied in float64."""
    for unit in network.modules():
        if isinstance(unit, BasicConv2d):
            kind = unit.conv.weight.dtype
            unit.conv = fuse_conv_bn_eval(unit.conv.double(), unit.bn.double()).to(kind)
            unit.bn = nn.Identity()
    return network.to(memory_format=torch.channels_last)
