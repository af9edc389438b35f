"""The shape of the bare head as a relief, and the light on it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .head import Grid, Light, Measures
from .paint import bump, flat, noise, rgb, smooth
from .people import Person, Scene, Traits


def relief(grid: Grid, measures: Measures, person: Person, traits: Traits) -> Tensor:
    """Height of the face above its plane, (B, H, W)."""
    eye_down, mouth_down = grid.y - measures.eye_line, grid.y - measures.mouth_line
    eye_side = grid.side - person.eye_distance
    chin_down, radius = grid.y - measures.chin, grid.radius.clamp(max=1.1)
    height = 0.52 * (1 - radius.square() * radius.sqrt())
    height += (0.015 + 0.03 * traits.male) * bump(eye_side / 0.12, (eye_down + 0.12) / 0.045)
    height -= person.eye_depth * bump((eye_side + 0.03) / 0.10, eye_down / 0.06)
    height += 0.035 * bump(eye_side / 0.07, eye_down / 0.04)
    height += person.cheekbones * bump((grid.side - 0.28) / 0.11, (eye_down - 0.20) / 0.09)
    height += 0.020 * bump(grid.x / (person.mouth_width * 0.9), (mouth_down + 0.02) / 0.035)
    height += 0.030 * bump(grid.x / (person.mouth_width * 0.7), (mouth_down - 0.035) / 0.03)
    height -= 0.025 * bump(grid.x / 0.11, (mouth_down - 0.12) / 0.03)
    height += 0.05 * bump(grid.x / 0.10, (chin_down + 0.12) / 0.07)
    height -= 0.02 * person.chin_dimple.clamp(min=0) * bump(grid.x / 0.012, (chin_down + 0.10) / 0.03)
    unevenness = 0.010 * noise(grid.x * 5 + person.pattern, grid.y * 5)
    return height + nose_relief(grid, measures, person) + unevenness


def nose_relief(grid: Grid, measures: Measures, person: Person) -> Tensor:
    """The nose alone: a ridge that rises to the tip, a bulb and two wings."""
    width, below_tip = measures.nose_width, grid.y - measures.nose_tip
    rise = smooth(-person.nose_length - 0.04, 0.0, below_tip)
    ridge = (0.15 + 0.85 * rise) * rise.sqrt() * (1 - smooth(0.0, 0.055, below_tip))
    height = person.nose_height * ridge * bump(grid.x / (person.nose_bridge * 0.028 + width * 0.022 * rise))
    height += person.nose_bulb * bump(grid.x / (0.042 * width), (below_tip + 0.005) / 0.036)
    return height + 0.035 * bump((grid.side - 0.070 * width) / 0.026, (below_tip - 0.018) / 0.028)


def slopes(grid: Grid, height: Tensor) -> tuple[Tensor, Tensor]:
    """How steeply a relief rises to the right and downwards, 0 at the picture's border; each (B, H, W)."""
    step_x = grid.plane_x[:, :1, 2:] - grid.plane_x[:, :1, :-2]
    step_y = grid.plane_y[:, 2:, :1] - grid.plane_y[:, :-2, :1]
    slope_x = functional.pad((height[:, :, 2:] - height[:, :, :-2]) / step_x, (1, 1))
    slope_y = functional.pad((height[:, 2:] - height[:, :-2]) / step_y, (0, 0, 1, 1))
    return slope_x, slope_y


def light_up(grid: Grid, height: Tensor, scene: Scene) -> Light:
    """Light from one lamp and from all around; reddish where it grazes, as skin lets it through."""
    slope_x, slope_y = slopes(grid, height)
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
