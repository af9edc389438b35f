"""Selective transfer units: what sits in a skip connection and decides which encoder features pass.

STU   Liu et al., "STGAN: A Unified Selective Transfer Network ...", CVPR 2019, arXiv 1904.09709.
LSTU  Chen et al., "CooGAN: A Memory-Efficient Framework ...", ECCV 2020, arXiv 2011.01563, section 3.4.

Both take the encoder feature x (B, c, h, w), the deeper level's state (B, c', h/2, w/2) and the attribute
difference (B, A), and give `(skip, state)`: the feature that replaces x, and the state for the next shallower
unit, both (B, c, h, w). Neither normalises. Sub-module names are part of the checkpoint format.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SLOPE = 0.2  # of every LeakyReLU in this family: TensorFlow's default, used by the released code


def append_planes(features: Tensor, condition: Tensor) -> Tensor:
    """(B, C, h, w) and (B, A) -> (B, C + A, h, w): each attribute as a constant plane, after the features."""
    batch, attributes = condition.shape
    planes = condition[:, :, None, None].expand(batch, attributes, *features.shape[2:])
    return torch.cat([features, planes], dim=1)


class LSTU(nn.Module):
    """Light selective transfer unit: a simple recurrent unit whose gates see only the deeper state.

    The line for `skip` uses the raw upsampled state on its highway, not its 1×1 transform.
    """

    def __init__(self, *, deeper: int, width: int, attributes: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(deeper + attributes, width, 4, 2, 1)
        self.forget = nn.Conv2d(width, width, 3, 1, 1)
        self.reset = nn.Conv2d(width, width, 3, 1, 1)
        self.linear = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, state: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
        upsampled = self.up(append_planes(state, difference))  # (B, c, h, w)
        forget = torch.sigmoid(self.forget(upsampled))
        reset = torch.sigmoid(self.reset(upsampled))
        new = torch.lerp(self.linear(upsampled), x, forget)  # f ⊙ x + (1 − f) ⊙ W ĥ
        skip = torch.lerp(upsampled, nn.functional.leaky_relu(new, SLOPE), reset)  # r ⊙ g(h) + (1 − r) ⊙ ĥ
        return skip, new


class STU(nn.Module):
    """Selective transfer unit: a convolutional gated recurrent unit, as released (`pass_state = stu`)."""

    def __init__(self, *, deeper: int, encoder: int, width: int, attributes: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(deeper + attributes, width, 4, 2, 1)
        self.reset = nn.Conv2d(encoder + width, width, 3, 1, 1)
        self.update = nn.Conv2d(encoder + width, width, 3, 1, 1)
        self.hidden = nn.Conv2d(encoder + width, width, 3, 1, 1)

    def forward(self, x: Tensor, state: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
        upsampled = self.up(append_planes(state, difference))
        both = torch.cat([x, upsampled], dim=1)
        reset = torch.sigmoid(self.reset(both))
        update = torch.sigmoid(self.update(both))
        new = reset * upsampled
        candidate = torch.tanh(self.hidden(torch.cat([x, new], dim=1)))
        return torch.lerp(upsampled, candidate, update), new  # (1 − z) ⊙ ŝ + z ⊙ f̂


class PlainSkip(nn.Module):
    """A skip connection as it is: passes the encoder feature."""

    def forward(self, x: Tensor, state: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
        return x, state
