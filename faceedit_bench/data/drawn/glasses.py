"""Eyeglasses and earrings."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import EARRINGS, EYEGLASSES, Face
from .paint import flat, mix, rgb, smooth


def draw_glasses(face: Face) -> None:
    """Two lenses in a dark frame with bridge and temples; the lenses belong to the glasses' region."""
    grid, person, measures = face.grid, face.person, face.measures
    edge = lens_edge(face)
    thickness = person.frame_thickness
    bridge_line = grid.y - measures.eye_line + 0.005 + 0.35 * (0.06 - grid.side).clamp(min=0)
    bridge_end = person.eye_distance - person.lens_width
    bridge = torch.maximum(bridge_line.abs() - 0.45 * thickness, grid.side - bridge_end)
    temple_line = (grid.plane_y - measures.eye_line + 0.025).abs() - 0.5 * thickness
    hinge = person.eye_distance + person.lens_width - grid.side
    temple = torch.maximum(torch.maximum(temple_line, hinge), grid.plane_x.abs() - measures.width)
    frame = torch.minimum(torch.minimum(edge.abs() - 0.5 * thickness, bridge), temple)
    wearing = face.traits.eyeglasses
    lens = face.inside(edge) * wearing
    draw_lenses(face, lens)
    cover = face.inside(frame) * wearing
    glint = 1 + 1.2 * smooth(0.0, 0.3, (grid.x * 7 + grid.y * 3 + face.light.across).sin() - 0.7)
    face.canvas.paint(frame_colour(face) * flat(glint), cover)
    face.canvas.name(torch.maximum(lens, cover), EYEGLASSES)


def lens_edge(face: Face) -> Tensor:
    """Distance to the edge of the nearer lens, a rectangle with rounded corners."""
    grid, person = face.grid, face.person
    corner = person.lens_corner * person.lens_height
    out = (grid.side - person.eye_distance - 0.006).abs() - person.lens_width + corner
    down = (grid.y - face.measures.eye_line - 0.022).abs() - person.lens_height + corner
    outside = (out.clamp(min=0).square() + down.clamp(min=0).square()).sqrt()
    return outside + torch.maximum(out, down).clamp(max=0) - corner


def frame_colour(face: Face) -> Tensor:
    """Black, brown, wine red or navy, (B, 3, 1, 1)."""
    device, choice = face.grid.x.device, flat(face.person.frame_colour)
    black, brown = rgb(0.035, 0.035, 0.04, device), rgb(0.20, 0.09, 0.04, device)
    wine, navy = rgb(0.32, 0.03, 0.06, device), rgb(0.05, 0.07, 0.24, device)
    colour = torch.where(choice < 0.45, black, brown)
    return torch.where(choice > 0.85, navy, torch.where(choice > 0.7, wine, colour))


def draw_lenses(face: Face, lens: Tensor) -> None:
    """Glass: a light film and one slanted reflection."""
    grid = face.grid
    film = rgb(0.80, 0.88, 0.95, lens.device)
    slant = (grid.x * face.light.across.sign() * 0.9 + grid.y - face.measures.eye_line + 0.05).abs()
    reflection = smooth(0.045, 0.025, slant)
    face.canvas.paint(film, lens * (0.12 + 0.22 * reflection))


def draw_earrings(face: Face) -> None:
    """Round golden earrings for some of the women."""
    grid, measures, person = face.grid, face.measures, face.person
    across = grid.plane_x.abs() - measures.width * 0.98
    down = grid.plane_y - measures.eye_line - 0.235
    size = 0.022 + 0.022 * person.earrings.clamp(min=0)
    cover = face.inside((across.square() + down.square()).sqrt() - size)
    worn = (1 - face.traits.male) * (person.earrings > 0.2)
    shine = smooth(0.03, 0.0, ((across + 0.01).square() + (down + 0.01).square()).sqrt())
    gold, white = rgb(0.80, 0.60, 0.22, cover.device), rgb(1.0, 0.97, 0.85, cover.device)
    face.canvas.paint(mix(gold, white, flat(shine)), cover * worn, EARRINGS)
