"""The two training stages of CooGAN (sections 3.3 and 4.1 of the paper; signs as in the released code).

Either module minimises, with x its picture, y the edit, a and b source and target labels in {0, 1}:

    critic  mean D(y) − mean D(x) + 10 · GP(x, y) + 1 · BCE(C(x), a)
    editor  −mean D(y) + 10 · BCE(C(y), b) + 100 · ‖G(x, 0) − x‖₁

The edit and the reconstruction run as one batch under shared batch-norm statistics: the encoder sees the same
pictures in both anyway, and the mixture is nearer to the running statistics that inference uses. The original
code runs two passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from faceedit_bench.api import EditBatch
from faceedit_bench.train import Phase, Recipe, TrainBatch, critic_loss, editor_loss, gradient_penalty

from . import Options, targets
from .model import global_critic, global_generator
from .pipeline import difference, shrink

Networks = Mapping[str, nn.Module]
Terms = dict[str, Tensor]


def stages(options: Options) -> tuple[Recipe, ...]:
    """Stage 1 trains `global` on snapshots; stage 2 trains `local` with `global` frozen."""
    asked = targets.mixed if options.targets == "mixed" else targets.permuted
    first = Recipe(
        name="global",
        networks={"global": global_generator(options), "critic": global_critic(options)},
        phases=_phases(options, "global", global_critic_step, global_editor_step),
        exported=("global",),
        targets=asked,
        preview=partial(preview_global, options=options),
    )
    return (first,)


def _phases(options: Options, editor: str, critic_step, editor_step) -> tuple[Phase, Phase]:
    rates = {"lr": options.lr, "betas": (options.beta1, options.beta2)}
    return (
        Phase("critic", "critic", partial(critic_step, options=options), **rates),
        Phase("editor", editor, partial(editor_step, options=options), every=options.critic_steps, **rates),
    )


# ---- what both stages minimise --------------------------------------------------------------------


def critic_terms(critic: nn.Module, real: Tensor, fake: Tensor, batch: TrainBatch, options: Options) -> Terms:
    """Losses of a critic on pictures and edits (B, 3, side, side)."""
    scores, logits = critic(torch.cat([real, fake]))
    real_scores, fake_scores = scores.chunk(2)
    return {
        "wasserstein": critic_loss(real_scores, fake_scores),
        "penalty": options.penalty
        * gradient_penalty(lambda images: critic(images)[0], real, fake, batch.generator),
        "attributes": options.critic_attributes * attribute_loss(logits[: len(real)], batch.source),
    }


def editor_terms(
    critic: nn.Module, fake: Tensor, rebuilt: Tensor, real: Tensor, batch: TrainBatch, options: Options
) -> Terms:
    """Losses of an editor on its edit and its reconstruction (B, 3, side, side)."""
    scores, logits = critic(fake)
    return {
        "adversarial": editor_loss(scores),
        "attributes": options.editor_attributes * attribute_loss(logits, batch.target),
        "reconstruction": options.reconstruction * l1_loss(rebuilt.float(), real),
    }


def attribute_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over batch and attributes."""
    return binary_cross_entropy_with_logits(logits.float(), labels)


# ---- stage 1: the snapshot ------------------------------------------------------------------------


def global_critic_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    real = shrink(batch.images, options.snapshot, options.down_mode)
    with torch.no_grad():
        fake = networks["global"](real, batch.change)
    return critic_terms(networks["critic"], real, fake, batch, options)


def global_editor_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    real = shrink(batch.images, options.snapshot, options.down_mode)
    asked = torch.cat([batch.change, torch.zeros_like(batch.change)])
    fake, rebuilt = networks["global"](real, asked).chunk(2)
    return editor_terms(networks["critic"], fake, rebuilt, real, batch, options)


def preview_global(networks: Networks, batch: EditBatch, options: Options) -> Tensor:
    """Edited snapshots (B, 3, snapshot, snapshot), for sample sheets."""
    snapshots = shrink(batch.images, options.snapshot, options.down_mode)
    return networks["global"](snapshots, difference(batch, options.strength))
