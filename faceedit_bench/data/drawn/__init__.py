"""Drawn faces: pictures of people who do not exist, with exact labels, regions and counterfactuals."""

from .head import REGIONS
from .people import ATTRIBUTES, labels
from .points import five_points
from .render import Drawing, draw

VERSION = "1"  # raised whenever a pixel changes; part of the cache key

__all__ = ["ATTRIBUTES", "REGIONS", "VERSION", "Drawing", "draw", "five_points", "labels"]
