"""Directions fitted to labels: a linear support vector machine for each attribute (InterfaceGAN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Learned(nn.Module):
    """A hyperplane n · f + b for each attribute, and how far apart its two classes lie along n.

    f is a face's mean code minus the average code. An edit at strength 1 goes as far as the classes are
    apart.
    """

    def __init__(self, attributes: int, w_dim: int) -> None:
        super().__init__()
        self.normals = nn.Parameter(torch.zeros(attributes, w_dim))
        self.offsets = nn.Parameter(torch.zeros(attributes))
        self.middles = nn.Parameter(torch.zeros(attributes))  # of the classes, along the unit normal
        self.spans = nn.Parameter(torch.zeros(attributes))  # from the one to the other

    def forward(self, features: Tensor) -> Tensor:
        """(B, w_dim) -> scores (B, A), positive where the attribute is seen."""
        return features @ self.normals.T + self.offsets

    def along(self, features: Tensor) -> Tensor:
        """(B, w_dim) -> places (B, A) on the unit normals."""
        return features @ self.units().T

    def units(self) -> Tensor:
        """(A, w_dim) of length 1."""
        return nn.functional.normalize(self.normals, dim=1)

    def directions(self) -> Tensor:
        """(A, w_dim): from without the attribute to with it."""
        return self.units() * self.spans[:, None]
