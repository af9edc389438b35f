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
from torch.nn.functional import l1_loss
from torch.utils.checkpoint import checkpoint

from faceedit_bench.api import THIRTEEN, EditBatch
from faceedit_bench.train import Phase, Recipe, Schedule, TrainBatch

from ..labels.codes import difference
from ..labels.targets import targets
from ..unet.objective import Terms, critic_terms, editor_terms
from ..unet.pictures import shrink
from . import Options
from .model import global_critic, global_generator, local_critic, local_generator
from .pipeline import CooGAN, cut, enlarge, stitch

Networks = Mapping[str, nn.Module]


def stages(options: Options) -> tuple[Recipe, ...]:
    """Stage 1 trains `global` on snapshots; stage 2 trains `local` with `global` frozen."""
    shared = {
        "targets": targets(options.targets, THIRTEEN),
        "rate": Schedule(options.decay, options.decay_at),
        "steps": options.steps,
    }
    first = Recipe(
        name="global",
        networks={"global": global_generator(options), "critic": global_critic(options)},
        phases=_phases(options, "global", global_critic_step, global_editor_step),
        exported=("global",),
        preview=partial(preview_global, options=options),
        batch_size=options.batch_size,
        **shared,
    )
    second = Recipe(
        name="local",
        networks={
            "global": global_generator(options),  # frozen: stage 1 has trained it
            "local": local_generator(options),
            "critic": local_critic(options),
        },
        phases=_phases(options, "local", local_critic_step, local_editor_step),
        exported=("local",),
        given=("global",),
        preview=partial(preview_local, options=options),
        batch_size=options.local_batch_size,
        **shared,
    )
    return first, second


def _phases(options: Options, editor: str, critic_step, editor_step) -> tuple[Phase, Phase]:
    rates = {"lr": options.lr, "betas": (options.beta1, options.beta2)}
    return (
        Phase("critic", "critic", partial(critic_step, options=options), **rates),
        Phase("editor", editor, partial(editor_step, options=options), every=options.critic_steps, **rates),
    )


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


# ---- stage 2: the picture, patch by patch ---------------------------------------------------------


def local_critic_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    picture = shrink(batch.images, options.local_size, options.down_mode)
    with torch.no_grad():
        guide = guides(networks["global"], picture, batch.change, options)
        real, guide = view([picture, guide], batch.generator, options)
        fake = render(networks["local"], real, guide, batch.change, options)
    return critic_terms(networks["critic"], real, fake, batch, options)


def local_editor_step(networks: Networks, batch: TrainBatch, options: Options) -> Terms:
    picture = shrink(batch.images, options.local_size, options.down_mode)
    asked = torch.cat([batch.change, torch.zeros_like(batch.change)])
    guide = guides(networks["global"], picture, asked, options)
    real, guide = view([picture, guide], batch.generator, options)
    fake, rebuilt = render(networks["local"], real.repeat(2, 1, 1, 1), guide, asked, options).chunk(2)
    terms = editor_terms(networks["critic"], fake, rebuilt, real, batch, options)
    if options.consistency:
        small = [
            shrink(images.float(), options.snapshot, options.down_mode)
            for images in (fake, guide[: len(fake)])
        ]
        terms["consistency"] = options.consistency * l1_loss(*small)
    return terms


@torch.no_grad()
def guides(editor: nn.Module, picture: Tensor, asked: Tensor, options: Options) -> Tensor:
    """(B, 3, S, S) and k·B differences -> (k·B, 3, S, S): snapshots edited by the frozen editor, enlarged."""
    snapshot = shrink(picture, options.snapshot, options.down_mode)
    if options.guide == "edited":
        small = editor.eval()(snapshot, asked).float()
    else:
        small = snapshot.repeat(len(asked) // len(picture), 1, 1, 1)
    return enlarge(small, options.local_size, options.up_mode)


def view(pictures: list[Tensor], generator: torch.Generator, options: Options) -> list[Tensor]:
    """What the local critic looks at: the pictures, or the same 2×2 patches of each, drawn by lot."""
    if options.local_view == "stitched":
        return pictures
    across = options.local_size // options.patch
    row, column = (options.patch * i for i in torch.randint(across - 1, (2,), generator=generator).tolist())
    side = 2 * options.patch
    return [picture[:, :, row : row + side, column : column + side] for picture in pictures]


def render(editor: nn.Module, pictures: Tensor, guide: Tensor, asked: Tensor, options: Options) -> Tensor:
    """(B, 3, N·P, N·P): all patches of all pictures under one set of batch statistics, stitched.

    With `checkpointing` row by row, each row under its own statistics.
    """
    pairs = torch.cat([pictures, guide], dim=1)  # (B, 6, N·P, N·P)
    if not options.checkpointing:
        patches = cut(pairs, options.patch)
        return stitch(editor(patches, asked.repeat_interleave(len(patches) // len(pairs), 0)), len(pairs))
    rows = []
    for row in pairs.split(options.patch, dim=2):  # (B, 6, P, N·P)
        patches = cut(row, options.patch)
        wanted = asked.repeat_interleave(len(patches) // len(pairs), 0)
        rows.append(stitch(checkpoint(editor, patches, wanted, use_reentrant=False), len(pairs), rows=1))
    return torch.cat(rows, dim=2)


def preview_local(networks: Networks, batch: EditBatch, options: Options) -> Tensor:
    """Edited pictures (B, 3, H, W) of the whole pipeline, for sample sheets."""
    return CooGAN(networks, options, str(batch.images.device)).edit(batch)
