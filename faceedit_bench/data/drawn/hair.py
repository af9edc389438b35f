"""Hair of the head: its colour, the long hair behind, and everything in front."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .head import HAIR, SKULL_POWER, Face
from .paint import bump, flat, mix, noise, pixel_centres, rgb, smooth
from .people import Person, Traits


def hair_colour(person: Person, traits: Traits) -> Tensor:
    """Colour of hair, brows and beard, (B, 3, 1, 1): what the labels say, else auburn or grey by nature."""
    device = person.tone.device
    auburn, grey = rgb(0.56, 0.21, 0.08, device), rgb(0.64, 0.63, 0.62, device)
    natural = torch.where(flat(person.natural_colour) < 0.5, auburn, grey)
    named = (
        flat(traits.black_hair) * rgb(0.065, 0.055, 0.06, device)
        + flat(traits.blond_hair) * rgb(0.90, 0.70, 0.36, device)
        + flat(traits.brown_hair) * rgb(0.34, 0.19, 0.10, device)
    )
    count = flat(traits.black_hair + traits.blond_hair + traits.brown_hair)
    return torch.where(count > 0, named / count.clamp(min=1), natural) * flat(person.hair_shade)


@dataclass(frozen=True)
class Hair:
    """Shape and surface of the hair, each (B, H, W)."""

    outer: Tensor  # distance to the outline of all hair
    long: Tensor  # (B, 1, 1), 1 where it falls past the ears
    strands: Tensor  # noise along the strands
    surface: Tensor  # (B, 3, H, W), colour with light


def comb(face: Face, colour: Tensor) -> Hair:
    """Lay out the hair of a face once for its back and front."""
    long = 1 - face.traits.male
    strands = strand_noise(face, long)
    outer = hair_outline(face, long) + 0.022 * (strands - 0.5)
    return Hair(outer, long, strands, hair_surface(face, colour, strands, outer))


def strand_noise(face: Face, long: Tensor) -> Tensor:
    """Noise that is long along the strands: out of the parting for long hair, out of the crown for short."""
    grid, person = face.grid, face.person
    from_parting = grid.plane_x - person.hair_parting * smooth(0.2, -0.5, grid.plane_y)
    wave = ripple(face) * smooth(-0.4, 0.2, grid.plane_y)
    falling = (from_parting + wave) / (0.45 + 0.35 * (grid.plane_y + 0.85).clamp(min=0))
    standing = torch.atan2(from_parting, 0.25 - grid.plane_y)
    return mix(bundles(face, standing), bundles(face, falling), torch.maximum(long, fringe_place(face)))


def ripple(face: Face) -> Tensor:
    """How far wavy hair swings to the right at each height, (B, H, W)."""
    swing = (face.grid.plane_y * 14 + face.person.pattern).sin()
    return 0.030 * face.person.hair_wave.clamp(min=0) * swing


def bundles(face: Face, across: Tensor) -> Tensor:
    """Bundles of hair side by side along `across`, and single hairs where the picture can show them."""
    down, pattern = face.grid.plane_y, face.person.pattern
    coarse = noise(across * 8 + pattern, down + pattern, "strands")
    fine = noise(across * 24 + pattern, down * 2, "strands") - 0.5
    return coarse + 0.8 * fine * face.visible(44)


def fringe_place(face: Face) -> Tensor:
    """1 where bangs hang, 0 elsewhere on the head and without bangs."""
    grid, crown = face.grid, face.measures.crown
    front = smooth(crown + 0.02, crown + 0.15, grid.plane_y)
    return face.traits.bangs * front * (1 - smooth(0.72, 0.92, grid.plane_x.abs() / face.measures.width))


def hair_outline(face: Face, long: Tensor) -> Tensor:
    """Distance to the outer edge: a cap over the skull, and below it the falling hair."""
    grid, person, measures = face.grid, face.person, face.measures
    volume = person.hair_volume + 0.015 * long
    above = (measures.middle - grid.plane_y).clamp(min=0) / (measures.middle - measures.crown + volume)
    falling = (person.hair_flare + ripple(face)) * smooth(-0.1, 0.6, grid.plane_y)
    width = measures.width + 0.7 * volume + long * falling
    round_distance = (((grid.plane_x / width).square() + above**SKULL_POWER).sqrt() - 1) * measures.width
    end = mix(measures.eye_line + 0.09, hair_end(face), long)
    return torch.maximum(round_distance, grid.plane_y - end)


def hair_end(face: Face) -> Tensor:
    """Height where long hair ends, rounded at the sides."""
    rounding = 0.5 * (face.grid.plane_x.abs() - 0.35).clamp(min=0).square()
    return face.person.eye_line + face.person.hair_length + 0.06 - rounding


def hair_surface(face: Face, colour: Tensor, strands: Tensor, outer: Tensor) -> Tensor:
    """Colour of every pixel of hair, (B, 3, H, W): strands, some of them grey, light and a shining band."""
    grid, person, light = face.grid, face.person, face.light
    crown_side = smooth(0.15, 0.45, grid.plane_x.abs() + 0.35 * grid.plane_y)
    streaks = smooth(0.30, 0.80, strands) * person.grey
    greying = (1 - face.traits.young) * (streaks + 0.5 * crown_side).clamp(max=0.75)
    colour = mix(colour, rgb(0.66, 0.65, 0.64, colour.device), flat(greying))
    sided = 0.84 + 0.45 * (grid.plane_x * light.across - 0.6 * (grid.plane_y + 0.2) * 0.6)
    body = (0.55 + 0.85 * strands) * sided.clamp(0.45, 1.35) * (0.72 + 0.28 * smooth(0.0, -0.07, outer))
    arc = grid.plane_y - face.measures.crown - 0.10 - 0.55 * (grid.plane_x - 0.25 * light.across).square()
    band = bump(arc / 0.065) + 0.6 * bump((grid.plane_y - 0.28 - 0.2 * strands) / 0.10)
    shine = band * smooth(0.30, 0.80, strands) * 0.38
    return colour * flat(body) + (colour * 0.7 + 0.08) * flat(shine)


def draw_back_hair(face: Face, hair: Hair) -> None:
    """Long hair behind the neck and the shoulders."""
    cover = face.inside(hair.outer) * hair.long * (1 - face.traits.bald)
    face.canvas.paint(hair.surface * 0.55, cover, HAIR)


def draw_front_hair(face: Face, hair: Hair) -> None:
    """Hair on and beside the forehead, with its shadow on the skin."""
    cover = face.inside(torch.maximum(hair.outer, forehead_edge(face, hair))) * (1 - face.traits.bald)
    shadow = fall(face, cover, 0.045) * (1 - cover) * face.cover
    face.canvas.darken(0.40 * shadow, rgb(0.85, 1.0, 1.0, cover.device))
    face.canvas.paint(hair.surface, cover, HAIR)


def forehead_edge(face: Face, hair: Hair) -> Tensor:
    """Distance into the part of the face that hair leaves free (positive inside it)."""
    grid, person, measures, traits = face.grid, face.person, face.measures, face.traits
    across = (grid.plane_x - 0.10 * face.scene.yaw) / measures.width
    from_parting = bump((across - 2.0 * person.hair_parting) / 0.22)
    receding = 0.10 * traits.male * (1 - traits.young) * bump((across.abs() - 0.5) / 0.16)
    line = measures.crown + person.hairline + 0.03 * across.square() + 0.30 * across.square() ** 3
    line = line - 0.05 * hair.long * from_parting - receding + 0.03 * (hair.strands - 0.5)
    fringe = measures.brow_line - 0.9 * person.brow_arch - 0.07
    fringe = fringe + 0.05 * (hair.strands - 0.5) + 0.05 * across.square()
    line = torch.where(traits.bangs > 0, torch.maximum(line, fringe), line)
    inward = 0.94 - hair.long * (0.94 - person.curtain - 0.04 * (grid.plane_y * 5 + person.pattern).sin())
    from_sides = (inward - across.abs()) * measures.width + 0.03 * (hair.strands - 0.5)
    return torch.minimum(grid.plane_y - line, from_sides)


def fall(face: Face, cover: Tensor, length: float) -> Tensor:
    """A soft shadow of `cover`, `length` away from the lamp."""
    reach = max(round(face.size * 0.03), 1)
    window = 2 * reach + 1
    padded = functional.pad(cover.unsqueeze(1), (reach,) * 4, mode="replicate")
    blurred = functional.avg_pool2d(functional.avg_pool2d(padded, (window, 1), 1), (1, window), 1)
    columns, rows = pixel_centres(face.size, cover.device)
    across = (columns + length * face.light.across).expand_as(cover)
    places = torch.stack([across, (rows - length).expand_as(cover)], dim=-1)
    return functional.grid_sample(blurred, places, align_corners=False, padding_mode="border")[:, 0]
