"""Editing: residuals of a picture once, then a pass of the generator for each edit of it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceedit_bench.api import EditBatch, LoadContext, WrongWeights

from ..e4e.editor import E4E, amounts_of, inverter, parts, resized, seen
from . import Options
from .memory import Inverted, Memory, has_numbers
from .streams import Refinement, Stream, sha256

REMEMBERED = 256 * 2**20  # bytes of codes and residuals


class GradStyle:
    """An editor (faceedit_bench.api.Editor) around e4e's and the modules that refine its generator."""

    def __init__(self, base: E4E, refinement: Refinement, remembered: int = REMEMBERED) -> None:
        self.base, self.refinement = base, refinement
        self.generator = base.inversion.stylegan2.generator
        self.memory = Memory(remembered)

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, S, S). A picture of which nothing is asked is reconstructed by the stream that does that."""
        is_asked = asked(batch)
        if not bool(is_asked.any()):
            return fitted(self.reconstruction(batch.images), batch)
        source = self.inverted(batch.images)
        codes = self.base.moved(source.codes, batch)
        edited = self.refinement(self.generator, codes, source.residuals)
        if not bool(is_asked.all()):
            edited = torch.where(is_asked[:, None, None, None], edited, self.reconstruction(batch.images))
        return fitted(edited, batch)

    def explain(self, batch: EditBatch) -> dict[str, Tensor]:
        """Of every refined block the gate and how much was added, (B, 1, H, W), means over channels.

        Gates are in [0, 1]; what was added is shown as a share of each picture's largest.
        """
        shown = {}
        for place, refined in zip(self.refinement.places, self.stream(batch).refined, strict=True):
            shown[f"gate-block{place.block}"] = enlarged(refined.gate.mean(1, keepdim=True), batch)
            added = refined.added.abs().mean(1, keepdim=True)
            largest = added.amax((2, 3), keepdim=True).clamp_min(torch.finfo(added.dtype).tiny)
            shown[f"residual-block{place.block}"] = enlarged(added / largest, batch)
        return shown

    def forget(self) -> None:
        """Compute everything anew for the next picture."""
        self.memory.clear()

    # ---- both streams -----------------------------------------------------------------------------

    def stream(self, batch: EditBatch) -> Stream:
        """The editing stream, or where nothing is asked the reconstruction."""
        source = self.inverted(batch.images)
        if not bool(asked(batch).any()):
            return self.refinement.reconstruct_again(self.generator, source.codes, source.residuals)
        return self.refinement.edit(self.generator, self.base.moved(source.codes, batch), source.residuals)

    def inverted(self, images: Tensor) -> Inverted:
        """Codes and residuals of (B, 3, S, S), remembered. The generator runs as far as the last place."""
        pictures = seen(images, self.base.inversion.encoder.sizes.side)
        return self.memory.find_or(pictures, lambda: self._invert(pictures, is_partial=True)[0])

    def reconstruction(self, images: Tensor) -> Tensor:
        """X_r (B, 3, size, size), not clamped: one pass of the generator, residuals known or not."""
        pictures = seen(images, self.base.inversion.encoder.sizes.side)
        known = self.memory.find(pictures)
        if known is not None:
            return self.refinement.reconstruct_again(self.generator, known.codes, known.residuals).picture
        found, stream = self._invert(pictures, is_partial=False)
        self.memory.keep(pictures, found)
        return stream.picture

    def _invert(self, pictures: Tensor, *, is_partial: bool) -> tuple[Inverted, Stream]:
        inversion = self.base.inversion
        pyramid = inversion.encoder.features(pictures)
        codes = inversion.encoder.codes(pyramid) + inversion.stylegan2.latent_avg
        encoded = self.refinement.encoded(pyramid)
        stream = self.refinement.reconstruct(self.generator, codes, encoded, is_partial=is_partial)
        return Inverted(codes, stream.residuals), stream


def asked(batch: EditBatch) -> Tensor:
    """(B,) bool: whether anything of a picture changes."""
    return amounts_of(batch).ne(0).any(1)


def fitted(pictures: Tensor, batch: EditBatch) -> Tensor:
    """Of the size and range of the batch, as e4e does it."""
    return resized(pictures.clamp(-1, 1), batch.images.shape[-1]).clamp(-1, 1)


def enlarged(maps: Tensor, batch: EditBatch) -> Tensor:
    """(B, 1, h, w) -> (B, 1, H, W), in [0, 1]."""
    return F.interpolate(maps, size=batch.images.shape[2:], mode="bilinear", align_corners=False).clamp(0, 1)


# ---- weights --------------------------------------------------------------------------------------


def editor(options: Options, context: LoadContext) -> GradStyle:
    """The editor with checked weights, on the base they were trained on."""
    own = context.restore(nn.ModuleDict({"gradstyle": Refinement(options)}))
    base = restored_base(options, context)
    refinement = own.get_submodule("gradstyle")
    assert isinstance(refinement, Refinement)
    check_base(refinement, base)
    return GradStyle(inverter(options, base, "gradstyle"), refinement)


def restored_base(options: Options, context: LoadContext) -> nn.Module:
    """Generator, encoder and directions, from the file that the options name or the shipped one."""
    networks = nn.ModuleDict(parts(options))
    if options.base:
        return context.restore(networks, Path(options.base))
    try:
        return context.restore(networks, 1)
    except IndexError:
        raise WrongWeights(
            "gradstyle stands on the generator and encoder of e4e, and they are not shipped for these "
            "weights; name the weights file of e4e they were trained on with the option base=FILE.safetensors"
        ) from None


def check_base(refinement: Refinement, base: nn.Module) -> None:
    """Residuals mean nothing to another generator or encoder."""
    for name, network in (("generator", "stylegan2"), ("encoder", "encoder")):
        wanted = getattr(refinement, f"{name}_sha256").cpu()
        if not has_numbers(wanted) or not wanted.any():
            continue
        found = sha256(base.get_submodule(network))
        if not torch.equal(wanted, found):
            raise WrongWeights(
                f"gradstyle's weights were trained on another {name}: wanted sha256 {digits(wanted)}…, "
                f"found {digits(found)}…; name the weights file of e4e they were trained on with the option "
                "base=FILE.safetensors"
            )


def digits(digest: Tensor) -> str:
    """The first twelve."""
    return bytes(digest.tolist()).hex()[:12]
