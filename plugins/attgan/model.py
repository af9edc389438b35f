"""AttGAN's generator, what it is told, and its training stage.

He et al., "AttGAN: Facial Attribute Editing by Only Changing What You Want", IEEE TIP 28(11) 2019,
arXiv 1711.10678. The condition is the whole target vector, not a difference: the source's own vector asks for
a reconstruction.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor

from faceedit_bench.api import LoadContext
from faceedit_bench.train import Recipe

from ..labels.codes import signed, target_code
from ..unet import training
from ..unet.editor import WholePicture, whole_picture
from ..unet.generator import UNet
from . import Options


def generator(options: Options) -> UNet:
    """(B, 3, H, W) and label codes (B, A) -> (B, 3, H, W)."""
    return UNet(
        width=options.width,
        layers=options.layers,
        attributes=len(options.attributes),
        skip=options.skip,
        inject=options.inject,
        unit="none",
        slope=options.slope,
        epsilon=options.epsilon,
        momentum=options.momentum,
    )


def editor(options: Options, context: LoadContext) -> WholePicture:
    """±scale for every label, the asked one doubled: ±1 at the first release's test strength."""
    condition = partial(target_code, strength=options.strength, scale=options.scale)
    return whole_picture(generator(options), condition, options, context)


def stage(options: Options) -> Recipe:
    def told(source: Tensor, target: Tensor) -> Tensor:
        return signed(target, options.scale)

    preview = partial(target_code, strength=options.strength, scale=options.scale)
    return training.stage(options, generator(options), told, preview)
