"""LSTU-Net's generator, what it is told, and its training stage.

Chen et al., "CooGAN: A Memory-Efficient Framework for High-Resolution Facial Attribute Editing", ECCV 2020,
arXiv 2011.01563, section 3.4. The units are `../unet/units.py`, class LSTU; everything else is STGAN's.
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
        unit=options.unit,
        slope=options.slope,
        epsilon=options.epsilon,
        momentum=options.momentum,
    )


def editor(options: Options, context: LoadContext) -> WholePicture:
    """±1.5 for what was asked at the released tester's strength 2; ±1 for what the conflict rule adds."""
    return whole_picture(generator(options), partial(difference, strength=options.strength), options, context)


def stage(options: Options) -> Recipe:
    return training.stage(options, generator(options), change, partial(difference, strength=options.strength))
