"""The head itself: its relief, the light on it and the colours of its skin."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import SKIN, Face, Grid, Light, Measures
from .paint import Box, bump, flat, mix, noise, rgb, smooth
from .people import Person, Scene, Traits

FOREHEAD = Box(-0.7, -0.85, 0.7, 0.1)


def relief(grid: Grid, measures: Measures, person: Person, scene: Scene, traits: Traits) -> Tensor:
    """Height of the face above its plane, (B, H, W)."""
    eye_down, mouth_down = grid.y - measures.eye_line, grid.y - measures.mouth_line
    eye_side = grid.side - person.eye_distance
    height = 0.52 * (1 - grid.radius.clamp(max=1.1).square() * grid.radius.clamp(max=1.1).sqrt())
    height += (0.015 + 0.03 * traits.male) * bump(eye_side / 0.12, (eye_down + 0.12) / 0.045)
    height -= person.eye_depth * bump((eye_side + 0.03) / 0.10, (eye_down - 0.0) / 0.06)
    height += 0.035 * bump(eye_side / 0.07, eye_down / 0.04)
    height += person.cheekbones * bump((grid.side - 0.28) / 0.11, (eye_down - 0.20) / 0.09)
    height += 0.020 * bump(grid.x / (person.mouth_width * 0.9), (mouth_down + 0.02) / 0.035)
    height += 0.030 * bump(grid.x / (person.mouth_width * 0.7), (mouth_down - 0.035) / 0.03)
    height -= 0.025 * bump(grid.x / 0.11, (mouth_down - 0.12) / 0.03)
    height += 0.05 * bump(grid.x / 0.10, (grid.y - measures.chin + 0.12) / 0.07)
    height -= 0.02 * person.chin_dimple.clamp(min=0) * bump(grid.x / 0.012, (grid.y - measures.chin + 0.10) / 0.03)
    return height + nose_relief(grid, measures, person) + 0.010 * noise(grid.x * 5 + person.pattern, grid.y * 5)


def nose_relief(grid: Grid, measures: Measures, person: Person) -> Tensor:
    """The nose alone: a ridge that rises to the tip, a bulb and two wings."""
    width, below_tip = measures.nose_width, grid.y - measures.nose_tip
    rise = smooth(-person.nose_length - 0.04, 0.0, below_tip)
    ridge = (0.15 + 0.85 * rise) * rise.sqrt() * (1 - smooth(0.0, 0.055, below_tip))
    height = person.nose_height * ridge * bump(grid.x / (person.nose_bridge * 0.028 + width * 0.022 * rise))
    height += person.nose_bulb * bump(grid.x / (0.042 * width), (below_tip + 0.005) / 0.036)
    return height + 0.035 * bump((grid.side - 0.070 * width) / 0.026, (below_tip - 0.018) / 0.028)


def light_up(grid: Grid, height: Tensor, scene: Scene) -> Light:
    """Light from one lamp and from all around on a relief; reddish where it grazes, as skin lets it through."""
    step_x, step_y = grid.plane_x[:, :1, 2:] - grid.plane_x[:, :1, :-2], grid.plane_y[:, 2:, :1] - grid.plane_y[:, :-2, :1]
    slope_x = torch.nn.functional.pad((height[:, :, 2:] - height[:, :, :-2]) / step_x, (1, 1))
    slope_y = torch.nn.functional.pad((height[:, 2:] - height[:, :-2]) / step_y, (0, 0, 1, 1))
    upright = (slope_x.square() + slope_y.square() + 1).rsqrt()
    length = (scene.light_across.square() + scene.light_down.square() + 0.81).sqrt()
    across, down, front = scene.light_across / length, scene.light_down / length, 0.9 / length
    lit = (front - slope_x * across - slope_y * down) * upright  # cosine to the lamp
    facing = torch.stack([(lit + wrap).clamp(min=0) / (1 + wrap) for wrap in (0.40, 0.26, 0.20)], dim=1)
    half = ((front + 1).square() + across.square() + down.square()).sqrt()
    shine = ((front + 1 - slope_x * across - slope_y * down) * upright / half).clamp(min=0).square().square()
    shine = shine.square().square()
    warmth = 1 + flat(scene.warmth) * rgb(1.0, 0.0, -1.0, height.device)
    falling = (flat(scene.ambient) + 0.62 * facing) * warmth
    return Light(falling, 0.06 * shine + 0.10 * shine.square().square(), across, down)


def complexion(person: Person, traits: Traits) -> Tensor:
    """Colour of the skin, (B, 3, 1, 1): tanned to dark, or distinctly pale."""
    device = person.tone.device
    light, middle, dark = (rgb(*colour, device) for colour in ((0.82, 0.58, 0.42), (0.64, 0.42, 0.28), (0.38, 0.24, 0.17)))
    tone = flat(person.tone)
    tanned = mix(mix(light, middle, (2 * tone).clamp(max=1)), dark, (2 * tone - 1).clamp(min=0))
    tanned = tanned * (1 + flat(person.undertone) * rgb(0.03, -0.02, -0.07, device))
    pale = rgb(0.95, 0.85, 0.80, device) + flat(person.undertone) * rgb(0.0, -0.012, -0.02, device)
    return mix(tanned, pale - 0.03 * tone, flat(traits.pale_skin))


def skin_colour(face: Face, base: Tensor) -> Tensor:
    """Colour of every pixel of skin, (B, 3, H, W): blotches, blush, freckles, a mole."""
    grid, person, measures = face.grid, face.person, face.measures
    device = base.device
    blotches = noise(grid.x * 6 + person.pattern, grid.y * 6 + person.pattern) - 0.5
    eye_down = grid.y - measures.eye_line
    red = 0.6 * bump((grid.side - 0.27) / 0.10, (eye_down - 0.23) / 0.075)
    red += 0.45 * bump(grid.x / 0.06, (grid.y - measures.nose_tip) / 0.05)
    red = red * person.blush * (1.25 - 0.6 * face.traits.male)
    fine = noise(grid.x * 34 + person.pattern, grid.y * 34) * face.visible(34)
    specks = smooth(0.52, 0.66, fine) * bump(grid.side / 0.22, (eye_down - 0.19) / 0.09) * person.freckles.clamp(min=0)
    mole = face.inside(((grid.x - person.mole_across).square() + (grid.y - person.mole_down).square()).sqrt() - person.mole_size)
    mole = mole * (person.mole_size > 0)
    colour = base * (1 + flat(0.16 * blotches + 0.03 * (fine - 0.5))) * (1 + flat(red) * rgb(0.05, -0.16, -0.13, device))
    return colour * (1 - flat(0.8 * specks) * rgb(0.2, 0.4, 0.45, device)) * (1 - flat(mole) * rgb(0.45, 0.6, 0.6, device))


def draw_skin(face: Face, base: Tensor) -> None:
    """The bare head with light on it."""
    colour = skin_colour(face, base) * face.light.falling + flat(face.light.gloss)
    face.canvas.paint(colour, face.cover, SKIN)
    shade_sockets(face)


def shade_sockets(face: Face) -> None:
    """Soft shadow in the eye sockets, beside the nose and under the lip."""
    grid, measures, light, person = face.grid, face.measures, face.light, face.person
    eye_down = grid.y - measures.eye_line
    shade = (0.10 + 2.0 * person.eye_depth) * bump((grid.side - person.eye_distance + 0.06) / 0.06, (eye_down + 0.03) / 0.05)
    shade += 0.5 * light.across.abs() * bump((grid.x + 0.14 * light.across) / 0.045, (grid.y - measures.nose_tip + 0.07) / 0.08)
    shade += 0.6 * person.eye_circles.clamp(min=0) * bump((grid.side - person.eye_distance + 0.02) / 0.06, (eye_down - 0.085) / 0.03)
    shade += person.cheek_hollows.clamp(min=0) * bump((grid.side - 0.29) / 0.05, (grid.y - measures.mouth_line + 0.03) / 0.10)
    shade += 0.14 * bump(grid.x / 0.09, (grid.y - measures.mouth_line - 0.11) / 0.022)
    face.canvas.darken(shade, rgb(0.85, 1.0, 1.0, shade.device))


def draw_age(face: Face) -> None:
    """What the years leave: furrows, crow's feet, bags under the eyes, folds beside nose and mouth, jowls, spots."""
    old = 1 - face.traits.young
    lines = forehead_furrows(face) + eye_wrinkles(face) + mouth_folds(face)
    grid, measures = face.grid, face.measures
    jowls = 0.35 * bump((grid.side - 0.24) / 0.07, (grid.y - measures.chin + 0.10) / 0.05)
    spots = smooth(0.62, 0.78, noise(grid.x * 16 + face.person.pattern, grid.y * 16 + 11)) * 0.06
    shade = (lines + jowls + spots).clamp(max=0.62) * old * face.cover
    face.canvas.darken(shade, rgb(0.78, 1.0, 1.05, shade.device))


