"""STGAN's generator, what it is told, and its training stage.

Liu et al., "STGAN: A Unified Selective Transfer Network for Arbitrary Image Attribute Editing", CVPR 2019,
arXiv 1904.09709. The units are `../unet/units.py`, class STU.
"""

from __future__ import annotations

from functools import partial

from faceedit_bench.api import LoadContext
from faceedit_bench.train import Recipe

from ..labels.codes import change, difference
from ..unet import training
from ..unet.editor import WholePicture, whole_picture
from ..unet.generator import UNet
from . import Options


def generator(options: Options) -> UNet:
    """(B, 3, H, W) and label differences (B, A) -> (B, 3, H, W)."""
    return UNet(
        width=options.width,
        layers=options.layers,
        attributes=len(options.attributes),
        skip=options.skip,
        inject=options.inject,
        unit="stu",
        unit_width=options.unit_width or None,
        slope=options.slope,
        epsilon=options.epsilon,
        momentum=options.momentum,
    )


def editor(options: Options, context: LoadContext) -> WholePicture:
    """±1.5 for what was asked at strength 2, the paper's; ±1 for what the conflict rule adds."""
    return whole_picture(generator(options), partial(difference, strength=options.strength), options, context)


def stage(options: Options) -> Recipe:
    return training.stage(options, generator(options), change, partial(difference, strength=options.strength))
