"""Editing: the backbone's generator alone, told the difference. Concat needs the parser here as well."""

from __future__ import annotations

from functools import cached_property, partial

import torch
from torch import Tensor, nn

from faceedit_bench.api import EXPLAINING, EditBatch, FaceEditError, LoadContext

from ..labels.codes import difference
from ..unet.editor import WholePicture
from ..unet.pictures import pad_to_multiple
from . import Options
from .backbones import backbone
from .losses import with_segments
from .segments import as_planes
from .training import generator, parser, segment_generator

difference_vector = partial(difference, strength=1.0)  # target − source, scaled by the edit's strength


COLOURS = (
    (0.93, 0.76, 0.65),  # skin
    (0.55, 0.34, 0.17),  # eyebrows
    (0.20, 0.45, 0.95),  # eyes
    (0.10, 0.10, 0.10),  # eyeglasses
    (0.95, 0.55, 0.35),  # ears
    (1.00, 0.85, 0.10),  # earrings
    (0.65, 0.85, 0.35),  # nose
    (0.60, 0.05, 0.15),  # mouth
    (0.95, 0.30, 0.45),  # lips
    (0.60, 0.45, 0.75),  # neck
    (0.30, 0.60, 0.30),  # hair
    (0.75, 0.75, 0.75),  # others
)
"""Of the twelve segments, red, green and blue in [0, 1], for looking at them."""


class Told(nn.Module):
    """The generator behind the parser, (B, 3, H, W) and (B, A) -> (B, 3, H, W)."""

    def __init__(self, editor: nn.Module, parser: nn.Module) -> None:
        super().__init__()
        self.editor, self.parser = editor, parser

    def forward(self, images: Tensor, change: Tensor) -> Tensor:
        return self.editor(with_segments(images, self.parser), change)


class Concat:
    """An editor (faceedit_bench.api.Editor) that can show the segments it is told."""

    def __init__(self, network: Told, multiple: int) -> None:
        self.network, self.multiple = network, multiple
        self.picture = WholePicture(network, difference_vector, multiple)

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W)."""
        return self.picture.edit(batch)

    def explain(self, batch: EditBatch) -> dict[str, Tensor]:
        """`segments` of the source, (B, 3, H, W) in [0, 1], a colour for each."""
        found = self.network.parser(pad_to_multiple(batch.images, self.multiple)).argmax(1)
        return {"segments": coloured(found, batch)}


class SeCGAN(WholePicture):
    """An editor around the generator alone. What shows how it was taught lies in a file beside the weights,
    and is read when it is first asked for."""

    def __init__(self, network: nn.Module, options: Options, context: LoadContext) -> None:
        super().__init__(network, difference_vector, backbone(options).multiple(options))
        self.options, self.context = options, context

    @property
    def unexplained(self) -> str:
        """What is the matter with that file; "" where it is there."""
        try:
            self.context.file(EXPLAINING)
        except FaceEditError as error:
            return str(error)
        return ""

    @cached_property
    def explainers(self) -> nn.ModuleDict:
        """The parser and the generator of segments, as they were at the end of training."""
        made = {"parser": parser(self.options), "semantic_editor": segment_generator(self.options)}
        found = self.context.restore(nn.ModuleDict(made), EXPLAINING)
        assert isinstance(found, nn.ModuleDict)
        return found

    def explain(self, batch: EditBatch) -> dict[str, Tensor]:
        """Segments, (B, 3, H, W) in [0, 1], a colour for each: as the parser sees them in the source, as the
        second generator edits those, and as the parser sees them in the edited picture. Training wants the
        last two to agree."""
        images, change = pad_to_multiple(batch.images, self.multiple), self.condition(batch)
        parse, edit_segments = self.explainers["parser"], self.explainers["semantic_editor"]
        found = parse(images).argmax(1)
        shown = {
            "segments": found,
            "segments-edited": edit_segments(as_planes(found), change).argmax(1),
            "segments-of-result": parse(self.network(images, change)).argmax(1),
        }
        return {name: coloured(segments, batch) for name, segments in shown.items()}


def coloured(segments: Tensor, batch: EditBatch) -> Tensor:
    """(B, h, w) segment numbers -> (B, 3, H, W) in [0, 1], of the batch's size."""
    height, width = batch.images.shape[2:]
    return torch.tensor(COLOURS, device=segments.device)[segments].movedim(-1, 1)[:, :, :height, :width]


def editor(options: Options, context: LoadContext) -> WholePicture | Concat:
    """Keys `editor.*`; Concat has `parser.*` too."""
    parts = {"editor": generator(options)}
    if options.branch == "concat":
        parts["parser"] = parser(options)
    found = context.restore(nn.ModuleDict(parts))
    network, multiple = found.get_submodule("editor"), backbone(options).multiple(options)
    if options.branch == "concat":
        return Concat(Told(network, found.get_submodule("parser")), multiple)
    if options.branch == "semantic":
        return SeCGAN(network, options, context)
    return WholePicture(network, difference_vector, multiple)
