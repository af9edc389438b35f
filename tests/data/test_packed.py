"""Packs: the same faces under the same digest; stopped packing goes on; nothing half-made is ever used."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceedit_bench.catalog import catalog
from faceedit_bench.data import packed
from faceedit_bench.data.packed import Packed, open_pack
from faceedit_bench.data.photographs import reader
from faceedit_bench.errors import BadDataset, BadImage

Copy = Callable[[str], Path]


def pack(root: Path, folder: Path, name: str = "celeba", split: str = "test", **more: Any) -> Packed:
    return packed.pack(reader(name), name, root, split=split, resolution=24, folder=folder, **more)


def test_a_pack_gives_the_same_faces_under_the_same_digest(trees: Path, tmp_path: Path) -> None:
    spec = catalog().dataset("celeba")
    made = pack(trees / "celeba", tmp_path / "pack")
    files, arrays = spec.open(trees / "celeba", "test", 24, 0), spec.open(made.folder, "test", 24, 0)
    assert made.digest == arrays.digest() == files.digest() and made.faces == len(arrays) == len(files)
    for i in range(len(files)):
        assert (arrays[i].id, arrays[i].identity) == (files[i].id, files[i].identity)
        assert np.array_equal(arrays[i].image, files[i].image)
        assert np.array_equal(arrays[i].labels, files[i].labels)
        assert np.array_equal(arrays[i].landmarks, files[i].landmarks)
    assert (
        spec.open(made.folder, "test", 24, 3).digest() == spec.open(trees / "celeba", "test", 24, 3).digest()
    )
    assert not list(tmp_path.glob(".*")) and not (made.folder / "lock").exists()


def test_regions_are_packed_too(trees: Path, tmp_path: Path) -> None:
    made = pack(trees / "hq", tmp_path / "pack", "celebamask-hq", "train")
    files = catalog().dataset("celebamask-hq").open(trees / "hq", "train", 24, 0)
    arrays = open_pack(made.folder, "celebamask-hq", "train", 24, 0)
    assert arrays.regions is not None and np.array_equal(arrays.regions[1], files[1].regions)


def test_what_is_not_in_the_pack_is_told(trees: Path, tmp_path: Path) -> None:
    folder = pack(trees / "celeba", tmp_path / "pack", count=2).folder
    with pytest.raises(
        BadDataset, match="dataset celeba instead of lfw, split test instead of all, resolution 24"
    ):
        open_pack(folder, "lfw", "all", 32, 0)
    with pytest.raises(BadDataset, match="has the first 2 faces of split 'test', wanted all"):
        open_pack(folder, "celeba", "test", 24, 0)
    with pytest.raises(BadDataset, match="there already"):
        pack(trees / "celeba", folder)


def stop_after(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails when so many parts are written."""
    real, written = packed._write_part, []

    def write(job: Any, start: int, stop: int) -> Any:
        if len(written) == parts:
            raise KeyboardInterrupt
        written.append(start)
        return real(job, start, stop)

    monkeypatch.setattr(packed, "_write_part", write)


def test_packing_that_was_stopped_goes_on(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SPAN", 2)
    whole = pack(trees / "celeba", tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(2, patch)
        pack(trees / "celeba", tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
    made = pack(trees / "celeba", tmp_path / "pack")
    assert made.kept == 4 and made.digest == whole.digest
    assert (made.folder / "images.npy").read_bytes() == (whole.folder / "images.npy").read_bytes()


def test_a_part_that_was_damaged_meanwhile_is_made_again(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SPAN", 2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(2, patch)
        pack(trees / "celeba", tmp_path / "pack")
    np.load(tmp_path / ".pack.part" / "images.npy", mmap_mode="r+")[3] ^= 1
    with (tmp_path / ".pack.part" / "journal.jsonl").open("a") as journal:
        journal.write('{"start": 4, "st')  # cut off
    made = pack(trees / "celeba", tmp_path / "pack")
    assert made.kept == 2
    open_pack(made.folder, "celeba", "test", 24, 0).digest()


def test_a_stopped_packing_of_something_else_is_left_alone(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(0, patch)
        pack(trees / "celeba", tmp_path / "pack")
    with pytest.raises(BadDataset, match=r"a stopped packing of something else .*split was test, is train"):
        pack(trees / "celeba", tmp_path / "pack", split="train")


def test_two_packings_into_one_folder_do_not_mix(trees: Path, tmp_path: Path) -> None:
    with (
        packed._alone(tmp_path / ".pack.part"),
        pytest.raises(BadDataset, match="another process is packing"),
    ):
        pack(trees / "celeba", tmp_path / "pack")


def test_broken_pictures_stop_it_or_are_left_out_and_listed(
    copy_of: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "SPAN", 2)
    root = copy_of("celeba")
    spec = catalog().dataset("celeba")
    files = spec.open(root, "test", 24, 0)
    kept = [files[i] for i in (0, 2, 3, 5)]
    for number in (182639, 182642):
        (root / "img_align_celeba" / f"{number}.jpg").write_bytes(b"x")
    with pytest.raises(
        BadImage, match=r"2 of 6 pictures(.|\n)*--skip-bad(.|\n)*182639\.jpg(.|\n)*182642\.jpg"
    ):
        pack(root, tmp_path / "pack")
    made = pack(root, tmp_path / "pack", skip_bad=True)
    assert [one["id"] for one in made.skipped] == ["182639", "182642"]
    listed = [json.loads(line) for line in (made.folder / "failures.jsonl").read_text().splitlines()]
    assert listed == made.skipped and "not a picture" in listed[0]["reason"]
    arrays = open_pack(made.folder, "celeba", "test", 24, 0)
    assert arrays.digest() == made.digest != spec.open(root, "train", 24, 0).digest()
    for face, wanted in zip((arrays[i] for i in range(4)), kept, strict=True):
        assert face.id == wanted.id and np.array_equal(face.image, wanted.image)
    first = open_pack(made.folder, "celeba", "test", 24, 4)  # of the files, two of which were read
    assert first.ids == ["182638", "182640", "182641"] and set(first.left_out) == {"182639"}
    with pytest.raises(BadDataset, match=r"wanted 7 faces, found 6"):
        open_pack(made.folder, "celeba", "test", 24, 7)
    (made.folder / "failures.jsonl").write_text("")
    with pytest.raises(BadDataset, match=r"failures\.jsonl: does not name all 2 faces; pack again"):
        open_pack(made.folder, "celeba", "test", 24, 0)


def test_a_changed_byte_of_a_pack_is_found(trees: Path, tmp_path: Path) -> None:
    folder = pack(trees / "celeba", tmp_path / "pack").folder
    np.load(folder / "images.npy", mmap_mode="r+")[1, 0, 0, 0] ^= 1
    with pytest.raises(BadDataset, match=r"changed since it was packed \(faces from 0 on\)"):
        open_pack(folder, "celeba", "test", 24, 0).digest()
    (folder / "pack.json").write_text("{}")
    with pytest.raises(BadDataset, match="wanted a pack of format 1"):
        open_pack(folder, "celeba", "test", 24, 0)


def test_a_disk_without_room_is_named(trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "check_room", functools.partial(_no_room))
    with pytest.raises(BadDataset, match="no room"):
        pack(trees / "celeba", tmp_path / "pack")


def _no_room(folder: Path, wanted: int) -> None:
    assert wanted == 6 * 3 * 24 * 24
    raise BadDataset("no room")