def forehead_furrows(face: Face) -> Tensor:
    grid, measures = face.grid, face.measures
    wander = 0.018 * noise(grid.x * 5 + face.person.pattern, grid.y * 2)
    middle = measures.brow_line - 0.135
    ripple = (((grid.y + wander + 0.10 * grid.x.square() - middle) / 0.062) * 6.2832).cos()
    return 0.36 * smooth(0.0, 1.0, ripple) * bump(grid.x / 0.15, (grid.y - middle) / 0.050)


def eye_wrinkles(face: Face) -> Tensor:
    grid, measures = face.grid, face.measures
    out, down = grid.side - face.person.eye_distance, grid.y - measures.eye_line
    bag_edge = down - 0.115 + 1.6 * out.square()
    bags = 0.36 * bump(bag_edge / 0.012) * bump(out / 0.052) + 0.22 * bump(out / 0.05, (down - 0.085) / 0.02)
    feet = smooth(0.1, 1.0, (torch.atan2(down, out) * 13).cos()) * bump((out - 0.165) / 0.022, down / 0.040)
    return bags + 0.45 * feet


def mouth_folds(face: Face) -> Tensor:
    """Folds from the wings of the nose past the mouth, and from its corners down."""
    grid, measures, person = face.grid, face.measures, face.person
    top, bottom = measures.nose_tip - 0.01, measures.mouth_line + 0.06
    along = ((grid.y - top) / (bottom - top)).clamp(0, 1)
    fold = grid.side - (0.085 * measures.nose_width + (person.mouth_width + 0.035 - 0.085 * measures.nose_width) * along)
    folds = 0.48 * bump(fold / 0.015) * smooth(0.0, 0.15, along) * (1 - smooth(0.72, 1.0, along))
    corner = grid.side - person.mouth_width - 0.015 - 0.15 * (grid.y - measures.mouth_line)
    return folds + 0.32 * bump(corner / 0.013) * bump((grid.y - measures.mouth_line - 0.09) / 0.035)
