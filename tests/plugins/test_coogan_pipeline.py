"""The pipeline loses no pixel, mixes no patches, and needs no more of the device for a larger picture."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from faceedit_plugins.coogan import Options
from faceedit_plugins.coogan.model import generators
from faceedit_plugins.coogan.pipeline import CooGAN, cut, enlarge, pad_to_patches, stitch
from faceedit_plugins.labels.codes import difference
from faceedit_plugins.unet.pictures import shrink
from torch import Tensor

from faceedit_bench.api import THIRTEEN, EditBatch

A = len(THIRTEEN)
SIZES = [(1, 1), (127, 129), (768, 768), (1000, 700)]
SMALL = Options(
    width=4,
    layers=3,
    skip=2,
    local_width=4,
    local_layers=3,
    local_skip=2,
    snapshot=32,
    patch=16,
    local_size=64,
)


def picture(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(3)) * 2 - 1


def batch_of(images: Tensor, **columns: Tensor) -> EditBatch:
    count = len(images)
    given = {
        "source": torch.zeros(count, A),
        "target": torch.zeros(count, A),
        "edited": torch.zeros(count, A, dtype=torch.bool),
        "strength": torch.ones(count),
        "seeds": torch.arange(count),
        **columns,
    }
    return EditBatch(images=images, attributes=THIRTEEN, **given)


def with_local(local, options: Options | None = None) -> CooGAN:
    """The pipeline around a global generator that only darkens and a local generator that is a function."""
    networks = {"global": lambda snapshot, asked: snapshot * 0.5, "local": local}
    return CooGAN(networks, options or Options(), "cpu")


def small_editor(**changes) -> CooGAN:
    torch.manual_seed(0)
    options = dataclasses.replace(SMALL, **changes)
    return CooGAN(generators(options).eval(), options, "cpu")


# ---- invariants of the build sheet ----------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_local_generator_that_returns_its_picture_patch_gives_the_picture(size):
    images = picture(*size)
    assert torch.equal(with_local(lambda pair, asked: pair[:, :3]).edit(batch_of(images)), images)


@pytest.mark.parametrize("size", SIZES)
def test_a_local_generator_that_returns_its_guide_gives_the_enlarged_snapshot(size):
    images = picture(*size)
    result = with_local(lambda pair, asked: pair[:, 3:]).edit(batch_of(images))
    side = 128 * -(-max(size) // 128)
    canvas = torch.nn.functional.pad(images, (0, side - size[1], 0, side - size[0]), mode="replicate")
    small = torch.nn.functional.interpolate(canvas, (256, 256), mode="bicubic", antialias=True).clamp(-1, 1)
    guide = torch.nn.functional.interpolate(small * 0.5, (side, side), mode="bilinear", align_corners=False)
    torch.testing.assert_close(result, guide[:, :, : size[0], : size[1]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("patch_batch", [2, 3, 16])
def test_the_result_does_not_depend_on_patches_per_call(patch_batch):
    batch = batch_of(picture(50, 64), target=torch.ones(1, A))
    one, many = small_editor().edit(batch), small_editor(patch_batch=patch_batch).edit(batch)
    torch.testing.assert_close(one, many, rtol=0, atol=1e-5)  # float32; convolutions differ with batch size


def test_the_result_does_not_depend_on_the_order_of_patches():
    editor, asked = small_editor(), torch.ones(1, A)
    canvas = picture(64, 64)
    with torch.no_grad():
        guide = editor.guide(canvas, asked)
        result = editor.render(canvas, guide, asked)
        pairs = cut(torch.cat([canvas, guide], 1), 16)
        backwards = [editor.patch_editor(pair[None], asked) for pair in pairs.flip(0)]
    assert torch.equal(result, stitch(torch.cat(backwards).flip(0), 1))


def test_the_device_sees_the_same_shapes_at_any_size():
    def shapes_at(side: int) -> set[tuple[str, torch.Size]]:
        seen = set()

        def note(name: str, result):
            def network(images: Tensor, asked: Tensor) -> Tensor:
                seen.add((name, images.shape))
                return result(images)

            return network

        networks = {"global": note("global", lambda x: x), "local": note("local", lambda x: x[:, :3])}
        CooGAN(networks, Options(), "cpu").edit(batch_of(picture(side, side)))
        return seen

    assert shapes_at(768) == shapes_at(1536)
    assert shapes_at(768) == {("global", (1, 3, 256, 256)), ("local", (1, 6, 128, 128))}


def test_a_patch_changes_others_only_through_the_snapshot():
    editor, asked = small_editor(), torch.ones(1, A)
    before = picture(64, 64)
    after = before.clone()
    after[:, :, 16:32, 32:48] *= -1
    elsewhere = torch.ones(64, 64, dtype=torch.bool)
    elsewhere[16:32, 32:48] = False
    with torch.no_grad():
        guide = editor.guide(before, asked)
        same_guide = editor.render(after, guide, asked) - editor.render(before, guide, asked)
        whole = editor.edit_picture(after, asked) - editor.edit_picture(before, asked)
    assert same_guide[:, :, ~elsewhere].abs().max() > 0
    assert torch.equal(same_guide[:, :, elsewhere], torch.zeros_like(same_guide[:, :, elsewhere]))
    assert whole[:, :, elsewhere].abs().max() > 0  # the snapshot did change


def test_a_picture_does_not_depend_on_its_company():
    targets = torch.eye(A)[:3]
    images = picture(40, 64, count=3)
    together = small_editor().edit(batch_of(images, target=targets))
    alone = [small_editor().edit(batch_of(images[i : i + 1], target=targets[i : i + 1])) for i in range(3)]
    assert torch.equal(together, torch.cat(alone))


# ---- steps ----------------------------------------------------------------------------------------


def test_the_canvas_grows_to_the_right_and_down_to_whole_patches():
    images = picture(20, 33)
    canvas = pad_to_patches(images, 16, "replicate")
    assert canvas.shape == (1, 3, 48, 48)
    assert torch.equal(canvas[:, :, :20, :33], images)
    assert torch.equal(canvas[:, :, 47, :33], images[:, :, 19])
    assert torch.equal(canvas[:, :, :20, 47], images[:, :, :, 32])
    assert pad_to_patches(picture(32, 32), 16, "replicate").shape == (1, 3, 32, 32)
    assert pad_to_patches(images, 16, "constant")[0, 0, 47, 47] == 0


def test_the_picture_patch_comes_before_the_snapshot_patch():
    pairs = []

    def local(pair: Tensor, asked: Tensor) -> Tensor:
        pairs.append(pair)
        return pair[:, :3]

    images = picture(256, 256)
    with_local(local).edit(batch_of(images))
    assert torch.equal(pairs[1][:, :3], images[:, :, :128, 128:])  # row by row: the second is to the right
    guide = images * 0.5  # the snapshot is the picture: 256 pixels, and so is the guide
    assert torch.equal(pairs[2][:, 3:], guide[:, :, 128:, :128])


def test_global_and_local_generator_get_the_same_difference():
    asked_of = {}

    def note(name: str):
        def network(images: Tensor, asked: Tensor) -> Tensor:
            asked_of[name] = asked
            return images[:, :3]

        return network

    options = Options(patch_batch=4)
    batch = batch_of(picture(256, 256), target=torch.eye(A)[:1], edited=torch.eye(A)[:1].bool())
    CooGAN({"global": note("global"), "local": note("local")}, options, "cpu").edit(batch)
    assert asked_of["global"][0, 0] == 1.5
    assert torch.equal(asked_of["local"], asked_of["global"].expand(4, -1))


def test_without_the_global_generator_the_guide_is_the_unedited_snapshot():
    images = picture(64, 64)
    editor = small_editor(guide="input")
    guide = editor.guide(images, torch.ones(1, A))
    assert torch.equal(guide, enlarge(shrink(images, 32, "bicubic"), 64, "bilinear"))


def test_cutting_and_stitching_are_inverse_and_run_row_by_row():
    images = picture(48, 48, count=2)
    patches = cut(images, 16)
    assert patches.shape == (18, 3, 16, 16)
    assert torch.equal(patches[9 + 5], images[1, :, 16:32, 32:48])
    assert torch.equal(stitch(patches, 2), images)
    assert torch.equal(stitch(cut(images[:, :, :16], 16), 2, rows=1), images[:, :, :16])


# ---- what is asked --------------------------------------------------------------------------------


def changed(**entries: tuple[float, float, bool]) -> EditBatch:
    """One face with (source, target, edited) for the attributes named."""
    columns = {name: torch.zeros(1, A) for name in ("source", "target", "edited")}
    for attribute, values in entries.items():
        for name, value in zip(columns, values, strict=True):
            columns[name][0, THIRTEEN.index(attribute)] = value
    columns["edited"] = columns["edited"].bool()
    return batch_of(picture(8, 8), **columns)


def test_the_edited_entry_is_one_and_a_half_and_others_are_one_or_zero():
    """Sheet, section 6: "±1.5 for the edited entry (tester default strength 2), ±1 for entries changed by the
    conflict rule, 0 elsewhere"."""
    batch = changed(Black_Hair=(0, 1, True), Blond_Hair=(1, 0, False), Male=(1, 1, False))
    wanted = torch.zeros(1, A)
    wanted[0, THIRTEEN.index("Black_Hair")] = 1.5
    wanted[0, THIRTEEN.index("Blond_Hair")] = -1
    assert torch.equal(difference(batch, 2.0), wanted)


@pytest.mark.parametrize(
    ("before", "after", "strength", "wanted"), [(0, 1, 2, 1.5), (1, 0, 2, -1.5), (0, 1, 1, 1)]
)
def test_strength_is_that_of_the_released_tester(before, after, strength, wanted):
    """The tester doubles the target coded ±0.5 and subtracts the source coded ±0.5."""
    code = {0: -0.5, 1: 0.5}
    assert strength * code[after] - code[before] == wanted
    assert difference(changed(Young=(before, after, True)), strength)[0, THIRTEEN.index("Young")] == wanted


def test_the_strength_of_a_batch_scales_only_what_was_asked_for():
    batch = changed(Bald=(0, 1, True), Bangs=(1, 0, False))
    batch = dataclasses.replace(batch, strength=torch.tensor([0.5]))
    asked = difference(batch, 2.0)[0]
    assert asked[THIRTEEN.index("Bald")] == 0.75
    assert asked[THIRTEEN.index("Bangs")] == -1
