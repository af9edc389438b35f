"""The parser P: a picture -> log-probabilities of the twelve segments.

Frozen wherever SeCGAN learns, but differentiable: the consistency loss of the picture's generator goes
through it. It answers log P, computed from logits, so that no logarithm of a rounded 0 is ever taken.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, log_softmax

from .segments import NINETEEN, SEGMENTS, merge

BISENET = "bisenet-19"  # the judge whose network and pinned weights BiSeNetParser takes


class Block(nn.Sequential):
    """Two convolutions 3×3, each with batch norm and ReLU."""

    def __init__(self, before: int, after: int) -> None:
        layers: list[nn.Module] = []
        for channels in (before, after):
            layers += [nn.Conv2d(channels, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(*layers)


class UNetParser(nn.Module):
    """(B, 3, H, W) in [-1, 1] -> (B, 12, H, W); H and W multiples of 4. Small, for drawn faces."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fine, self.middle = Block(3, width), Block(width, 2 * width)
        self.coarse = Block(2 * width, 4 * width)
        self.up_middle, self.up_fine = Block(6 * width, 2 * width), Block(3 * width, width)
        self.head = nn.Conv2d(width, len(SEGMENTS), 1)

    def forward(self, images: Tensor) -> Tensor:
        fine = self.fine(images)
        middle = self.middle(nn.functional.max_pool2d(fine, 2))
        coarse = self.coarse(nn.functional.max_pool2d(middle, 2))
        middle = self.up_middle(torch.cat([_doubled(coarse), middle], dim=1))
        fine = self.up_fine(torch.cat([_doubled(middle), fine], dim=1))
        return log_softmax(self.head(fine).float(), dim=1)


class BiSeNetParser(nn.Module):
    """(B, 3, H, W) in [-1, 1] -> (B, 12, H, W): BiSeNet's nineteen classes, merged. For photographs.

    Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation", ECCV 2018, as
    face-parsing.PyTorch trained it; the network is facexlib's. It looks at `size` pixels (0: as they come),
    and its probabilities are brought back.
    """

    def __init__(self, size: int) -> None:
        from facexlib.parsing.bisenet import BiSeNet

        super().__init__()
        self.size = size
        self.network = BiSeNet(num_class=len(NINETEEN))
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])  # ImageNet's
        self.register_buffer("mean", mean[:, None, None], persistent=False)
        self.register_buffer("std", std[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        side, sides = (self.size, self.size), images.shape[2:]
        seen = interpolate(images, side, mode="bilinear") if self.size and sides != side else images
        logits = self.network(((seen + 1) / 2 - self.mean) / self.std)[0].float()  # (B, 19, size, size)
        found = merge(logits)
        if found.shape[2:] == sides:
            return found
        tiny = torch.finfo(found.dtype).tiny  # below it a probability counts as this much
        return interpolate(found.exp(), sides, mode="bilinear").clamp_min(tiny).log()


def _doubled(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=2, mode="bilinear")
