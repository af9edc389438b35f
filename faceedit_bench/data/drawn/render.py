"""Drawing faces: from seeds and labels to pictures and region maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .age import draw_age
from .beard import draw_beard, draw_moustache
from .eyes import draw_brows, draw_eyes
from .glasses import draw_earrings, draw_glasses
from .hair import comb, draw_back_hair, draw_front_hair, hair_colour
from .head import OTHERS, Face, measure, pose
from .mouth import draw_mouth
from .nose import draw_nose
from .paint import Box, Canvas, scramble
from .people import ATTRIBUTES, Traits, people
from .people import scenes as draw_scenes
from .relief import light_up, relief
from .skin import complexion, draw_skin
from .surroundings import draw_backdrop, draw_clothes, draw_ears, draw_neck

CHUNK = {"cpu": 1}  # faces drawn at once; one at a time keeps a processor's cache warm
CHUNK_ELSEWHERE = 256

EYE_BAND = Box(-0.62, -0.50, 0.62, 0.26)
GLASSES_BAND = Box(-0.75, -0.42, 0.75, 0.36)
NOSE_BAND = Box(-0.40, -0.22, 0.40, 0.50)
MOUTH_BAND = Box(-0.48, 0.12, 0.48, 0.86)
LOWER_FACE = Box(-0.75, -0.15, 0.75, 1.0)


@dataclass(frozen=True)
class Drawing:
    """Drawn faces."""

    images: Tensor  # (B, 3, H, W) uint8, RGB
    regions: Tensor  # (B, H, W) uint8, index into REGIONS


def draw(
    seeds: Sequence[int] | Tensor,
    labels: Tensor,
    size: int,
    *,
    scenes: Sequence[int] | Tensor | None = None,
    device: torch.device | str = "cpu",
) -> Drawing:
    """Draw the people `seeds` with attributes `labels` (B, 13), `size` pixels a side, in the scenes `scenes`.

    Without `scenes` every person has a scene of their own. A face's pixels do not depend on its company.
    """
    device = torch.device(device)
    identity = torch.as_tensor(seeds, dtype=torch.int64)
    place = identity if scenes is None else torch.as_tensor(scenes, dtype=torch.int64)
    if labels.shape != (len(identity), len(ATTRIBUTES)) or place.shape != identity.shape:
        raise ValueError(
            f"{len(identity)} seeds want labels of shape ({len(identity)}, {len(ATTRIBUTES)}) "
            f"and as many scenes; got labels {tuple(labels.shape)} and {len(place)} scenes"
        )
    chunk = CHUNK.get(device.type, CHUNK_ELSEWHERE)
    groups = zip(identity.split(chunk), labels.cpu().split(chunk), place.split(chunk), strict=True)
    with torch.inference_mode():
        parts = [draw_chunk(seeds, labels, scenes, size, device) for seeds, labels, scenes in groups]
    return Drawing(torch.cat([part.images for part in parts]), torch.cat([part.regions for part in parts]))


def draw_chunk(seeds: Tensor, labels: Tensor, scenes: Tensor, size: int, device: torch.device) -> Drawing:
    """Draw a few faces at once, back to front; parts that nobody in the chunk has are left out."""
    somebody = dict(zip(ATTRIBUTES, labels.amax(0).tolist(), strict=True))
    everybody = dict(zip(ATTRIBUTES, labels.amin(0).tolist(), strict=True))
    face = set_up(seeds.to(device), labels.to(device), scenes.to(device), size)
    skin, tint = complexion(face.person, face.traits), hair_colour(face.person, face.traits)
    hair = None if everybody["Bald"] else comb(face, tint)
    draw_backdrop(face)
    if hair:
        draw_back_hair(face, hair)
    draw_neck(face.within(LOWER_FACE), skin)
    draw_clothes(face)
    draw_ears(face, skin)
    draw_skin(face, skin)
    if not everybody["Young"]:
        draw_age(face)
    draw_nose(face.within(NOSE_BAND))
    draw_mouth(face.within(MOUTH_BAND), skin)
    draw_eyes(face.within(EYE_BAND))
    draw_brows(face.within(EYE_BAND), tint)
    if not everybody["No_Beard"]:
        draw_beard(face.within(LOWER_FACE), tint)
    if somebody["Mustache"]:
        draw_moustache(face.within(MOUTH_BAND), tint)
    if hair:
        draw_front_hair(face, hair)
    draw_earrings(face)
    if somebody["Eyeglasses"]:
        draw_glasses(face.within(GLASSES_BAND))
    return develop(face)


def set_up(seeds: Tensor, labels: Tensor, scenes: Tensor, size: int) -> Face:
    """Measure the heads, pose them and light them."""
    person, scene, traits = people(seeds), draw_scenes(scenes), Traits.of(labels)
    measures = measure(person, traits)
    grid = pose(size, scene, measures)
    light = light_up(grid, relief(grid, measures, person, traits), scene)
    picture = torch.empty(len(seeds), 3, size, size, device=seeds.device)
    regions = torch.full((len(seeds), size, size), OTHERS, dtype=torch.uint8, device=seeds.device)
    canvas, pixel = Canvas(picture, regions), scene.zoom * (2 / size)
    return Face(person, scene, traits, measures, canvas, grid, light, pixel, size)


def develop(face: Face) -> Drawing:
    """The camera: a little grain that belongs to the scene, then 8 bits."""
    places = torch.arange(face.size**2, device=face.pixel.device).view(1, face.size, face.size)
    grain = (scramble(places + (face.scene.grain.long() << 32)) >> 8).float() / 2**24 - 0.5
    picture = face.canvas.picture * 255 + 3 * grain.unsqueeze(1)
    return Drawing((picture + 0.5).clamp(0, 255.99).to(torch.uint8), face.canvas.regions)
