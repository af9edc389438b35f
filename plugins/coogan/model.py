"""The four networks of CooGAN: generator and critic for the snapshot, generator and critic for patches.

Chen et al., "CooGAN: A Memory-Efficient Framework for High-Resolution Facial Attribute Editing", ECCV 2020,
arXiv 2011.01563. The released code (neuralchen/CooGAN, TensorFlow 1) has the global generator only; of the
local one the paper tells role and inputs, so its layers are our choice. README.md lists every such choice.
"""

from __future__ import annotations

from torch import nn

from faceedit_bench.api import THIRTEEN

from ..unet.critic import Critic
from ..unet.generator import UNet
from . import Options


def generators(options: Options) -> nn.ModuleDict:
    """What is shipped as weights: {"global": edits the snapshot, "local": renders patches}."""
    return nn.ModuleDict({"global": global_generator(options), "local": local_generator(options)})


def global_generator(options: Options) -> UNet:
    """Snapshot (B, 3, S, S) and difference (B, 13) -> edited snapshot."""
    return UNet(
        width=options.width,
        layers=options.layers,
        attributes=len(THIRTEEN),
        skip=options.skip,
        inject=options.skip,
        unit=options.unit,
        momentum=options.momentum,
    )


def local_generator(options: Options) -> UNet:
    """Picture patch, then snapshot patch (B, 3 + 3, P, P), difference (B, 13) -> edited patch."""
    return UNet(
        channels=6,
        width=options.local_width,
        layers=options.local_layers,
        attributes=len(THIRTEEN),
        skip=options.local_skip,
        inject=options.local_skip,
        unit=options.local_unit,
        momentum=options.momentum,
    )


def global_critic(options: Options) -> Critic:
    """Looks at snapshots."""
    return Critic(
        width=options.critic_width,
        layers=options.critic_layers,
        fc=options.critic_fc,
        size=options.snapshot,
        attributes=len(THIRTEEN),
    )


def local_critic(options: Options) -> Critic:
    """Looks at the stitched picture, or at a window of 2×2 patches: at more than one patch, to see seams."""
    return Critic(
        width=options.local_critic_width,
        layers=options.local_critic_layers,
        fc=options.local_critic_fc,
        size=options.local_size if options.local_view == "stitched" else 2 * options.patch,
        attributes=len(THIRTEEN),
    )
