"""What SeCGAN's critics and generators minimise. Equations are those of arXiv 2111.09298.

With x the picture, s = onehot(P(x)) its segments, y and ŝ the edits of both (ŝ a softmax), d = b − a:

    pictures  the backbone's objective, with ‖G(x, 0) − x‖₁ as reconstruction
    segments  the same on s and ŝ, with the cross-entropy of G_seg(s, 0) against s as reconstruction
    both      λ_sc · CE(onehot(ŝ), P(y))     equation 11: moves the pictures' generator, through P
              λ_sc · CE(onehot(P(y)), ŝ)     equation 12: moves the segments' generator

CE(target, p) is the mean over pixels of −log p at the target. Targets are one-hot and detached, so each
equation moves one generator, and one backward pass through their sum is the paper's algorithm. Both come
from one forward pass, before either generator is updated. The printed classification loss,
(1 − y)(1 − log D), is a misprint of binary cross-entropy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, nll_loss

from faceedit_bench.train import TrainBatch, editor_loss

from ..unet.objective import Terms, attribute_loss, critic_terms, editor_terms
from ..unet.pictures import shrink
from . import Options
from .backbones import backbone, both
from .segments import as_planes, resized

Networks = Mapping[str, nn.Module]


@dataclass(frozen=True)
class Weights:
    """Of the terms, for a mean over attributes (unet.objective.Weights)."""

    penalty: float
    critic_attributes: float
    editor_attributes: float
    reconstruction: float


def weights(options: Options) -> Weights:
    """StarGAN sums the classification loss over attributes: their number times the mean."""
    times = len(options.attributes) if backbone(options).sums_attributes else 1
    return Weights(
        penalty=options.penalty,
        critic_attributes=options.critic_attributes * times,
        editor_attributes=options.editor_attributes * times,
        reconstruction=options.reconstruction,
    )


# ---- one GAN on pictures: the baselines -----------------------------------------------------------


def critic_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    real = shrink(batch.images, options.size)
    with torch.no_grad():
        fake = networks["editor"](told(networks, real, options), batch.change)
    return critic_terms(networks["critic"], real, fake, batch, weights(options))


def editor_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    real = shrink(batch.images, options.size)
    fake, rebuilt = both(networks["editor"], told(networks, real, options), batch.change)
    return editor_terms(networks["critic"], fake, rebuilt, real, batch, weights(options))


def told(networks: Networks, images: Tensor, options: Options) -> Tensor:
    """(B, 3, H, W), or with Concat the picture and its segments, (B, 3 + 12, H, W)."""
    return with_segments(images, networks["parser"]) if options.branch == "concat" else images


def with_segments(images: Tensor, parser: nn.Module) -> Tensor:
    """(B, 3, H, W) -> (B, 3 + 12, H, W): one-hot segments after the colours."""
    with torch.no_grad():
        return torch.cat([images, as_planes(parser(images).argmax(1))], dim=1)


# ---- two GANs side by side ------------------------------------------------------------------------


def parallel_critic_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    """Each critic on its own: real and edited pictures; one-hot real and soft edited segments."""
    real, segments = pictures_and_segments(networks, batch, options)
    planes = as_planes(segments)
    with torch.no_grad():
        fake = networks["editor"](real, batch.change)
        soft = networks["semantic_editor"](planes, batch.change).float().softmax(1)
    terms = critic_terms(networks["critic"], real, fake, batch, weights(options))
    seen = critic_terms(networks["semantic_critic"], planes, soft, batch, weights(options))
    return {**terms, **{f"semantic_{name}": value for name, value in seen.items()}}


def parallel_editor_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    """Both generators from one forward pass, and what each has to agree with."""
    real, segments = pictures_and_segments(networks, batch, options)
    fake, rebuilt = both(networks["editor"], real, batch.change)
    edited, restored = both(networks["semantic_editor"], as_planes(segments), batch.change)
    log_edited = log_softmax(edited.float(), dim=1)  # log ŝ
    terms = editor_terms(networks["critic"], fake, rebuilt, real, batch, weights(options))
    terms |= semantic_terms(networks["semantic_critic"], log_edited.exp(), restored, segments, batch, options)
    if options.lambda_sc and batch.step > options.sc_start:
        terms |= consistency(log_edited, networks["parser"](fake), options.lambda_sc)
    return terms


def semantic_terms(
    critic: nn.Module, soft: Tensor, restored: Tensor, segments: Tensor, batch: TrainBatch, options: Options
) -> Terms:
    """Of the segments' generator: `soft` its edit (B, 12, H, W), `restored` logits, `segments` (B, H, W)."""
    scale = weights(options)
    scores, logits = critic(soft)
    return {
        "semantic_adversarial": editor_loss(scores),
        "semantic_attributes": scale.editor_attributes * attribute_loss(logits, batch.target),
        "semantic_reconstruction": scale.reconstruction
        * disagreement(segments, log_softmax(restored.float(), dim=1)),
    }


def consistency(log_edited: Tensor, log_parsed: Tensor, weight: float) -> Terms:
    """Equations 11 and 12 from log ŝ and log P(y), each (B, 12, H, W): hard, detached targets."""
    return {
        "consistency": weight * disagreement(log_edited.detach().argmax(1), log_parsed),
        "semantic_consistency": weight * disagreement(log_parsed.detach().argmax(1), log_edited),
    }


def disagreement(segments: Tensor, log_probabilities: Tensor) -> Tensor:
    """Mean over batch and pixels of −log p at the segment: (B, H, W) and (B, 12, H, W)."""
    return nll_loss(log_probabilities, segments)


def pictures_and_segments(networks: Networks, batch: TrainBatch, options: Options) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W), and (B, H, W): the exact segments where the data set has them, or the parser's."""
    real = shrink(batch.images, options.size)
    if batch.regions is not None:
        return real, resized(batch.regions, options.size)
    with torch.no_grad():
        return real, networks["parser"](real).argmax(1)


# ---- the small parser -----------------------------------------------------------------------------


def parser_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    """Cross-entropy against the exact segments."""
    assert batch.regions is not None  # the stage says that it needs them
    found = networks["parser"](shrink(batch.images, options.size))
    return {"segments": disagreement(resized(batch.regions, options.size), found)}
