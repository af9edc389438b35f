"""Editing: the backbone's generator alone, told the difference. Only Concat needs the parser here as well."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from faceedit_bench.api import LoadContext

from ..labels.codes import difference
from ..unet.editor import WholePicture
from . import Options
from .backbones import backbone
from .losses import with_segments
from .training import generator, parser

difference_vector = partial(difference, strength=1.0)  # target − source, scaled by the edit's strength


class Told(nn.Module):
    """Concat: the generator behind the parser, (B, 3, H, W) and (B, A) -> (B, 3, H, W)."""

    def __init__(self, editor: nn.Module, parser: nn.Module) -> None:
        super().__init__()
        self.editor, self.parser = editor, parser

    def forward(self, images: Tensor, change: Tensor) -> Tensor:
        return self.editor(with_segments(images, self.parser), change)


def editor(options: Options, context: LoadContext) -> WholePicture:
    """Keys `editor.*`; Concat has `parser.*` too."""
    parts = {"editor": generator(options)}
    if options.branch == "concat":
        parts["parser"] = parser(options)
    found = context.restore(nn.ModuleDict(parts))
    network = found.get_submodule("editor")
    if options.branch == "concat":
        network = Told(network, found.get_submodule("parser"))
    return WholePicture(network, difference_vector, backbone(options).multiple(options))
