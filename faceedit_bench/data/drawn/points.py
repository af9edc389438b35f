"""Where eyes, nose and mouth lie in a drawn picture: from the numbers it is drawn from, not its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TypeVar

import torch
from torch import Tensor

from .head import Measures, bulge, measure, outline
from .mouth import lip_line, lip_span
from .people import Person, Scene, Traits, people
from .people import scenes as draw_scenes

Numbers = TypeVar("Numbers", Person, Scene)

ROUNDS = 60  # of finding the place that bulges to a point; each leaves less than half of what was amiss
GRAIN = 64  # parts of a pixel to which points are rounded: in double precision the same on every machine


def five_points(
    seeds: Sequence[int] | Tensor, labels: Tensor, size: int, *, scenes: Sequence[int] | Tensor | None = None
) -> Tensor:
    """x and y of left eye, right eye, tip of the nose, left and right corner of the mouth, (B, 5, 2) float32.

    In pixels, from the middle of the first one, of the pictures that `draw` makes of the same arguments. An
    eye is the middle between its corners; left is the picture's left.
    """
    identity = torch.as_tensor(seeds, dtype=torch.int64)
    place = identity if scenes is None else torch.as_tensor(scenes, dtype=torch.int64)
    person, scene = exact(people(identity)), exact(draw_scenes(place))
    measures = measure(person, Traits.of(labels))
    x, y = in_plane(*on_face(person, scene, measures), scene, measures)
    cosine, sine = scene.roll.cos() / scene.zoom, scene.roll.sin() / scene.zoom
    across = x * cosine - y * sine + scene.shift_across
    down = x * sine + y * cosine + scene.shift_down
    pixels = (torch.stack([across[:, 0], down[:, 0]], dim=2) + 1) * (size / 2) - 0.5
    return ((pixels * GRAIN).round() / GRAIN).float()


def exact(numbers: Numbers) -> Numbers:
    """In double precision."""
    return type(numbers)(*(getattr(numbers, part.name).double() for part in fields(numbers)))


def on_face(person: Person, scene: Scene, measures: Measures) -> tuple[Tensor, Tensor]:
    """x and y on the bulging surface of the face, each (B, 1, 5), as the parts are drawn there."""
    eye, none = person.eye_distance, torch.zeros_like(person.eye_distance)
    corner, mouth = lip_span(person, scene), lip_line(measures, scene, torch.ones_like(none))
    x = torch.cat([-eye, eye, none, -corner, corner], dim=2)
    return x, torch.cat([measures.eye_line, measures.eye_line, measures.nose_tip, mouth, mouth], dim=2)


def in_plane(x: Tensor, y: Tensor, scene: Scene, measures: Measures) -> tuple[Tensor, Tensor]:
    """Where in the plane of the head points of the surface show: `pose` the other way round."""
    plane_x, plane_y = x, y
    for _ in range(ROUNDS):
        right, lower = bulge(outline(plane_x, plane_y, measures), scene)
        plane_x, plane_y = x + right, y + lower
    return plane_x, plane_y
