"""What the years leave in a face."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import Face
from .paint import bump, noise, rgb, smooth


def draw_age(face: Face) -> None:
    """Furrows, crow's feet, bags under the eyes, folds beside nose and mouth, jowls and spots on the old."""
    old = 1 - face.traits.young
    lines = forehead_furrows(face) + eye_wrinkles(face) + mouth_folds(face)
    grid, measures = face.grid, face.measures
    jowls = 0.35 * bump((grid.side - 0.24) / 0.07, (grid.y - measures.chin + 0.10) / 0.05)
    spots = smooth(0.62, 0.78, noise(grid.x * 16 + face.person.pattern, grid.y * 16 + 11)) * 0.06
    shade = (lines + jowls + spots).clamp(max=0.62) * old * face.cover
    face.canvas.darken(shade, rgb(0.78, 1.0, 1.05, shade.device))


def forehead_furrows(face: Face) -> Tensor:
    """Three wandering lines above the brows."""
    grid, measures = face.grid, face.measures
    wander = 0.018 * noise(grid.x * 5 + face.person.pattern, grid.y * 2)
    middle = measures.brow_line - 0.135
    ripple = (((grid.y + wander + 0.10 * grid.x.square() - middle) / 0.062) * 6.2832).cos()
    return 0.36 * smooth(0.0, 1.0, ripple) * bump(grid.x / 0.15, (grid.y - middle) / 0.050)


def eye_wrinkles(face: Face) -> Tensor:
    """Bags below the eyes and rays beside them."""
    grid, measures = face.grid, face.measures
    out, down = grid.side - face.person.eye_distance, grid.y - measures.eye_line
    bag_edge = down - 0.115 + 1.6 * out.square()
    bags = 0.36 * bump(bag_edge / 0.012) * bump(out / 0.052) + 0.22 * bump(out / 0.05, (down - 0.085) / 0.02)
    feet = smooth(0.1, 1.0, (torch.atan2(down, out) * 13).cos()) * bump((out - 0.165) / 0.022, down / 0.040)
    return bags + 0.45 * feet


def mouth_folds(face: Face) -> Tensor:
    """Folds from the wings of the nose past the mouth, and from its corners down."""
    grid, measures, person = face.grid, face.measures, face.person
    top, bottom, start = measures.nose_tip - 0.01, measures.mouth_line + 0.06, 0.085 * measures.nose_width
    along = ((grid.y - top) / (bottom - top)).clamp(0, 1)
    fold = grid.side - (start + (person.mouth_width + 0.035 - start) * along)
    folds = 0.48 * bump(fold / 0.015) * smooth(0.0, 0.15, along) * (1 - smooth(0.72, 1.0, along))
    corner = grid.side - person.mouth_width - 0.015 - 0.15 * (grid.y - measures.mouth_line)
    return folds + 0.32 * bump(corner / 0.013) * bump((grid.y - measures.mouth_line - 0.09) / 0.035)
