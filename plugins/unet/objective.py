"""What critic and editor minimise in AttGAN, STGAN, LSTU-Net and both modules of CooGAN.

With x the picture, y the edit, a and b source and target labels in {0, 1}:

    critic  mean D(y) − mean D(x) + λ_gp · GP(x, y) + λ_a · BCE(C(x), a)
    editor  −mean D(y) + λ_b · BCE(C(y), b) + λ_rec · ‖G(x, nothing to change) − x‖₁

Source: AttGAN, arXiv 1711.10678, equations 4 to 9, with Wasserstein losses; signs and weights of the released
code (10, 1, 10, 100). Every mean is over all elements, also over attributes.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from faceedit_bench.train import TrainBatch, critic_loss, editor_loss, gradient_penalty

Terms = dict[str, Tensor]


class Weights(Protocol):
    """The options that weigh the terms."""

    @property
    def penalty(self) -> float: ...
    @property
    def critic_attributes(self) -> float: ...
    @property
    def editor_attributes(self) -> float: ...
    @property
    def reconstruction(self) -> float: ...


def critic_terms(critic: nn.Module, real: Tensor, fake: Tensor, batch: TrainBatch, weights: Weights) -> Terms:
    """Losses of a critic on pictures and edits (B, 3, side, side); the penalty always in float32."""
    fake = fake.float()
    scores, logits = critic(torch.cat([real, fake]))
    real_scores, fake_scores = scores.chunk(2)
    with torch.autocast(real.device.type, enabled=False):
        penalty = gradient_penalty(lambda images: critic(images)[0], real, fake, batch.generator)
    return {
        "wasserstein": critic_loss(real_scores, fake_scores),
        "penalty": weights.penalty * penalty,
        "attributes": weights.critic_attributes * attribute_loss(logits[: len(real)], batch.source),
    }


def editor_terms(
    critic: nn.Module, fake: Tensor, rebuilt: Tensor, real: Tensor, batch: TrainBatch, weights: Weights
) -> Terms:
    """Losses of an editor on its edit and its reconstruction (B, 3, side, side)."""
    scores, logits = critic(fake)
    return {
        "adversarial": editor_loss(scores),
        "attributes": weights.editor_attributes * attribute_loss(logits, batch.target),
        "reconstruction": weights.reconstruction * l1_loss(rebuilt.float(), real),
    }


def attribute_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over batch and attributes."""
    return binary_cross_entropy_with_logits(logits.float(), labels)
