"""Editing with e4e: encode, move along directions, generate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceedit_bench.api import BadConfig, BadImage, EditBatch, LoadContext, WrongWeights

from ..stylegan2.generator import StyleGAN2
from . import InversionOptions, Options
from .directions import Linear, Move, moves
from .encoder import Encoder
from .learned import Learned


class Inversion:
    """Encoder and generator: pictures to codes and back. GradStyle stands on this too."""

    def __init__(self, encoder: nn.Module, stylegan2: nn.Module) -> None:
        codes, wanted = encoder.sizes.n_latent, stylegan2.generator.sizes
        if (codes, encoder.sizes.w_dim) != (wanted.n_latent, wanted.w_dim):
            raise BadConfig(
                f"encoder and generator of different resolutions: the encoder gives {codes} codes of "
                f"{encoder.sizes.w_dim}, the generator of {wanted.size} px wants {wanted.n_latent} of "
                f"{wanted.w_dim}"
            )
        self.encoder, self.stylegan2 = encoder, stylegan2

    def codes(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> W+ (B, n_latent, w_dim)."""
        return self.encoder(seen(images, self.encoder.sizes.side)) + self.stylegan2.latent_avg

    def picture(self, codes: Tensor) -> Tensor:
        """W+ -> (B, 3, size, size), clamped."""
        return self.stylegan2(codes).clamp(-1, 1)


def seen(images: Tensor, side: int) -> Tensor:
    """(B, 3, S, S) -> (B, 3, side, side), bilinear with antialiasing as PIL's."""
    height, width = images.shape[2:]
    if height != width:
        raise BadImage(f"inversion wants square aligned faces, found {width}×{height} px; crop them first")
    return resized(images, side)


def resized(images: Tensor, side: int) -> Tensor:
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


class E4E:
    """An editor (faceedit_bench.api.Editor) around an inversion and a move for each attribute."""

    def __init__(self, inversion: Inversion, moves: Mapping[str, Move], method: str = "e4e") -> None:
        self.inversion, self.moves, self.method = inversion, moves, method

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, S, S); the generator's picture brought to the size of the source."""
        codes = self.moved(self.inversion.codes(batch.images), batch)
        return resized(self.inversion.picture(codes), batch.images.shape[-1]).clamp(-1, 1)

    def explain(self, batch: EditBatch) -> dict[str, Tensor]:
        """What the encoder found of each face, (B, 3, S, S) in [0, 1]: the generator's picture, unedited."""
        found = self.inversion.picture(self.inversion.codes(batch.images))
        return {"inversion": (resized(found, batch.images.shape[-1]).clamp(-1, 1) + 1) / 2}

    def moved(self, codes: Tensor, batch: EditBatch) -> Tensor:
        """W+ after every change that is asked, one attribute after the other."""
        amounts = amounts_of(batch)
        for column, name in enumerate(batch.attributes):
            if not bool(amounts[:, column].any()):
                continue
            if name not in self.moves:
                raise WrongWeights(
                    f"{self.method} has no direction for {name}; it has {', '.join(self.moves) or 'none'}. "
                    "Name a file of directions with the option directions=FILE.toml (plugins/e4e/README.md)"
                )
            codes = self.moves[name](codes, amounts[:, column])
        return codes


def amounts_of(batch: EditBatch) -> Tensor:
    """(B, A): how far each attribute moves. What the conflict rule adds is not scaled by the strength."""
    return torch.where(batch.edited, batch.strength[:, None] * batch.change, batch.change)


class GeneratorAlone:
    """What a weights file without an encoder loads to: it fits, and cannot edit."""

    def edit(self, batch: EditBatch) -> Tensor:
        raise WrongWeights(
            "these weights are a generator alone, and an encoder is needed to edit; train one with "
            "`faceedit-bench train --method e4e --stage encoder --weights-from FILE`"
        )


def editor(options: Options, context: LoadContext) -> E4E | GeneratorAlone:
    """The editor with checked weights."""
    if options.holds == "generator":
        context.restore(nn.ModuleDict({"stylegan2": StyleGAN2(options.generator_sizes)}))
        return GeneratorAlone()
    return inverter(options, context.restore(nn.ModuleDict(parts(options))), "e4e")


def parts(options: InversionOptions) -> dict[str, nn.Module]:
    """The networks of a weights file."""
    made: dict[str, nn.Module] = {
        "stylegan2": StyleGAN2(options.generator_sizes),
        "encoder": Encoder(options.encoder_sizes),
    }
    if options.learned:
        made["directions"] = Learned(len(options.learned), options.w_dim)
    return made


def inverter(options: InversionOptions, networks: nn.Module, method: str) -> E4E:
    """Inversion and directions of networks that have their weights; `method` is what messages call it."""
    inversion = Inversion(networks.get_submodule("encoder"), networks.get_submodule("stylegan2"))
    return E4E(inversion, all_moves(options, networks), method)


def all_moves(options: InversionOptions, networks: nn.Module) -> dict[str, Move]:
    """The weights' own directions, under those of the user's file."""
    sizes, found = options.generator_sizes, dict[str, Move]()
    if options.learned:
        directions = networks.get_submodule("directions").directions()  # (A, w_dim)
        for name, direction in zip(options.learned, directions, strict=True):
            found[name] = Linear(direction.expand(sizes.n_latent, -1), 1.0)
    if options.directions:
        path = Path(options.directions)
        found |= moves(path, n_latent=sizes.n_latent, w_dim=sizes.w_dim, step=options.step)
    lacking = [name for name in options.offered if name not in found]
    if lacking:
        raise BadConfig(
            f"offered names {', '.join(lacking)}; there are directions for {', '.join(found) or 'none'}"
        )
    return found
