"""Where things are: measures of one head, its pose, and the coordinates in which the parts are drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .paint import Box, Canvas, pixel_centres, smooth
from .people import Person, Scene, Traits

SKIN, EYEBROWS, EYES, EYEGLASSES, EARS, EARRINGS, NOSE, MOUTH, LIPS, NECK, HAIR, OTHERS = range(12)
REGIONS: tuple[str, ...] = (
    "skin",
    "eyebrows",
    "eyes",
    "eyeglasses",
    "ears",
    "earrings",
    "nose",
    "mouth",
    "lips",
    "neck",
    "hair",
    "others",
)

SKULL_POWER = 2.5  # an ellipse with broad shoulders


@dataclass(frozen=True)
class Measures:
    """Places and lengths of a head in halves of the picture's side, each (B, 1, 1)."""

    width: Tensor
    taper: Tensor
    jaw_power: Tensor
    middle: Tensor  # height of the widest place
    crown: Tensor
    chin: Tensor
    eye_line: Tensor
    eye_width: Tensor
    brow_line: Tensor
    nose_tip: Tensor
    nose_width: Tensor
    mouth_line: Tensor


def measure(person: Person, traits: Traits) -> Measures:
    """The head of a person as a man or a woman, young or old."""
    male, old = traits.male, 1 - traits.young
    nose_tip = person.eye_line + person.nose_length
    mouth_line = nose_tip + person.philtrum
    return Measures(
        width=person.face_width + 0.015 * male,
        taper=(person.face_taper - 0.10 * male - 0.06 * old + 0.04).clamp(min=-0.02),
        jaw_power=person.jaw_power + 0.65 * male + 0.35 * old,
        middle=person.eye_line + 0.04,
        crown=person.eye_line - person.crown_height,
        chin=mouth_line + person.chin_length + 0.025 * male,
        eye_line=person.eye_line,
        eye_width=person.eye_width * (1.06 - 0.10 * male),
        brow_line=person.eye_line - person.brow_height + 0.025 * male,
        nose_tip=nose_tip,
        nose_width=person.nose_width * (0.92 + 0.18 * male),
        mouth_line=mouth_line,
    )


@dataclass(frozen=True)
class Grid:
    """Coordinates of every pixel, each (B, H, W); the face bulges out of the plane of the head."""

    plane_x: Tensor  # right of the head's middle
    plane_y: Tensor  # below the head's middle
    radius: Tensor  # 0 in the middle of the head, 1 at its outline
    x: Tensor  # right of the middle of the face, on its bulging surface
    y: Tensor
    side: Tensor  # distance from the middle of the face, to draw left and right at once

    def within(self, rows: slice, columns: slice) -> Grid:
        return Grid(*(getattr(self, part.name)[:, rows, columns] for part in fields(self)))


def outline(plane_x: Tensor, plane_y: Tensor, measures: Measures) -> Tensor:
    """Radius of a pixel: 0 in the middle of the head and 1 at its outline."""
    below = (plane_y - measures.middle) / (measures.chin - measures.middle)
    above = (plane_y - measures.middle) / (measures.crown - measures.middle)
    width = measures.width * (1 - measures.taper * smooth(0.05, 1.0, below))
    height = below.clamp(min=1e-6) ** measures.jaw_power + above.clamp(min=0) ** SKULL_POWER
    return ((plane_x / width).square() + height).sqrt()


def pose(size: int, scene: Scene, measures: Measures) -> Grid:
    """Coordinates for a picture of `size` pixels a side."""
    columns, rows = pixel_centres(size, scene.yaw.device)
    across, down = columns - scene.shift_across, rows - scene.shift_down
    cosine, sine = scene.roll.cos() * scene.zoom, scene.roll.sin() * scene.zoom
    plane_x, plane_y = across * cosine + down * sine, down * cosine - across * sine
    radius = outline(plane_x, plane_y, measures)
    right, lower = bulge(radius, scene)
    x, y = plane_x - right, plane_y - lower
    return Grid(plane_x, plane_y, radius, x, y, x.abs())


def bulge(radius: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
    """How far right and down a turned face moves what lies at this radius: most in its middle."""
    height = (1 - radius.square()).clamp(min=0)
    return 0.5 * scene.yaw * height, 0.5 * scene.pitch * height


@dataclass(frozen=True)
class Light:
    """How light falls on the face."""

    falling: Tensor  # (B, 3, H, W), the factor for a matt colour
    gloss: Tensor  # (B, H, W), what a shiny surface adds
    across: Tensor  # (B, 1, 1), where it comes from
    down: Tensor

    def within(self, rows: slice, columns: slice) -> Light:
        return replace(self, falling=self.falling[:, :, rows, columns], gloss=self.gloss[:, rows, columns])


@dataclass(frozen=True)
class Face:
    """Everything a part of the face needs to draw itself, or a window on it."""

    person: Person
    scene: Scene
    traits: Traits
    measures: Measures
    canvas: Canvas
    grid: Grid
    light: Light
    pixel: Tensor  # (B, 1, 1), side of a pixel in the head's plane
    size: int  # pixels per side of the whole picture

    def within(self, box: Box) -> Face:
        """The part of the picture inside `box`, sharing pixels with the whole."""
        rows, columns = box.slices(self.size)
        return replace(
            self,
            canvas=self.canvas.within(rows, columns),
            grid=self.grid.within(rows, columns),
            light=self.light.within(rows, columns),
        )

    def inside(self, distance: Tensor, softness: float = 1.0) -> Tensor:
        """Cover of a shape from the distance to its edge (negative inside), soft over `softness` pixels."""
        return (0.5 - distance / (self.pixel * softness)).clamp(0, 1)

    def stroke(self, distance: Tensor, thickness: Tensor | float) -> Tensor:
        """Cover of a line from the distance to its middle; lines thinner than a pixel turn pale."""
        half = torch.as_tensor(thickness, device=distance.device) / 2
        return self.inside(distance.abs() - half) * (2 * half / self.pixel).clamp(max=1)

    def visible(self, cells: float) -> float:
        """How well noise of `cells` cells per unit of length shows: 1 on four pixels a cell, 0 on one."""
        return min(max((self.size / 2 - cells) / (self.size * 3 / 8), 0.0), 1.0)

    @property
    def cover(self) -> Tensor:
        """Cover of the bare head, (B, H, W)."""
        return self.inside((self.grid.radius - 1) * self.measures.width * 1.1)
