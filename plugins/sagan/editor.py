"""Editing with a set of SaGAN models: those that are asked, one after the other."""

from __future__ import annotations

import json

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from faceedit_bench.api import EditBatch, LoadContext, WrongWeights

from ..unet.pictures import pad_to_multiple
from . import Options
from .model import Generator, blend

NARROWEST = 16  # pixels: three halvings leave 2×2, of which instance norm can take statistics


class SaGAN:
    """An editor (faceedit_bench.api.Editor) around a model per attribute."""

    def __init__(self, models: nn.ModuleDict, options: Options) -> None:
        self.models, self.options = models, options

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W). A picture of which nothing is asked comes back as it is."""
        return self.edit_and_masks(batch)[0]

    def explain(self, batch: EditBatch) -> dict[str, Tensor]:
        """The attention mask b of every attribute that is asked, (B, 1, H, W) in [0, 1]."""
        return {f"attention-{name}": mask for name, mask in self.edit_and_masks(batch)[1].items()}

    def edit_and_masks(self, batch: EditBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """What was edited, and by attribute the mask, 0 on pictures of which it is not asked.

        `batch.strength` s gives I + s · b · (I_a − I). What the conflict rule clears has no model run for
        it: a model that has learned to make hair black has learned that it is not blond.
        """
        images, masks = batch.images, {}
        for column, name in enumerate(batch.attributes):
            rows = batch.edited[:, column].nonzero().flatten()
            if len(rows) == 0:
                continue
            asked, strength = batch.target[rows, column, None], batch.strength[rows, None, None, None]
            raw, mask = raw_and_mask(self.models[name], images[rows], asked, self.options.size)
            images = images.index_copy(0, rows, blend(images[rows], raw, strength * mask).clamp(-1, 1))
            masks[name] = torch.zeros_like(images[:, :1]).index_copy(0, rows, mask)
        return images, masks


def raw_and_mask(model: nn.Module, images: Tensor, target: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """I_a (B, 3, H, W) and b (B, 1, H, W), seen at a shorter side of `size` pixels and enlarged.

    The networks know faces of one size. Blending happens at the pictures' own, so that what the mask leaves
    alone loses no detail.
    """
    height, width = images.shape[2:]
    scale = size / min(height, width)
    inner = max(NARROWEST, round(height * scale)), max(NARROWEST, round(width * scale))
    made = model(pad_to_multiple(resized(images, inner), 8), target)
    raw, mask = (part[:, :, : inner[0], : inner[1]] for part in (made.raw, made.mask))
    return resized(raw, (height, width)), resized(mask, (height, width))


def resized(pictures: Tensor, side: tuple[int, int]) -> Tensor:
    """Anti-aliased bilinear, which leaves no range; the same picture at its own size."""
    if pictures.shape[2:] == side:
        return pictures
    return interpolate(pictures, side, mode="bilinear", antialias=True)


# ---- weights --------------------------------------------------------------------------------------


def editor(options: Options, context: LoadContext) -> SaGAN:
    """The editor with checked weights. Of a file that holds more models than are wanted, those wanted."""
    try:
        return SaGAN(restored(options.attributes, options, context), options)
    except WrongWeights:
        there = attributes_in(context)
        if not there or set(there) == set(options.attributes):
            raise
    unknown = [name for name in options.attributes if name not in there]
    if unknown:
        raise WrongWeights(
            f"{context.file()}: holds models of {', '.join(there)}, none of {', '.join(unknown)}. "
            f"Train those, or ask only for what is there, with the option attributes={json.dumps(there)}"
        )
    models = restored(there, options, context)
    return SaGAN(nn.ModuleDict({name: models[name] for name in options.attributes}), options)


def restored(attributes: tuple[str, ...], options: Options, context: LoadContext) -> nn.ModuleDict:
    models = context.restore(nn.ModuleDict({name: Generator(options) for name in attributes}))
    assert isinstance(models, nn.ModuleDict)
    return models


def attributes_in(context: LoadContext) -> tuple[str, ...]:
    """The attributes of which the weights file holds models, as its keys `<attribute>.amn.…` tell."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(context.file(), framework="pt") as file:
            keys = list(file.keys())
    except SafetensorError:
        return ()
    names = [key.partition(".")[0] for key in keys if key.split(".")[1:2] in (["amn"], ["san"])]
    return tuple(dict.fromkeys(names))
