"""Who is drawn: the numbers of an identity, those of a scene, and how often attributes occur."""

# ruff: noqa: RUF009  (`between` only wraps `dataclasses.field`)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import torch
from torch import Tensor

from .paint import scramble

ATTRIBUTES: tuple[str, ...] = (
    "Bald",
    "Bangs",
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Eyeglasses",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "No_Beard",
    "Pale_Skin",
    "Young",
)

IDENTITY_SALT, SCENE_SALT, LABEL_SALT = 11, 23, 37

Numbers = TypeVar("Numbers")


def between(low: float, high: float) -> Any:
    """A number drawn evenly from [low, high), one per face: (B, 1, 1)."""
    return field(metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Person:
    """What stays when the same person is drawn again. Lengths are in halves of the picture's side."""

    # skull
    face_width: Tensor = between(0.405, 0.54)  # middle to side
    face_taper: Tensor = between(0.0, 0.30)  # how much narrower at the chin
    jaw_power: Tensor = between(1.65, 2.8)  # 2 is an ellipse, more is square
    crown_height: Tensor = between(0.56, 0.67)  # eye line to top of the skull
    eye_line: Tensor = between(-0.11, -0.02)
    nose_length: Tensor = between(0.20, 0.34)  # eye line to tip
    philtrum: Tensor = between(0.18, 0.235)  # tip to mouth
    chin_length: Tensor = between(0.25, 0.35)  # mouth to chin
    cheekbones: Tensor = between(0.01, 0.09)
    cheek_hollows: Tensor = between(-0.15, 0.30)  # none below 0
    chin_dimple: Tensor = between(-1.0, 1.0)
    ear_size: Tensor = between(0.8, 1.25)
    # eyes and brows
    eye_distance: Tensor = between(0.172, 0.255)  # middle of the face to middle of the eye
    eye_width: Tensor = between(0.086, 0.128)
    eye_height: Tensor = between(0.32, 0.56)  # of the eye's width
    eye_tilt: Tensor = between(-0.18, 0.28)
    eye_depth: Tensor = between(0.01, 0.10)
    eye_circles: Tensor = between(-0.15, 0.35)  # dark below the eyes, none below 0
    iris_size: Tensor = between(0.40, 0.48)
    iris_hue: Tensor = between(0.0, 1.0)
    brow_height: Tensor = between(0.120, 0.175)
    brow_arch: Tensor = between(0.0, 0.075)
    brow_slope: Tensor = between(-0.04, 0.04)
    brow_length: Tensor = between(0.112, 0.158)
    brow_thickness: Tensor = between(0.012, 0.022)
    # nose and mouth
    nose_width: Tensor = between(0.65, 1.55)
    nose_bridge: Tensor = between(0.7, 1.6)  # width of the ridge
    nose_height: Tensor = between(0.05, 0.17)
    nose_bulb: Tensor = between(0.01, 0.08)
    mouth_width: Tensor = between(0.130, 0.228)
    lip_upper: Tensor = between(0.020, 0.055)
    lip_lower: Tensor = between(0.030, 0.078)
    lip_bow: Tensor = between(0.1, 1.0)
    lipstick: Tensor = between(0.45, 1.0)
    lipstick_hue: Tensor = between(0.0, 1.0)
    # skin
    tone: Tensor = between(0.0, 1.0)
    undertone: Tensor = between(-1.0, 1.0)
    blush: Tensor = between(0.2, 1.0)
    freckles: Tensor = between(-1.6, 1.0)  # none below 0
    mole_across: Tensor = between(-0.34, 0.34)
    mole_down: Tensor = between(0.02, 0.62)
    mole_size: Tensor = between(-0.012, 0.018)  # none below 0
    pattern: Tensor = between(0.0, 30.0)  # place in the noise
    # hair
    hair_volume: Tensor = between(0.055, 0.13)
    hair_length: Tensor = between(0.38, 1.15)
    hair_flare: Tensor = between(-0.02, 0.16)
    hair_wave: Tensor = between(-0.8, 1.0)  # straight below 0
    hair_parting: Tensor = between(-0.26, 0.26)
    hairline: Tensor = between(0.11, 0.19)  # below the top of the skull
    hair_shade: Tensor = between(0.85, 1.18)
    natural_colour: Tensor = between(0.0, 1.0)  # auburn below a half, grey above
    curtain: Tensor = between(0.80, 0.95)  # width of the face that long hair leaves free
    beard_spread: Tensor = between(0.0, 1.0)  # around the mouth, or the whole jaw
    beard_length: Tensor = between(0.0, 0.05)
    moustache_droop: Tensor = between(0.0, 1.0)
    grey: Tensor = between(0.5, 0.8)  # share of grey strands in old age
    # glasses and earrings
    lens_width: Tensor = between(0.135, 0.165)
    lens_height: Tensor = between(0.085, 0.125)
    lens_corner: Tensor = between(0.25, 1.0)
    frame_thickness: Tensor = between(0.024, 0.036)
    frame_colour: Tensor = between(0.0, 1.0)
    earrings: Tensor = between(-1.0, 1.0)  # none below 0


@dataclass(frozen=True)
class Scene:
    """What changes from picture to picture of one person."""

    yaw: Tensor = between(-0.26, 0.26)
    pitch: Tensor = between(-0.08, 0.08)
    roll: Tensor = between(-0.09, 0.09)  # radians
    shift_across: Tensor = between(-0.05, 0.05)
    shift_down: Tensor = between(-0.03, 0.05)
    zoom: Tensor = between(0.88, 1.00)  # more is farther away
    light_across: Tensor = between(-0.85, 0.85)
    light_down: Tensor = between(-0.75, -0.25)
    ambient: Tensor = between(0.46, 0.58)
    warmth: Tensor = between(-0.04, 0.04)
    smile: Tensor = between(0.1, 1.0)
    gaze_across: Tensor = between(-0.16, 0.16)
    gaze_down: Tensor = between(-0.06, 0.06)
    opening: Tensor = between(0.09, 0.14)  # of an open mouth
    backdrop_hue: Tensor = between(0.0, 1.0)
    backdrop_hue_step: Tensor = between(-0.22, 0.22)
    backdrop_light: Tensor = between(0.25, 0.85)
    backdrop_contrast: Tensor = between(0.1, 0.7)
    backdrop_colour: Tensor = between(0.05, 0.5)
    backdrop_place: Tensor = between(0.0, 30.0)
    clothes_hue: Tensor = between(0.0, 1.0)
    clothes_light: Tensor = between(0.12, 0.85)
    clothes_colour: Tensor = between(0.0, 0.75)
    neckline: Tensor = between(0.0, 1.0)  # round below a half, else a V
    grain: Tensor = between(0.0, float(2**24))  # place in the grain of the film


@dataclass(frozen=True)
class Traits:
    """The attributes as 0 or 1, each (B, 1, 1), in the order of ATTRIBUTES."""

    bald: Tensor
    bangs: Tensor
    black_hair: Tensor
    blond_hair: Tensor
    brown_hair: Tensor
    bushy_eyebrows: Tensor
    eyeglasses: Tensor
    male: Tensor
    mouth_slightly_open: Tensor
    mustache: Tensor
    no_beard: Tensor
    pale_skin: Tensor
    young: Tensor

    @classmethod
    def of(cls, labels: Tensor) -> Traits:
        """From labels (B, 13)."""
        return cls(*labels.float()[:, :, None, None].unbind(1))


def uniforms(seeds: Tensor, count: int, salt: int) -> Tensor:
    """`count` numbers in [0, 1) for every seed: (B, count) float32."""
    keys = scramble(seeds + (salt << 40))[:, None] + (torch.arange(count, device=seeds.device) << 32)
    return (scramble(keys) >> 8).float() / 2**24


def numbers(kind: type[Numbers], seeds: Tensor, salt: int) -> Numbers:
    """Draw every field of `kind` for every seed."""
    parts = fields(kind)  # type: ignore[arg-type]
    low = torch.tensor([part.metadata["low"] for part in parts], device=seeds.device)
    high = torch.tensor([part.metadata["high"] for part in parts], device=seeds.device)
    drawn = low + (high - low) * uniforms(seeds, len(parts), salt)  # (B, fields)
    return kind(*drawn[:, :, None, None].unbind(1))


def people(seeds: Tensor) -> Person:
    """Identities of these seeds."""
    return numbers(Person, seeds, IDENTITY_SALT)


def scenes(seeds: Tensor) -> Scene:
    """Scenes of these seeds, unrelated to the identities of the same number."""
    return numbers(Scene, seeds, SCENE_SALT)


def labels(seeds: Sequence[int]) -> Tensor:
    """Attributes of the people with these numbers, (B, 13) uint8 in {0, 1}, correlated as in life.

    Half are men and two thirds young (more of the women). Only men are bald, more of them when old, or wear
    a moustache or a beard, often both. The bald have no hair colour and no bangs; of the others a third has
    black hair, a quarter blond (more of the women), a quarter brown and the rest auburn or grey. Bangs are
    commoner in women, bushy eyebrows in men, glasses in the old.
    """
    chance = uniforms(torch.as_tensor(seeds, dtype=torch.int64), 12, LABEL_SALT).double()
    male = chance[:, 0] < 0.49
    young = chance[:, 1] < torch.where(male, 0.62, 0.74)
    bald = male & (chance[:, 2] < torch.where(young, 0.15, 0.33))
    black = ~bald & (chance[:, 3] < 0.32)
    blond_end = torch.where(male, 0.53, 0.62)
    blond = ~bald & ~black & (chance[:, 3] < blond_end)
    brown = ~bald & ~black & ~blond & (chance[:, 3] < blond_end + 0.26)
    beard = male & (chance[:, 4] < 0.42)
    columns = {
        "Bald": bald,
        "Bangs": ~bald & (chance[:, 5] < torch.where(male, 0.16, 0.38)),
        "Black_Hair": black,
        "Blond_Hair": blond,
        "Brown_Hair": brown,
        "Bushy_Eyebrows": chance[:, 6] < torch.where(male, 0.40, 0.12),
        "Eyeglasses": chance[:, 7] < torch.where(young, 0.16, 0.32),
        "Male": male,
        "Mouth_Slightly_Open": chance[:, 8] < 0.45,
        "Mustache": male & (chance[:, 9] < torch.where(beard, 0.50, 0.22)),
        "No_Beard": ~beard,
        "Pale_Skin": chance[:, 10] < torch.where(male, 0.20, 0.26),
        "Young": young,
    }
    return torch.stack([columns[name] for name in ATTRIBUTES], dim=1).to(torch.uint8)
