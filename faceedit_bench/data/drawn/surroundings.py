"""What is around the face: backdrop, clothes, neck and ears."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import EARS, NECK, OTHERS, Face
from .paint import bump, flat, mix, noise, pixel_centres, smooth


def hue_colour(hue: Tensor, saturation: Tensor, brightness: Tensor) -> Tensor:
    """Colour of a hue in [0, 1], (B, 3, 1, 1)."""
    channels = [((hue + step) % 1 * 6 - 3).abs() - 1 for step in (0.0, 2 / 3, 1 / 3)]
    pure = torch.stack(channels, dim=1).clamp(0, 1)
    return flat(brightness) * (1 - flat(saturation) * (1 - pure))


def draw_backdrop(face: Face) -> None:
    """Two colours that flow into each other, out of focus, darker towards the corners."""
    across, down = pixel_centres(face.size, face.pixel.device)
    scene = face.scene
    contrast, other_hue = scene.backdrop_contrast, (scene.backdrop_hue + scene.backdrop_hue_step) % 1
    first = hue_colour(scene.backdrop_hue, scene.backdrop_colour, scene.backdrop_light)
    other = hue_colour(other_hue, scene.backdrop_colour, scene.backdrop_light * 0.6)
    cloud = noise(across * 0.9 + scene.backdrop_place, down * 0.9 + scene.backdrop_place * 0.7)
    share = smooth(0.2, 0.8, cloud + 0.3 * down * contrast) * (0.35 + 0.65 * contrast)
    colour = mix(first, other, flat(share)) * (1 - flat(0.14 * (across.square() + down.square())))
    face.canvas.picture.copy_(colour)
    face.canvas.regions.fill_(OTHERS)


def draw_neck(face: Face, base: Tensor) -> None:
    """A neck in the shadow of the chin."""
    grid, measures = face.grid, face.measures
    width = 0.235 + 0.075 * face.traits.male + 0.03 * face.person.face_taper
    edge = grid.plane_x.abs() - width - 0.12 * smooth(0.78, 1.05, grid.plane_y)
    cover = face.inside(torch.maximum(edge, measures.mouth_line - 0.1 - grid.plane_y))
    below_chin = smooth(1.0, 1.45, grid.radius)
    round_shade = 1 - 0.45 * (grid.plane_x / (width + 0.10)).square().clamp(max=1)
    sided = 1 + 0.35 * face.light.across * grid.plane_x / width
    shade = (0.50 + 0.34 * below_chin) * round_shade * sided
    face.canvas.paint(base * flat(shade), cover, NECK)


def draw_clothes(face: Face) -> None:
    """A shirt with a round or a V neckline."""
    across, down = pixel_centres(face.size, face.pixel.device)
    scene = face.scene
    x, y = across - scene.shift_across, (down - scene.shift_down) * scene.zoom
    shoulders = 0.80 + 0.30 * x.square()
    vee = (scene.neckline > 0.5).float()
    neckline = 0.99 - mix(0.9 * x.square() / 0.25, 0.55 * x.abs() / 0.25 - 0.12, vee)
    top = torch.maximum(shoulders, neckline)
    folds = noise(x * 3 + scene.backdrop_place, y * 4 + scene.backdrop_place)
    colour = hue_colour(scene.clothes_hue, scene.clothes_colour, scene.clothes_light)
    hem = 1 - 0.25 * bump((y - top - 0.03) / 0.012)
    shade = (0.70 + 0.4 * folds + 0.2 * face.light.across * x) * hem
    face.canvas.paint(colour * flat(shade), face.inside(top - y), OTHERS)


def draw_ears(face: Face, base: Tensor) -> None:
    """Ears at both sides, between eyes and tip of the nose."""
    grid, measures, person = face.grid, face.measures, face.person
    out = (grid.plane_x.abs() - measures.width * 0.985) / (0.062 * person.ear_size)
    down = (grid.plane_y - measures.eye_line - 0.09) / (0.135 * person.ear_size) + 0.12 * out
    reach = (out.square() + down.square()).sqrt()
    cover = face.inside((reach - 1) * 0.065)
    hollow = 0.30 * bump((out - 0.25) / 0.28, (down + 0.05) / 0.35)
    sided = 1 + 0.30 * face.light.across * grid.plane_x.sign()
    shade = (0.62 + 0.28 * smooth(0.3, 0.9, reach) - hollow) * sided
    face.canvas.paint(base * flat(shade), cover, EARS)
