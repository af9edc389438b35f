"""ResNet-18 (He et al., 2016, table 1) as a face recogniser: a softmax over the people of training.

Its pooled features are the embedding. Layers carry torchvision's names; with 64 channels it is torchvision's
network, with fewer it is the same one made narrow for small experiments.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

BLOCKS = 2  # of each stage
GROWTH = (1, 2, 4, 8)  # channels of a stage, in widths


class Recogniser(nn.Module):
    """(B, 3, S, S) in [-1, 1] -> (B, people) logits."""

    def __init__(self, people: int, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        entry = width
        for number, growth in enumerate(GROWTH, start=1):
            setattr(self, f"layer{number}", stage(entry, growth * width, stride=1 if number == 1 else 2))
            entry = growth * width
        self.fc = nn.Linear(entry, people)
        initialise(self)

    def embedding(self, faces: Tensor) -> Tensor:
        """(B, 8 · width) pooled features: 512 of them in the paper's."""
        maps = F.max_pool2d(F.relu(self.bn1(self.conv1(faces))), 3, stride=2, padding=1)  # (B, w, S/4, S/4)
        for number in range(1, len(GROWTH) + 1):
            maps = getattr(self, f"layer{number}")(maps)
        return maps.mean((2, 3))

    def forward(self, faces: Tensor) -> Tensor:
        return self.fc(self.embedding(faces))


def stage(entry: int, width: int, *, stride: int) -> nn.Sequential:
    """Two residual blocks, the first of which may halve the side."""
    shortcut = None
    if stride != 1 or entry != width:
        shortcut = nn.Sequential(nn.Conv2d(entry, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width))
    first = BasicBlock(entry, width, stride, shortcut)
    return nn.Sequential(first, *(BasicBlock(width, width) for _ in range(BLOCKS - 1)))


def initialise(network: nn.Module) -> None:
    """He et al. (2015) for convolutions, as torchvision does; the rest keeps torch's own start."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


@torch.inference_mode()
def embeddings(network: Recogniser, faces: Tensor, device: str = "cpu", batch: int = 200) -> Tensor:
    """(N, D) float32 of unit length on the CPU, for (N, 3, S, S) uint8."""
    network.eval()
    parts = [
        F.normalize(network.embedding(as_seen(part, device)), dim=1).cpu().float()
        for part in faces.split(batch)
    ]
    return torch.cat(parts)


def as_seen(images: Tensor, device: str) -> Tensor:
    """(B, 3, S, S) uint8 -> float32 in [-1, 1] on the device, laid out as convolutions like it."""
    there = images.to(device).contiguous(memory_format=torch.channels_last)
    return torch.div(there, 127.5).sub_(1)
