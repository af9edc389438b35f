"""What SaGAN's critic and generator minimise, one attribute at a time.

With I the picture, c_g its label, c = 1 − c_g, Î = G(I, c):

    critic     mean D(Î) − mean D(I) + 10 · GP(I, Î) + BCE(C(I), c_g)
    generator  −mean D(Î) + BCE(C(Î), c) + 20 · mean |I − G(Î, c_g)| + 100 · mean |I − G(I, c_g)|

The mean of D is over batch and 2×2 map, the penalty's gradient that of the map's sum. Nothing asks the mask
to be sparse: the last term pushes it to zero where nothing has to change. The generator learns after every
third critic step, from a batch of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import l1_loss

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

from ..unet.pictures import shrink
from . import Options
from .model import Critic, Generator

Networks = Mapping[str, nn.Module]
Terms = dict[str, Tensor]


def stage(attribute: str, options: Options) -> Recipe:
    """The training of one model; its network has the attribute's name."""
    rates = {"lr": options.lr, "betas": (options.beta1, options.beta2)}
    told = {"attribute": attribute, "options": options}
    return Recipe(
        name=attribute,
        networks={attribute: Generator(options), "critic": Critic(options)},
        phases=(
            Phase("critic", "critic", partial(critic_step, **told), **rates),
            Phase("generator", attribute, partial(generator_step, **told), options.critic_steps, **rates),
        ),
        exported=(attribute,),
        targets=opposite,
        balanced=options.attributes.index(attribute) if options.balanced else None,
        preview=partial(preview, **told),
        rate=Schedule(options.decay),
        steps=options.steps,
        batch_size=options.batch_size,
    )


def opposite(labels: Tensor, generator: torch.Generator) -> Tensor:
    """c = 1 − c_g for every sample."""
    return 1 - labels


def critic_step(networks: Networks, batch: TrainBatch, attribute: str, options: Options) -> Terms:
    critic, real = networks["critic"], shrink(batch.images, options.size)
    own, asked = labels(batch, attribute, options)
    with torch.no_grad():
        fake = networks[attribute](real, asked).image
    scores, logits = critic(torch.cat([real, fake]))
    with torch.autocast(real.device.type, enabled=False):  # second derivatives want float32
        penalty = gradient_penalty(lambda images: critic(images)[0], real, fake, batch.generator)
    return {
        "wasserstein": critic_loss(*scores.chunk(2)),
        "penalty": options.penalty * penalty,
        "attribute": options.attributes_weight * cross_entropy(logits[: len(real)].float(), own),
    }


def generator_step(networks: Networks, batch: TrainBatch, attribute: str, options: Options) -> Terms:
    generator, real = networks[attribute], shrink(batch.images, options.size)
    own, asked = labels(batch, attribute, options)
    edit = generator(real, asked)
    back = generator(edit.image, own).image
    same = generator(real, own, edit.mask).image
    scores, logits = networks["critic"](edit.image)
    return {
        "adversarial": editor_loss(scores),
        "attribute": options.attributes_weight * cross_entropy(logits.float(), asked),
        "dual": options.dual * l1_loss(back, real),
        "identity": options.identity * l1_loss(same, real),
    }


def labels(batch: TrainBatch, attribute: str, options: Options) -> tuple[Tensor, Tensor]:
    """c_g and c of one attribute, (B, 1) each."""
    column = options.attributes.index(attribute)
    return batch.source[:, column, None], batch.target[:, column, None]


def preview(networks: Networks, batch: EditBatch, attribute: str, options: Options) -> Tensor:
    """Edits at training size, for sample sheets; where another attribute is asked, G(I, c_g)."""
    column = batch.attributes.index(attribute)
    asked = torch.where(batch.edited, batch.target, batch.source)[:, column, None]
    return networks[attribute](shrink(batch.images, options.size), asked).image
