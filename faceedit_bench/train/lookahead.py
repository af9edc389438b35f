"""Lookahead (Zhang et al., 2019, arXiv:1907.08610) around Adam."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

SHARE = 0.5  # α, of the way to Adam's weights that the slow ones go


class Lookahead(torch.optim.Adam):
    """Adam, whose weights after every `every` updates fall back half of the way to where they were before.

    Slow weights and the number of updates are part of the state, so that a stopped training goes on.
    """

    def __init__(
        self, values: Iterable[Tensor], lr: float, betas: tuple[float, float], *, every: int
    ) -> None:
        super().__init__(values, lr, betas, fused=True)
        self.every = every
        for group in self.param_groups:
            group["updates"] = 0

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is not None and not self.state[value]:  # Adam is about to make its state
                    group.setdefault("starts", {})[value] = value.clone()
        super().step()
        for group in self.param_groups:
            for value, start in group.pop("starts", {}).items():
                self.state[value]["slow"] = start
            group["updates"] += 1
            if group["updates"] % self.every == 0:
                fast = [value for value in group["params"] if "slow" in self.state.get(value, {})]
                slow = [self.state[value]["slow"] for value in fast]
                torch._foreach_lerp_(slow, fast, SHARE)
                torch._foreach_copy_(fast, slow)
