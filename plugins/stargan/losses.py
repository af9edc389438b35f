"""What StarGAN's critic and editor minimise (section 3.1 and 3.3 of the paper).

With x the picture, a its labels, b the target labels, y = G(x, b):

    critic  mean D(y) − mean D(x) + 10 · GP(x, y) + 1 · BCE(C(x), a)
    editor  −mean D(y) + 1 · BCE(C(y), b) + 10 · ‖G(y, a) − x‖₁ + identity · ‖G(x, a) − x‖₁

D gives a map of patch scores; its mean is over batch and map, the penalty's gradient is of the map's sum.
BCE is summed over attributes and averaged over the batch, as in the released code; AttGAN and STGAN average
both. The editor learns at every fifth critic step, from the batch of that step. The paper has no identity
term (its weight is 0): with it, a short training learns to return a face.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from faceedit_bench.api import EditBatch
from faceedit_bench.train import (
    Phase,
    Recipe,
    Schedule,
    TrainBatch,
    critic_loss,
    editor_loss,
    gradient_penalty,
)

from ..labels.targets import targets
from ..unet.pictures import shrink
from . import Options
from .editor import StarGAN
from .model import Critic, Generator

Networks = Mapping[str, nn.Module]
Terms = dict[str, Tensor]


def stage(options: Options) -> Recipe:
    rates = {"lr": options.lr, "betas": (options.beta1, options.beta2)}
    critic, editor = partial(critic_step, options=options), partial(editor_step, options=options)
    return Recipe(
        name="editor",
        networks={"editor": Generator(options), "critic": Critic(options)},
        phases=(
            Phase("critic", "critic", critic, **rates),
            Phase("editor", "editor", editor, every=options.critic_steps, fresh=False, **rates),
        ),
        exported=("editor",),
        targets=targets(options.targets, options.attributes),
        preview=partial(preview, options=options),
        rate=Schedule(options.decay, options.decay_at),
        steps=options.steps,
        batch_size=options.batch_size,
    )


def critic_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    critic, real = networks["critic"], shrink(batch.images, options.size)
    with torch.no_grad():
        fake = networks["editor"](real, batch.target).float()
    scores, logits = critic(torch.cat([real, fake]))
    with torch.autocast(real.device.type, enabled=False):  # second derivatives want float32
        penalty = gradient_penalty(lambda images: critic(images)[0], real, fake, batch.generator)
    return {
        "wasserstein": critic_loss(*scores.chunk(2)),
        "penalty": options.penalty * penalty,
        "attributes": options.attributes_weight * attribute_loss(logits[: len(real)], batch.source),
    }


def editor_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    real, network = shrink(batch.images, options.size), networks["editor"]
    fake = network(real, batch.target)
    scores, logits = networks["critic"](fake)
    terms = {
        "adversarial": editor_loss(scores),
        "attributes": options.attributes_weight * attribute_loss(logits, batch.target),
        "cycle": options.cycle * l1_loss(network(fake, batch.source).float(), real),
    }
    if options.identity:
        terms["identity"] = options.identity * l1_loss(network(real, batch.source).float(), real)
    return terms


def attribute_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Summed over attributes, mean over the batch."""
    return binary_cross_entropy_with_logits(logits.float(), labels, reduction="sum") / len(labels)


def preview(networks: Networks, batch: EditBatch, options: Options) -> Tensor:
    """Edits at training size, for sample sheets."""
    labels = StarGAN(networks["editor"], options).labels(batch)
    return networks["editor"](shrink(batch.images, options.size), labels)
