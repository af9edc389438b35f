"""The stages of a training: the small parser first, where it is used; then one GAN, or two side by side."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from faceedit_bench.api import EditBatch
from faceedit_bench.train import Phase, Recipe, Schedule

from ..labels.codes import difference
from ..labels.targets import targets
from ..unet.pictures import shrink
from . import Options
from .backbones import backbone
from .losses import (
    Networks,
    critic_step,
    editor_step,
    parallel_critic_step,
    parallel_editor_step,
    parser_step,
    told,
)
from .parser import BISENET, BiSeNetParser, UNetParser
from .segments import SEGMENTS


def stages(options: Options) -> tuple[Recipe, ...]:
    main = stage(options)
    if options.branch == "none" or options.parser == "bisenet":
        return (main,)
    return parser_stage(options), main


def parser(options: Options) -> nn.Module:
    """(B, 3, H, W) -> log-probabilities (B, 12, H, W)."""
    if options.parser == "unet":
        return UNetParser(options.parser_width)
    return BiSeNetParser(options.parser_size)


def parser_stage(options: Options) -> Recipe:
    """Trains the U-Net parser on data that knows the segments."""
    step = partial(parser_step, options=options)
    return Recipe(
        name="parser",
        networks={"parser": parser(options)},
        phases=(Phase("parser", "parser", step, lr=options.parser_lr, betas=(0.9, 0.999)),),
        exported=("parser",),
        rate=Schedule("linear", 0.5),
        steps=1000,
        batch_size=options.batch_size,
        regions="needed",
        is_interim=True,
    )


def stage(options: Options) -> Recipe:
    """Generators and critics; every `critic_steps`-th step the generators learn."""
    rates = {"lr": options.lr, "betas": (options.beta1, options.beta2)}
    is_parallel, is_concat = options.branch == "semantic", options.branch == "concat"
    critics = ("critic", "semantic_critic") if is_parallel else ("critic",)
    editors = ("editor", "semantic_editor") if is_parallel else ("editor",)
    criticise = partial(parallel_critic_step if is_parallel else critic_step, options=options)
    edit = partial(parallel_editor_step if is_parallel else editor_step, options=options)
    is_fresh = options.editor_batch == "fresh"
    return Recipe(
        name="editor",
        networks=networks(options),
        phases=(
            Phase("critic", critics, criticise, **rates),
            Phase("editor", editors, edit, every=options.critic_steps, fresh=is_fresh, **rates),
        ),
        exported=("editor", "parser") if is_concat else ("editor",),
        explaining=("parser", "semantic_editor") if is_parallel else (),
        targets=targets(options.targets, options.attributes),
        preview=partial(preview, options=options),
        rate=Schedule(options.decay, options.decay_at),
        steps=options.steps,
        batch_size=options.batch_size,
        regions="welcome" if is_parallel else "unused",
        given=() if options.branch == "none" else ("parser",),
        judges={"parser": BISENET} if options.branch != "none" and options.parser == "bisenet" else {},
    )


def networks(options: Options) -> dict[str, nn.Module]:
    made = backbone(options)
    found = {"editor": generator(options), "critic": made.critic(options)}
    if options.branch == "semantic":
        found["semantic_editor"] = segment_generator(options)
        found["semantic_critic"] = made.critic(options, channels=len(SEGMENTS))
    if options.branch != "none":
        found["parser"] = parser(options)
    return found


def generator(options: Options) -> nn.Module:
    """The one that edits: (B, 3, H, W), with Concat (B, 3 + 12, H, W), and (B, A) -> (B, 3, H, W)."""
    channels = 3 + (len(SEGMENTS) if options.branch == "concat" else 0)
    return backbone(options).generator(options, channels=channels)


def segment_generator(options: Options) -> nn.Module:
    """The one that edits segments: (B, 12, H, W) one-hot and (B, A) -> logits (B, 12, H, W)."""
    count = len(SEGMENTS)
    return backbone(options).generator(options, channels=count, outputs=count, logits=True)


def preview(networks: Networks, batch: EditBatch, options: Options) -> Tensor:
    """Edits at training size, for sample sheets."""
    seen = told(networks, shrink(batch.images, options.size), options)
    return networks["editor"](seen, difference(batch, strength=1.0))
