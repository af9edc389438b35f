"""Beard and moustache."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import SKIN, Face
from .mouth import lip_edges
from .paint import flat, noise, rgb, smooth


def whisker_colour(face: Face, hair_colour: Tensor, hairs: Tensor) -> Tensor:
    """Darker than the hair of the head and never too light to see, (B, 3, H, W)."""
    dark = torch.minimum(hair_colour * 0.58, rgb(0.44, 0.34, 0.28, hairs.device))
    return dark * flat(0.45 + 1.1 * hairs) * (0.35 + 0.65 * face.light.falling)


def whiskers(face: Face) -> Tensor:
    """Noise like short hairs that grow downwards, (B, H, W)."""
    grid, person = face.grid, face.person
    return noise(grid.x * (22 - 6 * grid.y) + person.pattern, grid.y * 9 + person.pattern, "strands")


def draw_beard(face: Face, hair_colour: Tensor) -> None:
    """Hair on chin and jaw that leaves the mouth free; to the region map it is skin, as for face parsers."""
    grid, person, measures = face.grid, face.person, face.measures
    hairs = whiskers(face)
    below_mouth = grid.y - measures.mouth_line
    goatee, full = beard_shapes(face, below_mouth)
    grown = torch.where(person.beard_spread < 0.3, goatee, full) + 0.05 * (hairs - 0.5)
    length = person.beard_length * smooth(0.0, 0.15, below_mouth)
    end = (grid.radius - 1) * measures.width - length + 0.03 * (hairs - 0.5)
    bearded = 1 - face.traits.no_beard
    cover = smooth(-0.02, 0.035, grown) * face.inside(end, 1.5) * bearded * lips_free(face)
    face.canvas.paint(whisker_colour(face, hair_colour, hairs), cover * 0.93)
    face.canvas.name(cover, SKIN)


def beard_shapes(face: Face, below_mouth: Tensor) -> tuple[Tensor, Tensor]:
    """How far a pixel is inside a goatee and inside a full beard, each (B, H, W)."""
    grid, person, measures = face.grid, face.person, face.measures
    chin = torch.minimum(below_mouth - 0.125, person.mouth_width + 0.03 - grid.side)
    beside = 0.055 - (grid.side - person.mouth_width - 0.03).abs()
    beside = beside - 2 * ((below_mouth - 0.04).abs() - 0.14).clamp(min=0)
    goatee = torch.maximum(torch.minimum(beside, below_mouth + 0.05), chin)
    reach = 0.93 - 0.42 * smooth(measures.nose_tip - 0.06, measures.mouth_line + 0.10, grid.y)
    jaw = torch.minimum(grid.radius - reach, grid.y - measures.eye_line - 0.10)
    return goatee, torch.maximum(jaw, chin)


def lips_free(face: Face) -> Tensor:
    """0 on the lips and in the mouth, 1 elsewhere."""
    opened = lip_edges(face, face.scene.opening)
    closed = lip_edges(face, 0.0)
    opening = face.traits.mouth_slightly_open
    top = closed.top + (opened.top - closed.top) * opening
    bottom = closed.bottom + (opened.bottom - closed.bottom) * opening
    ends = (opened.across.abs() - 1) * face.person.mouth_width
    edge = torch.maximum(torch.maximum(top - face.grid.y, face.grid.y - bottom), ends)
    return 1 - face.inside(edge - 0.004)


def draw_moustache(face: Face, hair_colour: Tensor) -> None:
    """A thick band between nose and upper lip that droops past the corners of the mouth."""
    grid, person, measures = face.grid, face.person, face.measures
    hairs = whiskers(face)
    lips = lip_edges(face, face.scene.opening)
    width = person.mouth_width * 1.22
    across = grid.side / width
    droop = (0.03 + 0.10 * person.moustache_droop) * (across - 0.55).clamp(min=0) * 1.6
    bottom = torch.where(lips.across.abs() < 1, lips.top, measures.mouth_line - 0.01) - 0.004
    bottom = torch.minimum(bottom, measures.mouth_line - 0.05) + droop
    top = measures.nose_tip + 0.048 + 0.055 * across.square() + 0.8 * droop
    shape = torch.maximum(torch.maximum(top - grid.y, grid.y - bottom), grid.side - width)
    cover = face.inside(shape + 0.02 * (hairs - 0.6), 1.5) * face.traits.mustache * lips_free(face)
    face.canvas.paint(whisker_colour(face, hair_colour, hairs), cover * 0.95)
