"""Where features are refined: the blocks of Table 3, in StyleGAN2's layers and e4e's pyramid."""

from __future__ import annotations

from dataclasses import dataclass

from ..e4e.encoder import group_of
from . import Options

HIERARCHY = ("c3", "p2", "p1")  # of the encoder's pyramid, coarse to fine


@dataclass(frozen=True)
class Place:
    """One refined block: the features that enter it are those that the layer before it puts out.

    Block k is the layer that the k-th code drives, counted from 1. This is the only reading under which every
    row of Table 3 has the scales it prints.
    """

    block: int
    layer: str  # of the generator, whose output is refined
    side: int  # pixels
    channels: int
    feature: int  # of the encoder: the place in HIERARCHY


def places_of(options: Options) -> tuple[Place, ...]:
    return tuple(_place(block, options) for block in options.blocks)


def _place(block: int, options: Options) -> Place:
    number = block - 3  # of `convs`; the first of them is driven by the second code
    side = 8 << (number // 2)
    own = group_of(block - 1)
    feature = own if options.hierarchy == "all" else HIERARCHY.index(options.hierarchy)
    return Place(block, f"convs.{number}", side, options.generator_sizes.at(side), feature)
