"""The one training stage of AttGAN, STGAN and LSTU-Net; CooGAN has two of its own.

A critic step sees a fresh batch and a fresh edit; every `critic_steps`-th step the editor learns, from a
batch of its own. Edit and reconstruction run as one batch: the encoder sees the same pictures in both
anyway, and the mixture is nearer to the running statistics that editing uses. The released code runs two
passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from faceedit_bench.api import EditBatch
from faceedit_bench.train import Phase, Recipe, Schedule, TrainBatch

from ..labels.targets import targets
from .critic import Critic
from .objective import Terms, critic_terms, editor_terms
from .options import FamilyOptions
from .pictures import shrink

Networks = Mapping[str, nn.Module]
Condition = Callable[[Tensor, Tensor], Tensor]  # source and target labels (B, A) -> what the editor is told


def critic(options: FamilyOptions) -> Critic:
    """The discriminator for pictures of `options.size` pixels."""
    return Critic(
        width=options.critic_width,
        layers=options.critic_layers,
        fc=options.critic_fc,
        size=options.size,
        attributes=len(options.attributes),
    )


def stage(
    options: FamilyOptions,
    editor: nn.Module,
    told: Condition,
    preview: Callable[[EditBatch], Tensor],
) -> Recipe:
    """`told` is the condition in training, `preview` the one of editing, for sample sheets."""
    rates = {"lr": options.lr, "betas": (options.beta1, options.beta2)}
    critic_loss = partial(critic_step, told=told, options=options)
    editor_loss = partial(editor_step, told=told, options=options)
    return Recipe(
        name="editor",
        networks={"editor": editor, "critic": critic(options)},
        phases=(
            Phase("critic", "critic", critic_loss, **rates),
            Phase("editor", "editor", editor_loss, every=options.critic_steps, **rates),
        ),
        exported=("editor",),
        targets=targets(options.targets, options.attributes),
        preview=partial(_preview, told=preview, options=options),
        steps=options.steps,
        batch_size=options.batch_size,
        rate=Schedule(options.decay, options.decay_at),
    )


def critic_step(networks: Networks, batch: TrainBatch, told: Condition, options: FamilyOptions) -> Terms:
    real = shrink(batch.images, options.size)
    with torch.no_grad():
        fake = networks["editor"](real, told(batch.source, batch.target))
    return critic_terms(networks["critic"], real, fake, batch, options)


def editor_step(networks: Networks, batch: TrainBatch, told: Condition, options: FamilyOptions) -> Terms:
    real = shrink(batch.images, options.size)
    condition = torch.cat([told(batch.source, batch.target), told(batch.source, batch.source)])
    fake, rebuilt = networks["editor"](real, condition).chunk(2)
    return editor_terms(networks["critic"], fake, rebuilt, real, batch, options)


def _preview(
    networks: Networks, batch: EditBatch, told: Callable[[EditBatch], Tensor], options: FamilyOptions
) -> Tensor:
    return networks["editor"](shrink(batch.images, options.size), told(batch))
