"""Editing with StarGAN: one pass over the picture, told every target label."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceedit_bench.api import HAIR_COLOURS, EditBatch, LoadContext

from ..unet.pictures import pad_to_multiple
from . import Options
from .model import Generator


class StarGAN:
    """An editor (faceedit_bench.api.Editor) around a generator."""

    def __init__(self, generator: nn.Module, options: Options) -> None:
        self.generator, self.options = generator, options

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W). Sides that are no multiple of 4 are padded by repeating the border, and cropped."""
        height, width = batch.images.shape[2:]
        edited = self.generator(pad_to_multiple(batch.images, 4), self.labels(batch))
        return edited[:, :, :height, :width]

    def labels(self, batch: EditBatch) -> Tensor:
        """(B, A) in [0, 1]: absolute targets; `batch.strength` leads from the source's labels to them."""
        target = batch.target
        if self.options.label_rule == "stargan":
            target = set_colours(target, batch.edited, batch.attributes)
        return torch.where(
            batch.edited, batch.source + batch.strength[:, None] * (target - batch.source), target
        )


def set_colours(target: Tensor, edited: Tensor, attributes: tuple[str, ...]) -> Tensor:
    """The released code's rule: an edited hair colour becomes 1 and all others 0, even if it was 1 before."""
    colours = [column for column, name in enumerate(attributes) if name in HAIR_COLOURS]
    target = target.clone()
    for column in colours:
        rows = edited[:, column].nonzero().flatten()
        target[rows[:, None], torch.tensor(colours, device=rows.device)] = 0.0
        target[rows, column] = 1.0
    return target


def editor(options: Options, context: LoadContext) -> StarGAN:
    """The editor with checked weights, keys `editor.*`."""
    networks = context.restore(nn.ModuleDict({"editor": Generator(options)}))
    return StarGAN(networks.get_submodule("editor"), options)
