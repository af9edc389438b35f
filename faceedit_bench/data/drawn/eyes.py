"""Eyes and eyebrows, left and right at once."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import EYEBROWS, EYES, Face
from .paint import bump, flat, mix, noise, rgb, smooth


def draw_eyes(face: Face) -> None:
    """Eyeballs between the lids, then lids, lashes and make-up."""
    grid, measures, person = face.grid, face.measures, face.person
    out = (grid.side - person.eye_distance) / measures.eye_width  # -1 inner corner, 1 outer
    down = (grid.y - measures.eye_line) / measures.eye_width + person.eye_tilt * out
    arch = (1 - out.square()).clamp(min=0)
    almond = (arch * arch.sqrt()).sqrt()
    lift = person.eye_height + 0.05 - 0.06 * face.traits.male - 0.07 * (1 - face.traits.young)
    upper, lower = -lift * almond * (1 + 0.12 * out), 0.56 * lift * arch
    edge = torch.maximum(torch.maximum(upper - down, down - lower), out.abs() - 1) * measures.eye_width
    opening = face.inside(edge)
    draw_eyeshadow(face, out, down, lift)
    face.canvas.paint(eyeball(face, out, down, upper), opening, EYES)
    draw_lids(face, out, down, upper, lower, lift)


def iris_colour(face: Face) -> Tensor:
    """Brown for most, grey-blue or green for some of the fairer people, (B, 3, 1, 1)."""
    device, hue = face.person.iris_hue.device, flat(face.person.iris_hue)
    brown = mix(rgb(0.20, 0.10, 0.05, device), rgb(0.42, 0.25, 0.10, device), (hue * 7) % 1)
    blue, green = rgb(0.30, 0.46, 0.62, device), rgb(0.30, 0.42, 0.22, device)
    fair = flat((face.person.tone < 0.6).float())
    return mix(mix(brown, blue, (hue > 0.45) * fair), green, (hue > 0.78) * fair)


def eyeball(face: Face, out: Tensor, down: Tensor, upper: Tensor) -> Tensor:
    """White, iris, pupil and a spark of light, (B, 3, H, W)."""
    person, scene, width = face.person, face.scene, face.measures.eye_width
    facing = out * face.grid.x.sign()  # rightwards in both eyes
    across, below = facing - scene.gaze_across, down - scene.gaze_down + 0.08
    distance = (across.square() + below.square()).sqrt()
    lid_shadow = 0.55 + 0.45 * smooth(0.0, 0.25, down - upper)
    white = flat(lid_shadow) * (0.90 - flat(0.30 * out.square().square()) * rgb(0.6, 1.0, 1.0, out.device))
    rim = 1 - 0.6 * smooth(0.7, 1.0, distance / person.iris_size)
    glow = 0.75 + 0.55 * smooth(-0.2, 0.4, below) * rim
    iris = iris_colour(face) * flat(glow * rim * (0.5 + 0.5 * lid_shadow))
    colour = mix(white, iris, flat(face.inside((distance - person.iris_size) * width)))
    colour = colour * flat(1 - 0.95 * face.inside((distance - 0.45 * person.iris_size) * width))
    spark = (across - 0.35 * face.light.across).square() + (below - 0.35 * face.light.down).square()
    colour = colour * (0.35 + 0.62 * face.light.falling)
    return mix(colour, torch.ones_like(colour), flat(0.9 * face.inside((spark.sqrt() - 0.11) * width)))


def draw_eyeshadow(face: Face, out: Tensor, down: Tensor, lift: Tensor) -> None:
    """Make-up above women's eyes, of a colour that goes with the lipstick."""
    hue = flat(face.person.lipstick_hue)
    tint = mix(rgb(0.45, 0.62, 0.50, out.device), rgb(0.62, 0.60, 0.36, out.device), hue)
    shade = bump(out / 0.62, (down + lift + 0.12) / 0.24) * (1 - face.traits.male) * face.person.lipstick
    face.canvas.darken(0.85 * shade, tint)


def draw_lids(face: Face, out: Tensor, down: Tensor, upper: Tensor, lower: Tensor, lift: Tensor) -> None:
    """Lash lines, crease and, on women, lashes."""
    width, female = face.measures.eye_width, 1 - face.traits.male
    span = face.inside((out.abs() - 1.04) * width, 2.0)
    thickness = (0.016 + 0.014 * female) * (0.7 + 0.4 * smooth(-0.6, 1.0, out))
    upper_line = face.stroke((down - upper + 0.03) * width, thickness) * (0.62 + 0.33 * female)
    lower_line = face.stroke((down - lower) * width, 0.008) * (0.25 + 0.25 * female)
    fold = (1 - 0.8 * out.square()).clamp(min=0).sqrt()
    crease = face.stroke((down + lift * 1.05 * fold + 0.16) * width, 0.010) * 0.38
    wing = face.stroke((down - upper + 0.10 + 0.22 * (out - 0.8)) * width, 0.022) * smooth(0.45, 0.8, out)
    wing = wing * face.inside((out - 1.3) * width, 3.0) * female * 0.8
    shade = torch.maximum((upper_line + lower_line + crease).clamp(max=0.95) * span, wing)
    face.canvas.darken(shade, rgb(0.86, 0.93, 0.95, out.device))


def draw_brows(face: Face, hair_colour: Tensor) -> None:
    """Two arched strokes of short hairs, more than twice as thick when bushy."""
    grid, person, traits, measures = face.grid, face.person, face.traits, face.measures
    length = person.brow_length + 0.012 * traits.bushy_eyebrows
    out = (grid.side - person.eye_distance - 0.005) / length  # -1 inner end, 1 outer end
    bend = 1 - (out - 0.3).square() * torch.where(out < 0.3, 0.35, 1.6)
    arch = (person.brow_arch + 0.012 - 0.024 * traits.male) * bend
    down = grid.y - measures.brow_line + arch + person.brow_slope * out
    taper = (1 - 0.55 * smooth(0.0, 1.1, out)) * (0.65 + 0.35 * smooth(-1.1, -0.6, out))
    half = (person.brow_thickness + 0.006 * traits.male) * (0.9 + 1.7 * traits.bushy_eyebrows) * taper
    hairs = noise(grid.side * 24 - grid.y * 16 + person.pattern, grid.y * 12 + 5, "strands")
    ragged = half * (0.75 + 0.5 * hairs)
    cover = face.inside(torch.maximum(down.abs() - ragged, (out.abs() - 1) * length), 1.4)
    strength = (0.70 + 0.12 * traits.male + 0.16 * traits.bushy_eyebrows).clamp(max=0.96)
    dark = torch.minimum(hair_colour * 0.60, rgb(0.40, 0.27, 0.15, out.device))
    dark = mix(dark, dark * 0.75, flat(traits.bushy_eyebrows))
    face.canvas.paint(dark * flat(0.7 + 0.6 * hairs) * (0.3 + 0.7 * face.light.falling), cover * strength)
    face.canvas.name(cover * face.cover, EYEBROWS)
