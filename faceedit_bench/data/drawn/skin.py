"""The colours of the skin, and its soft shadows."""

from __future__ import annotations

from torch import Tensor

from .head import SKIN, Face
from .paint import bump, flat, mix, noise, rgb, smooth
from .people import Person, Traits


def complexion(person: Person, traits: Traits) -> Tensor:
    """Colour of the skin, (B, 3, 1, 1): tanned to dark, or distinctly pale."""
    device = person.tone.device
    light, middle = rgb(0.82, 0.58, 0.42, device), rgb(0.64, 0.42, 0.28, device)
    dark, tone = rgb(0.38, 0.24, 0.17, device), flat(person.tone)
    tanned = mix(mix(light, middle, (2 * tone).clamp(max=1)), dark, (2 * tone - 1).clamp(min=0))
    tanned = tanned * (1 + flat(person.undertone) * rgb(0.03, -0.02, -0.07, device))
    pale = rgb(0.95, 0.85, 0.80, device) + flat(person.undertone) * rgb(0.0, -0.012, -0.02, device)
    return mix(tanned, pale - 0.03 * tone, flat(traits.pale_skin))


def skin_colour(face: Face, base: Tensor) -> Tensor:
    """Colour of every pixel of skin, (B, 3, H, W): blotches, blush, freckles, a mole."""
    grid, person, device = face.grid, face.person, base.device
    blotches = noise(grid.x * 6 + person.pattern, grid.y * 6 + person.pattern) - 0.5
    fine = noise(grid.x * 34 + person.pattern, grid.y * 34) * face.visible(34)
    unevenness = 1 + flat(0.16 * blotches + 0.03 * (fine - 0.5))
    red = 1 + flat(blush(face)) * rgb(0.05, -0.16, -0.13, device)
    freckled = 1 - flat(0.8 * freckles(face, fine)) * rgb(0.2, 0.4, 0.45, device)
    return base * unevenness * red * freckled * (1 - flat(mole(face)) * rgb(0.45, 0.6, 0.6, device))


def blush(face: Face) -> Tensor:
    """Red of the cheeks and the tip of the nose, (B, H, W)."""
    grid, measures = face.grid, face.measures
    red = 0.6 * bump((grid.side - 0.27) / 0.10, (grid.y - measures.eye_line - 0.23) / 0.075)
    red += 0.45 * bump(grid.x / 0.06, (grid.y - measures.nose_tip) / 0.05)
    return red * face.person.blush * (1.25 - 0.6 * face.traits.male)


def freckles(face: Face, fine: Tensor) -> Tensor:
    """Specks over nose and cheeks where the noise `fine` is high, (B, H, W)."""
    place = bump(face.grid.side / 0.22, (face.grid.y - face.measures.eye_line - 0.19) / 0.09)
    return smooth(0.52, 0.66, fine) * place * face.person.freckles.clamp(min=0)


def mole(face: Face) -> Tensor:
    """One dark spot on some faces, (B, H, W)."""
    person = face.person
    across, down = face.grid.x - person.mole_across, face.grid.y - person.mole_down
    distance = (across.square() + down.square()).sqrt()
    return face.inside(distance - person.mole_size) * (person.mole_size > 0)


def draw_skin(face: Face, base: Tensor) -> None:
    """The bare head with light on it."""
    colour = skin_colour(face, base) * face.light.falling + flat(face.light.gloss)
    face.canvas.paint(colour, face.cover, SKIN)
    shade_sockets(face)


def shade_sockets(face: Face) -> None:
    """Soft shadow in and below the eye sockets, beside the nose, in the cheeks and under the lip."""
    grid, measures, light, person = face.grid, face.measures, face.light, face.person
    eye_down, mouth_down = grid.y - measures.eye_line, grid.y - measures.mouth_line
    eye_side = grid.side - person.eye_distance
    shade = (0.10 + 2.0 * person.eye_depth) * bump((eye_side + 0.06) / 0.06, (eye_down + 0.03) / 0.05)
    beside_nose = bump((grid.x + 0.14 * light.across) / 0.045, (grid.y - measures.nose_tip + 0.07) / 0.08)
    shade += 0.5 * light.across.abs() * beside_nose
    circles = bump((eye_side + 0.02) / 0.06, (eye_down - 0.085) / 0.03)
    shade += 0.6 * person.eye_circles.clamp(min=0) * circles
    hollows = bump((grid.side - 0.29) / 0.05, (mouth_down + 0.03) / 0.10)
    shade += person.cheek_hollows.clamp(min=0) * hollows
    shade += 0.14 * bump(grid.x / 0.09, (mouth_down - 0.11) / 0.022)
    face.canvas.darken(shade, rgb(0.85, 1.0, 1.0, shade.device))
