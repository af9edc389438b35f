"""Wasserstein losses with gradient penalty (Gulrajani et al., 2017, arXiv:1704.00028)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """E[D(fake)] − E[D(real)]: what the critic minimises (equation 3 without the penalty)."""
    return fake_scores.float().mean() - real_scores.float().mean()


def editor_loss(fake_scores: Tensor) -> Tensor:
    """−E[D(fake)]: what the editor minimises."""
    return -fake_scores.float().mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, generator: torch.Generator
) -> Tensor:
    """E[(‖∇D(x̂)‖₂ − 1)²], x̂ uniform between a real and a fake sample (equation 3; its weight there is 10).

    `real` and `fake` are (B, ...); `critic` gives any scores of which row b depends on sample b alone.
    The place on the line is one number per sample, drawn on the CPU: the same on every device.
    """
    shape = (len(real), *[1] * (real.dim() - 1))
    weight = torch.rand(shape, generator=generator).to(real.device)  # (B, 1, ...)
    between = torch.lerp(real.detach().float(), fake.detach().float(), weight).requires_grad_()  # (B, ...)
    scores = critic(between)
    (slope,) = torch.autograd.grad(scores.float().sum(), between, create_graph=True)
    norm = slope.float().flatten(1).norm(dim=1)  # (B,)
    return (norm - 1).square().mean()
