"""Photographs in, edited photographs and a sheet out: at their own size, whole, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

from faceedit_bench.api import THIRTEEN, EditBatch, MethodSpec
from faceedit_bench.catalog import Origin, catalog
from faceedit_bench.cli import cli
from faceedit_bench.data import images
from faceedit_bench.data.images import read_image
from faceedit_bench.edit import Request, edit_photos
from faceedit_bench.errors import BadConfig, BadImage, BrokenPromise, NoFace, ResultsError, UnknownName

Edit = Callable[[EditBatch], object]


@pytest.fixture
def method() -> Iterator[Callable[..., str]]:
    """Offers a function as the method `trial` for one test, another one as its `explain`."""
    found = catalog()

    def offer(edit: Edit, explain: Edit | None = None) -> str:
        shows = {} if explain is None else {"explain": lambda self, batch: explain(batch)}
        editor = type("Trial", (), {"edit": lambda self, batch: edit(batch), **shows})
        found.methods["trial"] = MethodSpec(
            "trial", "1", "for a test", "none", THIRTEEN, (), load=lambda options, context: editor()
        )
        found.origins["method", "trial"] = Origin("trial", "tests", "0")
        return "trial"

    yield offer
    found.methods.pop("trial", None)
    found.origins.pop(("method", "trial"), None)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 45, 3), np.uint8)).save(path)
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


GLASSES = Request({"Eyeglasses": 1})


def test_an_edited_photo_has_the_resolution_of_the_photo(photo: Path, tmp_path: Path) -> None:
    written = edit_photos([photo], method="copy", request=GLASSES, out=tmp_path / "out")
    assert [path.name for path in written] == ["photo-edited.png", "sheet.png"]
    assert files(tmp_path / "out") == ["photo-edited.png", "sheet.png"]
    assert np.array_equal(read_image(written[0]), read_image(photo))  # copy changes no bit


def test_a_method_that_darkens_darkens_the_photo_and_the_sheet(
    photo: Path, tmp_path: Path, method: Callable[[Edit], str]
) -> None:
    name = method(lambda batch: torch.full_like(batch.images, -1))
    edited, sheet = edit_photos([photo], method=name, request=GLASSES, out=tmp_path)
    assert read_image(edited).max() == 0
    page = read_image(sheet)
    assert (
        page[:, :, -100:].min(axis=0) == 0
    ).sum() >= 64 * 42  # the last cell, 64 px wide, shape kept, is black


def test_the_difference_asked_for_is_exactly_what_was_set(
    photo: Path, tmp_path: Path, method: Callable[[Edit], str]
) -> None:
    seen: list[EditBatch] = []
    name = method(lambda batch: seen.append(batch) or batch.images)
    request = Request({"Eyeglasses": 1, "Male": 0}, strength=0.5)
    edit_photos([photo], method=name, request=request, out=tmp_path / "out")
    (batch,) = seen
    change = dict(zip(batch.attributes, batch.change[0].tolist(), strict=True))
    assert {key: value for key, value in change.items() if value} == {"Eyeglasses": 1, "Male": -1}
    asked = [key for key, value in zip(batch.attributes, batch.edited[0].tolist(), strict=True) if value]
    assert asked == ["Eyeglasses", "Male"]
    assert batch.strength.tolist() == [0.5]
    assert batch.images.shape == (1, 3, 30, 45)
    assert (batch.source.min(), batch.source.max()) == (0, 1)


def test_what_the_photo_shows_is_told_and_gives_way_to_what_it_excludes(
    photo: Path, tmp_path: Path, method: Callable[[Edit], str]
) -> None:
    seen: list[EditBatch] = []
    name = method(lambda batch: seen.append(batch) or batch.images)
    request = Request({"Blond_Hair": 1}, has=frozenset({"Black_Hair", "Male"}))
    edit_photos([photo], method=name, request=request, out=tmp_path / "out")
    (batch,) = seen

    def on(labels: torch.Tensor) -> set[str]:
        return {key for key, value in zip(batch.attributes, labels[0].tolist(), strict=True) if value}

    assert on(batch.source) == {"Black_Hair", "Male"}
    assert on(batch.target) == {"Blond_Hair", "Male"}
    assert on(batch.edited) == {"Blond_Hair"}


@pytest.mark.parametrize("name", ["stargan", "attgan"])
def test_a_method_that_is_told_every_attribute_wants_to_know_them(
    photo: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "any.safetensors"
    save_file({"any": torch.zeros(1)}, weights)
    with pytest.raises(BadConfig, match="give --has"):
        edit_photos([photo], method=name, weights=weights, request=GLASSES, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_size_scales_the_shorter_side_and_keeps_the_shape(photo: Path, tmp_path: Path) -> None:
    request = Request({"Eyeglasses": 1}, size=60)
    edited, _ = edit_photos([photo], method="copy", request=request, out=tmp_path / "out")
    assert read_image(edited).shape == (3, 60, 90)


def test_a_photo_of_one_pixel_is_edited(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (9, 8, 7)).save(tmp_path / "dot.png")
    edited, _ = edit_photos([tmp_path / "dot.png"], method="copy", request=GLASSES, out=tmp_path / "out")
    assert read_image(edited)[:, 0, 0].tolist() == [9, 8, 7]


def test_the_astronaut_keeps_her_512_pixels(tmp_path: Path) -> None:
    skimage = pytest.importorskip("skimage.data")
    Image.fromarray(skimage.astronaut()).save(tmp_path / "astronaut.png")
    edited, sheet = edit_photos(
        [tmp_path / "astronaut.png"],
        method="copy",
        request=Request({"Eyeglasses": 1, "Male": 0}),
        out=tmp_path,
    )
    assert read_image(edited).shape == (3, 512, 512)
    assert Image.open(sheet).width > 2 * 512  # source and edit, side by side


# ---- photos in which no face is found


def blind_to_the_first(method: Callable[..., str]) -> str:
    """A method that finds a face only in pictures wider than 30 px."""

    def edit(batch: EditBatch) -> torch.Tensor:
        if batch.images.shape[3] <= 30:
            raise NoFace("the aligner found no face")
        return batch.images

    return method(edit)


def test_a_photo_without_a_face_is_left_out_and_told(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (30, 30)).save(small)
    told: list[str] = []
    name, out = blind_to_the_first(method), tmp_path / "out"
    written = edit_photos(
        [small, photo], method=name, request=GLASSES, out=out,
        without_face=lambda path, error: told.append(f"{path.name}: {error}"),
    )  # fmt: skip
    assert told == ["small.png: the aligner found no face"]
    assert files(out) == ["photo-edited.png", "sheet.png"] == [path.name for path in written]


def test_without_anyone_to_tell_a_photo_without_a_face_is_an_error(
    tmp_path: Path, method: Callable[..., str]
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (30, 30)).save(small)
    refuse([small], tmp_path / "out", NoFace, r"small\.png: the aligner", method=blind_to_the_first(method))


def test_the_command_counts_photos_without_a_face_and_fails_only_without_any(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (30, 30)).save(small)
    command = ["--method", blind_to_the_first(method), "--set", "Male=1", "--out"]
    some = CliRunner().invoke(cli, ["edit", str(small), str(photo), *command, str(tmp_path / "a")])
    assert some.exit_code == 0 and "1 of 2 photo(s) edited" in some.output
    assert f"left out {small}: the aligner found no face" in some.output
    none = CliRunner().invoke(cli, ["edit", str(small), *command, str(tmp_path / "b")])
    assert none.exit_code == 1 and "no photo could be edited" in none.output


def test_an_edit_takes_subnormal_numbers_for_zero_as_runs_do(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    found: list[bool] = []

    def edit(batch: EditBatch) -> torch.Tensor:
        found.append(bool((torch.full((64,), 2.0**-130) * 0.5).any()))
        return batch.images

    torch.set_flush_denormal(False)
    try:
        assert bool((torch.full((64,), 2.0**-130) * 0.5).any())
        edit_photos([photo], method=method(edit), request=GLASSES, out=tmp_path / "out")
    finally:
        torch.set_flush_denormal(False)
    assert found == [False]


# ---- explain: what shows how a method edits


def keep(batch: EditBatch) -> torch.Tensor:
    return batch.images


def halves(batch: EditBatch) -> dict[str, torch.Tensor]:
    """A mask that is black at the left and white at the right, and one in colours."""
    mask = torch.zeros_like(batch.images[:, :1])
    mask[..., mask.shape[-1] // 2 :] = 1
    return {"mask": mask, "in-colour": torch.full_like(batch.images, 0.5)}


def test_what_explains_is_written_beside_the_result_and_shown_on_the_sheet(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    name, out = method(keep, halves), tmp_path / "out"
    plain = edit_photos([photo], method=name, request=GLASSES, out=tmp_path / "plain")
    written = edit_photos([photo], method=name, request=GLASSES, out=out, explain=True)
    assert [path.name for path in written] == [
        "photo-edited.png",
        "photo-mask.png",
        "photo-in-colour.png",
        "sheet.png",
    ]
    mask = read_image(out / "photo-mask.png")
    assert mask.shape == (3, 30, 45) and mask[:, :, :22].max() == 0 and mask[:, :, 22:].min() == 255
    assert np.all(read_image(out / "photo-in-colour.png") == 128)
    assert Image.open(written[-1]).width >= Image.open(plain[-1]).width * 5 // 3  # four pictures, not two


def test_nothing_is_explained_unasked(photo: Path, tmp_path: Path, method: Callable[..., str]) -> None:
    edit_photos([photo], method=method(keep, halves), request=GLASSES, out=tmp_path / "out")
    assert files(tmp_path / "out") == ["photo-edited.png", "sheet.png"]


def test_a_method_that_cannot_explain_says_so_before_it_edits(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    asked: list[EditBatch] = []
    name = method(lambda batch: asked.append(batch) or batch.images)
    refuse([photo], tmp_path / "out", BadConfig, "trial cannot show", method=name, explain=True)
    assert not asked


def test_an_explanation_that_exists_is_kept_unless_told(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    name, out = method(keep, halves), tmp_path / "out"
    out.mkdir()
    (out / "photo-mask.png").write_text("mine")
    refuse([photo], out, ResultsError, "photo-mask.png exists already", method=name, explain=True)
    edit_photos([photo], method=name, request=GLASSES, out=out, explain=True, overwrite=True)
    assert read_image(out / "photo-mask.png").shape == (3, 30, 45)


def test_two_photos_whose_pictures_would_share_a_file_are_refused(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    other = tmp_path / "photo-mask.png"  # its result and the mask's own edit would be one file
    other.write_bytes(photo.read_bytes())
    name = method(keep, lambda batch: {"mask-edited": batch.images[:, :1] * 0})
    refuse([photo, other], tmp_path / "out", ResultsError, "both be written", method=name, explain=True)


@pytest.mark.parametrize(
    ("shows", "what"),
    [
        (lambda images: images, "must return names with tensors, found Tensor"),
        (lambda images: {"a/b": images * 0}, "becomes part of a file's name"),
        (lambda images: {"edited": images * 0}, "not 'edited'"),
        (lambda images: {"mask": images[0] * 0}, r"'mask': wanted \(1, 1, 30, 45\) or \(1, 3, 30, 45\)"),
        (lambda images: {"mask": images.numpy()}, "wanted a tensor, found ndarray"),
        (lambda images: {"mask": images - 5}, "wanted numbers from 0 to 1"),
        (lambda images: {"mask": images * torch.nan}, "wanted numbers from 0 to 1"),
        (lambda images: {"mask": images.reshape(7, -1)}, "failed on photo.png, 45×30 px: RuntimeError"),
    ],
)
def test_an_explanation_that_is_none_is_named(
    photo: Path,
    tmp_path: Path,
    method: Callable[..., str],
    shows: Callable[[torch.Tensor], object],
    what: str,
) -> None:
    name = method(keep, lambda batch: shows(batch.images))
    refuse([photo], tmp_path / "out", BrokenPromise, f"trial.*{what}", method=name, explain=True)


def test_every_photo_is_explained_by_the_same_pictures(
    photo: Path, tmp_path: Path, method: Callable[..., str]
) -> None:
    second = tmp_path / "second.png"
    second.write_bytes(photo.read_bytes())
    calls: list[str] = []
    name = method(keep, lambda batch: calls.append("mask") or {f"mask{len(calls)}": batch.images[:, :1] * 0})
    with pytest.raises(BrokenPromise, match=r"found edited, mask2 of second\.png and edited, mask1"):
        edit_photos([photo, second], method=name, request=GLASSES, out=tmp_path / "out", explain=True)


# ---- refusals: one clear line, nothing written


def refuse(photos: list[Path], out: Path, error: type[Exception], match: str, **changes: object) -> None:
    before = files(out)
    given: dict[str, object] = {"method": "copy", "request": GLASSES, **changes}
    with pytest.raises(error, match=match):
        edit_photos(photos, out=out, **given)  # type: ignore[arg-type]
    assert files(out) == before


def test_an_unknown_method_or_attribute_gets_the_nearest_name(photo: Path, tmp_path: Path) -> None:
    refuse([photo], tmp_path / "out", UnknownName, "did you mean 'copy'", method="cpoy")
    refuse(
        [photo], tmp_path / "out", UnknownName, "did you mean 'Eyeglasses'", request=Request({"Eyeglases": 1})
    )


def test_nothing_asked_is_refused(photo: Path, tmp_path: Path) -> None:
    refuse([photo], tmp_path / "out", BadConfig, "at least one --set", request=Request({}))


def test_a_bad_photo_stops_everything_before_the_first_is_written(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much more")
    refuse([photo, tmp_path / "cut.jpg"], tmp_path / "out", BadImage, r"cut\.jpg")
    refuse([photo, tmp_path / "gone.jpg"], tmp_path / "out", BadImage, r"gone\.jpg: no such file")


def test_what_exists_is_kept_unless_told(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    edit_photos([photo], method="copy", request=GLASSES, out=out)
    refuse([photo], out, ResultsError, "exists already; give --overwrite")
    edit_photos([photo], method="copy", request=GLASSES, out=out, overwrite=True)


def test_two_photos_of_one_name_are_refused(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "photo.jpg"
    other.parent.mkdir()
    Image.open(photo).save(other)
    refuse([photo, other], tmp_path / "out", ResultsError, "would both be written")


def test_the_ceiling_cannot_edit_photos(photo: Path, tmp_path: Path) -> None:
    refuse([photo], tmp_path / "out", BadConfig, "only drawn faces have", method="truth")


def test_an_unusable_device_is_named(photo: Path, tmp_path: Path) -> None:
    refuse([photo], tmp_path / "out", BadConfig, "abacus", device="abacus")


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda images: images[:, :, 1:], r"returned \(1, 3, 29, 45\); must keep \(1, 3, 30, 45\)"),
        (lambda images: images * 3, "left the range"),
        (lambda images: images / 0 * 0, "NaN"),
        (lambda images: images.double(), "float64"),
        (lambda images: images.numpy(), "wanted a tensor, found ndarray"),
        (lambda images: images.reshape(7, -1), "failed on photo.png, 45×30 px: RuntimeError"),
    ],
)
def test_a_method_that_breaks_its_promise_is_named_with_photo_and_edit(
    photo: Path, tmp_path: Path, method: Callable[[Edit], str], wrong: Edit, what: str
) -> None:
    name = method(lambda batch: wrong(batch.images))
    refuse([photo], tmp_path / "out", BrokenPromise, f"trial.*{what}", method=name)


def test_a_full_disk_leaves_no_half_picture(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "out").mkdir()
    monkeypatch.setattr(images.os, "fsync", full)
    refuse([photo], tmp_path / "out", ResultsError, "No space left on device")


def test_a_file_in_the_place_of_the_folder_is_named(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(ResultsError, match="wanted a folder"):
        edit_photos([photo], method="copy", request=GLASSES, out=tmp_path / "out")


@pytest.mark.photos
def test_every_photo_of_a_real_folder_is_edited_at_its_own_size(tmp_path: Path) -> None:
    """Opt-in: FACEEDIT_TEST_PHOTOS names a folder of photographs, hats, profiles and grey ones included."""
    folder = os.environ.get("FACEEDIT_TEST_PHOTOS")
    if not folder:
        pytest.skip("set FACEEDIT_TEST_PHOTOS to a folder of photographs")
    weights = catalog().method("coogan").presets["demo"].weights
    for number, path in enumerate(images.list_images(folder)):
        out = tmp_path / str(number)
        edited, _ = edit_photos([path], method="coogan" if weights else "copy", request=GLASSES, out=out)
        assert read_image(edited).shape == read_image(path).shape, path
