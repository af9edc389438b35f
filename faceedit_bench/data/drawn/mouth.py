"""The mouth: lips, and teeth in the dark when it is open."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .head import LIPS, MOUTH, Face, Measures
from .paint import bump, flat, mix, rgb
from .people import Person, Scene


@dataclass(frozen=True)
class Lips:
    """Heights of the four edges of the lips over each pixel's column, (B, H, W)."""

    top: Tensor
    upper_end: Tensor
    lower_start: Tensor
    bottom: Tensor
    across: Tensor  # -1 left corner, 1 right corner


def lip_edges(face: Face, opening: Tensor | float) -> Lips:
    """Lips of the face's width and fullness, curved by the smile, `opening` apart in the middle."""
    person, traits, scene = face.person, face.traits, face.scene
    thin = 1 - 0.12 * traits.male - 0.18 * (1 - traits.young)
    across = face.grid.x / lip_span(person, scene)
    arch = (1 - across.square()).clamp(min=0)
    rounded = arch.sqrt()
    middle = lip_line(face.measures, scene, across)
    bow = 0.5 * person.lip_bow * (bump((across.abs() - 0.27) / 0.14) - bump(across / 0.10))
    upper_end, lower_start = middle - 0.12 * opening * rounded, middle + 0.88 * opening * rounded
    top = upper_end - person.lip_upper * thin * arch * (1.1 + bow)
    return Lips(top, upper_end, lower_start, lower_start + person.lip_lower * thin * rounded, across)


def lip_span(person: Person, scene: Scene) -> Tensor:
    """From the middle of the mouth to a corner."""
    return person.mouth_width * (1 + 0.08 * scene.smile)


def lip_line(measures: Measures, scene: Scene, across: Tensor) -> Tensor:
    """Height at which the lips meet; at the corners, which are -1 and 1 `across`, they end there."""
    return measures.mouth_line - 0.055 * scene.smile * (across.square().clamp(max=1.3) - 0.35)


def draw_mouth(face: Face, base: Tensor) -> None:
    """Lips in skin's red or lipstick; between them a line, or a dark gap with teeth."""
    opening = face.traits.mouth_slightly_open * face.scene.opening
    lips, y, width = lip_edges(face, opening), face.grid.y, face.person.mouth_width
    ends = (lips.across.abs() - 1) * width

    def between(high: Tensor, low: Tensor) -> Tensor:
        return face.inside(torch.maximum(torch.maximum(high - y, y - low), ends))

    light = face.light.falling
    colour = lip_colour(face, base)
    shine = flat(0.10 * bump(lips.across / 0.35, (y - 0.45 * lips.lower_start - 0.55 * lips.bottom) / 0.012))
    face.canvas.paint(colour * light * 0.86, between(lips.top, lips.upper_end), LIPS)
    face.canvas.paint(colour * light + shine, between(lips.lower_start, lips.bottom), LIPS)
    gap = between(lips.upper_end, lips.lower_start) * face.traits.mouth_slightly_open
    draw_gap(face, lips, gap)
    line = face.stroke(y - lips.upper_end, 0.014) * face.inside(ends, 3.0)
    line = line * (1 - face.traits.mouth_slightly_open)
    corners = 0.30 * bump((face.grid.side / width - 1.04) / 0.07, (y - lips.upper_end) / 0.016)
    face.canvas.darken(torch.maximum(0.62 * line, corners), rgb(0.80, 0.95, 0.95, y.device))


def lip_colour(face: Face, base: Tensor) -> Tensor:
    """Colour of the lips, (B, 3, 1, 1); women wear lipstick."""
    device, person = base.device, face.person
    natural = base * rgb(0.90, 0.66, 0.64, device)
    stick = mix(rgb(0.80, 0.13, 0.18, device), rgb(0.72, 0.22, 0.42, device), flat(person.lipstick_hue))
    return mix(natural, stick, flat(0.85 * person.lipstick * (1 - face.traits.male)))


def draw_gap(face: Face, lips: Lips, gap: Tensor) -> None:
    """The inside of an open mouth: dark, a tongue, and the upper teeth."""
    y, device = face.grid.y, gap.device
    apart = (lips.lower_start - lips.upper_end).clamp(min=1e-3)
    depth = (y - lips.upper_end) / apart  # 0 at the upper lip, 1 at the lower
    tongue = 0.8 * bump(lips.across / 0.35, (depth - 1.0) / 0.18)
    inner = mix(rgb(0.13, 0.025, 0.03, device), rgb(0.62, 0.24, 0.24, device), flat(tongue))
    face.canvas.paint(inner, gap, MOUTH)
    teeth = face.inside((depth - 0.44) * apart) * face.inside((lips.across.abs() - 0.82) * 0.15, 2.0)
    notches = 0.88 + 0.12 * (face.grid.x * (3.1416 / 0.036)).sin().abs().sqrt()
    enamel = rgb(0.97, 0.95, 0.90, device) * flat(notches * (1 - 0.35 * lips.across.square()))
    face.canvas.paint(enamel, teeth * gap, MOUTH)
