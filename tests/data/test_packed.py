"""Packs: the same faces under the same digest; stopped packing goes on; nothing half-made is ever used."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceedit_bench.catalog import catalog
from faceedit_bench.data import packing, reading
from faceedit_bench.data.packed import open_pack
from faceedit_bench.data.packing import Packed
from faceedit_bench.data.photographs import reader
from faceedit_bench.errors import BadDataset, BadImage

Copy = Callable[[str], Path]


def pack(root: Path, folder: Path, name: str = "celeba", split: str = "test", **more: Any) -> Packed:
    return packing.pack(reader(name), name, root, split=split, resolution=24, folder=folder, **more)


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
    real, written = packing._write_part, []

    def write(job: Any, start: int, stop: int) -> Any:
        if len(written) == parts:
            raise KeyboardInterrupt
        written.append(start)
        return real(job, start, stop)

    monkeypatch.setattr(packing, "_write_part", write)


def test_packing_that_was_stopped_goes_on(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SPAN", 2)
    whole = pack(trees / "celeba", tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(2, patch)
        pack(trees / "celeba", tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
    made = pack(trees / "celeba", tmp_path / "pack")
    assert made.kept == 4 and made.digest == whole.digest
    assert (made.folder / "images.npy").read_bytes() == (whole.folder / "images.npy").read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from faceedit_bench.data import packing
from faceedit_bench.data.photographs import reader

real, packing.SPAN = packing._write_part, 2

def write(job, start, stop):
    if start == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(job, start, stop)

packing._write_part = write
root, folder = map(Path, sys.argv[1:])
packing.pack(reader("celeba"), "celeba", root, split="test", resolution=24, folder=folder)
"""


def test_packing_that_was_killed_goes_on(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SPAN", 2)
    whole = pack(trees / "celeba", tmp_path / "whole")
    done = subprocess.run([sys.executable, "-c", KILLED, trees / "celeba", tmp_path / "pack"], timeout=60)
    assert done.returncode == -signal.SIGKILL and not (tmp_path / "pack").exists()
    made = pack(trees / "celeba", tmp_path / "pack")
    assert made.kept == 4 and made.digest == whole.digest
    assert (made.folder / "images.npy").read_bytes() == (whole.folder / "images.npy").read_bytes()
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(
        path.name for path in whole.folder.iterdir()
    )


def test_what_was_packed_of_a_file_that_changed_is_packed_again(
    copy_of: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SPAN", 2)
    root = copy_of("celeba")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(2, patch)
        pack(root, tmp_path / "pack")
    pictures = root / "img_align_celeba"
    shutil.copy(pictures / "000001.jpg", pictures / "182638.jpg")
    made = pack(root, tmp_path / "pack")
    files = catalog().dataset("celeba").open(root, "test", 24, 0)
    assert made.kept == 2 and made.digest == files.digest()
    assert np.array_equal(open_pack(made.folder, "celeba", "test", 24, 0)[0].image, files[0].image)


def test_a_pack_is_what_its_files_were_when_they_change_afterwards(copy_of: Copy, tmp_path: Path) -> None:
    root = copy_of("celeba")
    made = pack(root, tmp_path / "pack")
    pictures = root / "img_align_celeba"
    shutil.copy(pictures / "000001.jpg", pictures / "182638.jpg")
    assert open_pack(made.folder, "celeba", "test", 24, 0).digest() == made.digest
    assert catalog().dataset("celeba").open(root, "test", 24, 0).digest() != made.digest


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """What is said on stderr besides errors."""
    for quiet in ("CI", "FACEEDIT_QUIET"):
        monkeypatch.delenv(quiet, raising=False)
    return lambda: capsys.readouterr().err


def test_packing_that_stops_says_what_stays_and_leaves_nothing_where_there_is_nothing(
    copy_of: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Callable[[], str]
) -> None:
    stays = f"What is packed so far stays in {tmp_path / '.pack.part'}: the same command goes on with it."
    root = copy_of("celeba")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(0, patch)
        pack(root, tmp_path / "pack")
    assert stays not in told() and list(tmp_path.iterdir()) == [root]
    (root / "img_align_celeba" / "182639.jpg").write_bytes(b"x")
    with pytest.raises(BadImage, match="1 of 6 pictures cannot be read"):
        pack(root, tmp_path / "pack")
    assert stays in told() and (tmp_path / ".pack.part").exists()


def test_a_part_that_was_damaged_meanwhile_is_made_again(
    trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SPAN", 2)
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
    monkeypatch.setattr(packing, "SPAN", 2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(1, patch)
        pack(trees / "celeba", tmp_path / "pack")
    before = sorted((tmp_path / ".pack.part").iterdir())
    with pytest.raises(BadDataset, match=r"a stopped packing of something else .*split was test, is train"):
        pack(trees / "celeba", tmp_path / "pack", split="train")
    assert sorted((tmp_path / ".pack.part").iterdir()) == before


def test_two_packings_into_one_folder_do_not_mix(trees: Path, tmp_path: Path) -> None:
    with (
        packing._alone(tmp_path / ".pack.part"),
        pytest.raises(BadDataset, match="another process is packing"),
    ):
        pack(trees / "celeba", tmp_path / "pack")


def test_broken_pictures_stop_it_or_are_left_out_and_listed(
    copy_of: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SPAN", 2)
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


def test_a_pack_that_another_process_made_meanwhile_is_not_overwritten(trees: Path, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    faces = catalog().dataset("celeba").open(trees / "celeba", "test", 24, 0)
    with pytest.raises(BadDataset, match="there already, made by another process"):
        packing.pack_faces(faces, tmp_path / "pack")
    assert list(tmp_path.iterdir()) == [tmp_path / "pack"]


def test_a_disk_without_room_is_named(trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=5000))
    wanted = "wanted 0.0 MiB of free disk for the pack, found 0.0 MiB; make room, or "
    with pytest.raises(BadDataset, match=f"{wanted}choose another folder with --to"):
        pack(trees / "celeba", tmp_path / "pack")
    monkeypatch.setenv("FACEEDIT_CACHE", str(tmp_path / "cache"))
    faces = catalog().dataset("celeba").open(trees / "celeba", "test", 24, 0)
    with pytest.raises(BadDataset, match=f"{wanted}move the cache with FACEEDIT_CACHE"):
        reading.packed(faces)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room is not taken in advance here")
def test_a_disk_that_is_full_all_the_same_is_an_error_before_anything_is_written(
    copy_of: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Callable[[], str]
) -> None:
    """Room is taken in advance: writing into a mapped file without any ends the process with a signal."""
    root = copy_of("celeba")

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(BadDataset, match=r"images\.npy: wanted 0\.0 MiB for it \(No space.* with --to"):
            pack(root, tmp_path / "pack")
    assert list(tmp_path.iterdir()) == [root]
    (root / "img_align_celeba" / "182639.jpg").write_bytes(b"x")
    with pytest.raises(BadImage):
        pack(root, tmp_path / "pack")
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)  # when the faces are moved up over the broken one
        with pytest.raises(BadDataset, match=r"images\.npy\.new: wanted"):
            pack(root, tmp_path / "pack", skip_bad=True)
    assert "stays in" in told()
    made = pack(root, tmp_path / "pack", skip_bad=True)
    assert made.faces == 5 and not list(made.folder.glob("*.new"))
