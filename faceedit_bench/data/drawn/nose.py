"""The nose, as far as light on the relief has not shown it yet."""

from __future__ import annotations

import torch

from .head import NOSE, Face
from .paint import bump, rgb, smooth


def draw_nose(face: Face) -> None:
    """Nostrils, the outline of the wings and the shadow below; the light has already shaped the rest."""
    grid, measures = face.grid, face.measures
    width, below = measures.nose_width, grid.y - measures.nose_tip
    nostril_down = below - 0.036 + 0.25 * (grid.side - 0.04)
    nostril = 0.80 * bump((grid.side - 0.042 * width) / 0.018, nostril_down / 0.010)
    around = ((grid.side - 0.058 * width).square() + (below - 0.012).square()).sqrt() - 0.046
    wing = 0.38 * bump(around / 0.010) * smooth(0.07, 0.09, grid.side / width) * smooth(-0.05, 0.0, below)
    under = 0.26 * bump(grid.x / (0.05 * width), (below - 0.055) / 0.018)
    shade = torch.maximum(nostril, wing + under)
    face.canvas.darken(shade, rgb(0.80, 0.95, 0.95, shade.device))
    flank = grid.side - (0.035 + 0.070 * smooth(-0.16, 0.0, below)) * width
    edge = torch.maximum(flank, torch.maximum(measures.eye_line - 0.02 - grid.y, below - 0.05))
    face.canvas.name(face.inside(edge), NOSE)
