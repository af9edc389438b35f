"""Editing a picture of any size: snapshot, global edit, patches, local edit, stitch (section 3.1).

The paper treats squares of 768 pixels only. Other sizes are padded at the right and at the bottom to a square
of whole patches and cropped afterwards: patches never overlap, exact multiples stay untouched, and the
snapshot is not distorted. Nothing is blended or smoothed at seams.

Memory: pictures of full size (given, guide, result) stay on the host unless `keep_on_device`; the device
holds the networks and one snapshot or one group of patches, whatever the size of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from faceedit_bench.api import EditBatch

from ..labels.codes import difference
from ..unet.pictures import shrink
from . import Options


class CooGAN:
    """An editor (faceedit_bench.api.Editor) around {"global": network, "local": network}."""

    def __init__(self, networks: Mapping[str, nn.Module], options: Options, device: str) -> None:
        self.snapshot_editor, self.patch_editor = networks["global"], networks["local"]
        self.options, self.device = options, torch.device(device)
        self.home = self.device if options.keep_on_device else torch.device("cpu")  # of pictures of full size

    @torch.no_grad()
    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W): picture by picture, so that no picture depends on its company."""
        asked = difference(batch, self.options.strength)
        pictures = [
            self.edit_picture(*one) for one in zip(batch.images.split(1), asked.split(1), strict=True)
        ]
        return torch.cat(pictures) if len(pictures) > 1 else pictures[0]

    def edit_picture(self, picture: Tensor, asked: Tensor) -> Tensor:
        """One picture (1, 3, H, W) under a difference (1, A)."""
        height, width = picture.shape[2:]
        home, asked = picture.to(self.home), asked.to(self.device)
        canvas = pad_to_patches(home, self.options.patch, self.options.pad_mode)  # (1, 3, S, S)
        result = self.render(canvas, self.guide(canvas, asked), asked).clamp_(-1, 1)
        return result[:, :, :height, :width].to(picture.device)

    def guide(self, canvas: Tensor, asked: Tensor) -> Tensor:
        """The edited snapshot at the size of the canvas: tells the local generator what belongs where."""
        snapshot = shrink(canvas, self.options.snapshot, self.options.down_mode)
        if self.options.guide == "edited":
            snapshot = self.snapshot_editor(snapshot.to(self.device), asked).to(canvas.device)
        return enlarge(snapshot, canvas.shape[-1], self.options.up_mode)

    def render(self, canvas: Tensor, guide: Tensor, asked: Tensor) -> Tensor:
        """The local generator, a few patches at a time, row by row; each is written into its own place."""
        result, at_once = torch.empty_like(canvas), self.options.patch_batch
        pictures, guides, places = (patches(one, self.options.patch) for one in (canvas, guide, result))
        for start in range(0, len(places), at_once):
            group = slice(start, start + at_once)
            self.render_group(places[group], pictures[group], guides[group], asked)
        return result

    def render_group(
        self, places: Sequence[Tensor], pictures: Sequence[Tensor], guides: Sequence[Tensor], asked: Tensor
    ) -> None:
        """Fill the places (1, 3, P, P) of one call. Nothing of it stays on the device for the next."""
        pairs = torch.cat([torch.cat(pair, dim=1) for pair in zip(pictures, guides, strict=True)])
        pairs = pairs.to(self.device)  # (patches, 6, P, P)
        rendered = self.patch_editor(pairs, asked.expand(len(places), -1))
        for place, patch in zip(places, rendered.split(1), strict=True):
            place.copy_(patch)


def pad_to_patches(picture: Tensor, patch: int, mode: str) -> Tensor:
    """(B, C, H, W) -> (B, C, S, S), S the smallest multiple of `patch` that holds both."""
    height, width = picture.shape[2:]
    side = patch * -(-max(height, width) // patch)
    if (height, width) == (side, side):
        return picture
    return pad(picture, (0, side - width, 0, side - height), mode=mode)


def enlarge(images: Tensor, side: int, mode: str) -> Tensor:
    """(B, C, s, s) -> (B, C, side, side), pixel centres at halves."""
    if mode == "nearest":
        return interpolate(images, (side, side), mode="nearest-exact")
    return interpolate(images, (side, side), mode=mode, align_corners=False)


def patches(picture: Tensor, side: int) -> list[Tensor]:
    """(1, C, S, S) -> its patches (1, C, side, side), row by row; they show the picture's own memory."""
    return [patch for row in picture.split(side, dim=2) for patch in row.split(side, dim=3)]


def cut(images: Tensor, patch: int) -> Tensor:
    """(B, C, M·P, N·P) -> (B·M·N, C, P, P): picture by picture, row by row."""
    grid = images.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))  # (B, C, M, P, N, P)
    return grid.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)


def stitch(patches: Tensor, pictures: int, rows: int | None = None) -> Tensor:
    """(B·M·N, C, P, P) -> (B, C, M·P, N·P), M `rows` of patches or a square: the inverse of `cut`."""
    rows = isqrt(len(patches) // pictures) if rows is None else rows
    grid = patches.unflatten(0, (pictures, rows, -1))  # (B, M, N, C, P, P)
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
