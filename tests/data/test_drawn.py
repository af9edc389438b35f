"""Drawn faces: deterministic, whatever the company, and an edit changes only what it means."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from faceedit_bench.data.drawn import ATTRIBUTES, REGIONS, Drawing, draw, five_points, labels
from faceedit_bench.data.drawn import render as renderer

SEEDS = list(range(40, 52))
REFERENCE = Path(__file__).parent / "drawn_reference.png"  # seeds 0 to 3 at 64 pixels, side by side


@pytest.fixture(scope="module")
def drawn() -> Drawing:
    return draw(SEEDS, labels(SEEDS), 128)


def flipped(name: str) -> Tensor:
    edited = labels(SEEDS)
    edited[:, ATTRIBUTES.index(name)] ^= 1
    return edited


def near(drawings: tuple[Drawing, Drawing], names: str, pixels: int) -> Tensor:
    """Pixels at most `pixels` away from the named regions of either drawing."""
    wanted = torch.tensor([REGIONS.index(name) for name in names.split()], dtype=torch.uint8)
    inside = torch.stack([torch.isin(drawing.regions, wanted) for drawing in drawings]).any(0).float()
    return functional.max_pool2d(inside[:, None], 2 * pixels + 1, 1, pixels)[:, 0] > 0


def changed(before: Drawing, after: Drawing) -> Tensor:
    return (before.images != after.images).any(1)


def digest(drawing: Drawing) -> str:
    content = drawing.images.numpy().tobytes() + drawing.regions.numpy().tobytes()
    return hashlib.sha256(content).hexdigest()


def test_a_face_does_not_depend_on_its_company(drawn: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = draw(SEEDS[5:6], labels(SEEDS[5:6]), 128)
    assert torch.equal(alone.images[0], drawn.images[5])
    assert torch.equal(alone.regions[0], drawn.regions[5])
    monkeypatch.setitem(renderer.CHUNK, "cpu", 5)
    together = draw(SEEDS, labels(SEEDS), 128)
    assert torch.equal(together.images, drawn.images)


def test_a_fresh_process_draws_the_same_bytes(drawn: Drawing) -> None:
    program = (
        "import hashlib, torch; from faceedit_bench.data.drawn import draw, labels; "
        f"seeds = {SEEDS}; d = draw(seeds, labels(seeds), 128); "
        "print(hashlib.sha256(d.images.numpy().tobytes() + d.regions.numpy().tobytes()).hexdigest())"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == digest(drawn)


def test_every_platform_draws_the_reference_within_one_step() -> None:
    wanted = torch.tensor(list(Image.open(REFERENCE).tobytes())).view(64, 4, 64, 3).permute(1, 3, 0, 2)
    found = draw(range(4), labels(range(4)), 64).images
    assert (found.int() - wanted).abs().max() <= 1  # platforms round the last bit of a float differently


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_draws_the_same_faces_within_one_step(drawn: Drawing) -> None:
    there = draw(SEEDS, labels(SEEDS), 128, device="cuda")
    apart = (there.images.cpu().int() - drawn.images.int()).abs()
    assert apart.max() <= 1


@pytest.mark.parametrize("size", [32, 33, 64, 200])
def test_any_size_and_any_labels_draw(size: int) -> None:
    chance = torch.Generator().manual_seed(size)
    anything = (torch.rand(6, len(ATTRIBUTES), generator=chance) < 0.5).to(torch.uint8)
    seeds = [-1, 0, 2**62, 7, 8, 9]
    drawing = draw(seeds, anything, size)
    assert drawing.images.shape == (6, 3, size, size) and drawing.images.dtype == torch.uint8
    assert drawing.regions.shape == (6, size, size) and drawing.regions.max() < len(REGIONS)
    assert drawing.images.float().std(dim=(1, 2, 3)).min() > 10


def test_wrong_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 seeds want labels of shape \(2, 13\)"):
        draw([1, 2], labels([1]), 32)


@pytest.mark.parametrize(
    ("attribute", "where", "pixels"),
    [
        ("Eyeglasses", "eyeglasses", 1),
        ("Bushy_Eyebrows", "eyebrows", 3),
        ("Mouth_Slightly_Open", "lips mouth", 3),
        ("Mustache", "lips mouth", 14),
        ("No_Beard", "skin nose lips mouth neck", 2),
        ("Bangs", "hair", 12),  # the fringe and its shadow
        ("Pale_Skin", "skin ears neck nose lips mouth eyes eyebrows eyeglasses hair", 2),
        ("Bald", "hair", 12),
    ],
)
def test_an_edit_changes_only_its_region(drawn: Drawing, attribute: str, where: str, pixels: int) -> None:
    after = draw(SEEDS, flipped(attribute), 128)
    change, allowed = changed(drawn, after), near((drawn, after), where, pixels)
    assert (change & ~allowed).sum() == 0
    visible = change.flatten(1).float().mean(1) > 0.002
    assert visible.float().mean() >= 0.5  # the bald have no bangs to lose and bangs hide some brows


@pytest.mark.parametrize("attribute", ["Male", "Young"])
def test_a_change_of_the_whole_head_leaves_the_surroundings(drawn: Drawing, attribute: str) -> None:
    after = draw(SEEDS, flipped(attribute), 128)
    head = near((drawn, after), " ".join(name for name in REGIONS if name != "others"), 2)
    assert (changed(drawn, after) & ~head).sum() == 0


def test_hair_colour_changes_hair_and_brows_only() -> None:
    women = labels(SEEDS)
    women[:, [ATTRIBUTES.index(name) for name in ("Bald", "Male", "Mustache")]] = 0
    women[:, ATTRIBUTES.index("No_Beard")] = 1
    women[:, 2:5] = torch.tensor([1, 0, 0], dtype=torch.uint8)
    blond = women.clone()
    blond[:, 2:5] = torch.tensor([0, 1, 0], dtype=torch.uint8)
    before, after = draw(SEEDS, women, 128), draw(SEEDS, blond, 128)
    allowed = near((before, after), "hair eyebrows", 3)
    assert (changed(before, after) & ~allowed).sum() == 0
    assert torch.equal(before.regions, after.regions)


def test_glasses_lips_and_mouths_are_on_the_map(drawn: Drawing) -> None:
    by_name = dict(zip(ATTRIBUTES, labels(SEEDS).T, strict=True))

    def share(region: str) -> Tensor:
        return (drawn.regions == REGIONS.index(region)).flatten(1).float().mean(1)

    assert torch.equal(share("eyeglasses") > 0.01, by_name["Eyeglasses"] == 1)  # with the lenses
    assert torch.equal(share("mouth") > 0, by_name["Mouth_Slightly_Open"] == 1)
    assert torch.equal(share("hair") > 0, by_name["Bald"] == 0)
    for region in ("skin", "nose", "lips", "neck", "others"):
        assert share(region).min() > 0.001, region


@pytest.mark.parametrize("size", [96, 256])
def test_five_points_are_the_pixels_that_the_renderer_puts_there(size: int) -> None:
    """Its grid tells which place on the face every pixel shows; the nearest pixel is half a pixel away at
    most, and a little more as nearness is that on the face."""
    seeds, scenes = torch.tensor(SEEDS), torch.tensor(SEEDS) + 7
    face = renderer.set_up(seeds, labels(SEEDS), scenes, size)
    person, measures = face.person, face.measures
    eyes_and_nose = (
        (-person.eye_distance, measures.eye_line),
        (person.eye_distance, measures.eye_line),
        (0, measures.nose_tip),
    )
    away = [((face.grid.x - x).square() + (face.grid.y - y).square()).flatten(1) for x, y in eyes_and_nose]
    nearest = torch.stack(away).argmin(2).T
    pixels = torch.stack([nearest % size, nearest // size], dim=2)
    points = five_points(SEEDS, labels(SEEDS), size, scenes=scenes)
    assert (points[:, :3] - pixels).abs().max() < 0.6


def test_corners_of_the_mouth_are_where_the_lips_end() -> None:
    closed = labels(SEEDS)
    closed[:, ATTRIBUTES.index("Mouth_Slightly_Open")] = 0
    lips = draw(SEEDS, closed, 256).regions == REGIONS.index("lips")
    columns = lips.any(1).int()  # (B, W)
    first, last = columns.argmax(1), 255 - columns.flip(1).argmax(1)
    corners = five_points(SEEDS, closed, 256)[:, 3:]
    assert (corners[:, 0, 0] - first).abs().max() < 1.5 and (corners[:, 1, 0] - last).abs().max() < 1.5
    below = torch.arange(256).view(1, -1, 1)
    for column, corner in ((first, corners[:, 0]), (last, corners[:, 1])):
        inside = lips.gather(2, column.view(-1, 1, 1).expand(-1, 256, 1))
        middle = (inside * below).sum((1, 2)) / inside.sum((1, 2))
        assert (corner[:, 1] - middle).abs().max() < 3


def test_a_person_is_drawn_in_many_scenes(drawn: Drawing) -> None:
    elsewhere = draw(SEEDS, labels(SEEDS), 128, scenes=[seed + 1000 for seed in SEEDS])
    assert (changed(drawn, elsewhere).flatten(1).float().mean(1) > 0.5).all()
    same = draw(SEEDS, labels(SEEDS), 128, scenes=SEEDS)
    assert torch.equal(same.images, drawn.images)


def test_labels_are_like_in_life() -> None:
    many = labels(range(5000)).bool()
    have = dict(zip(ATTRIBUTES, many.T, strict=True))
    colours = many[:, 2:5].sum(1)
    assert colours.max() == 1
    assert not (have["Bald"] & (have["Bangs"] | (colours > 0))).any()
    assert not (~have["Male"] & (have["Bald"] | have["Mustache"] | ~have["No_Beard"])).any()
    prevalence = many.float().mean(0)
    assert prevalence.min() > 0.08 and prevalence.max() < 0.82
    assert torch.equal(labels([17, 3])[1], labels([3])[0])
