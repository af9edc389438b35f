"""Drawn faces: pictures of people who do not exist, with exact labels, regions and counterfactuals."""

from .head import REGIONS
from .people import ATTRIBUTES, labels
from .render import Drawing, draw

__all__ = ["ATTRIBUTES", "REGIONS", "Drawing", "draw", "labels"]
