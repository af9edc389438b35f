"""Exponential moving average of a network: what is exported is the average, not the last step."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """Averaged parameters, copied buffers.

    The decay of update n is min(decay, (1 + n) / (10 + n)), so that the first weights, which are random, are
    forgotten soon even in a short training.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move towards `network`, which has just been stepped."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averaged: list[Tensor] = list(self.network.parameters())
        latest: list[Tensor] = list(network.parameters())
        if averaged:
            torch._foreach_lerp_(averaged, latest, 1 - decay)
        for kept, new in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(new)
