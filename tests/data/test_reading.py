"""However faces are read, numbers are the same bits; what cannot be read is named or left out and counted."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from faceedit_bench import board, device, runs
from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.contracts import Sample, Samples
from faceedit_bench.data import reading
from faceedit_bench.data.upload import Upload
from faceedit_bench.errors import BadConfig, BadDataset, BadImage, UnknownName
from faceedit_bench.folders import CACHES
from faceedit_bench.observe import to_unit
from faceedit_bench.rescore import rescore
from faceedit_bench.store.records import export

Copy = Callable[[str], Path]
ROOMY = 2**40

SUITE = """
name = "six"
version = "1"
summary = "the test faces of a small tree"
dataset = "celeba"
split = "test"
resolution = 24
attributes = ["Eyeglasses", "Male"]
metrics = ["psnr", "ssim"]
shard_size = 3
batch_size = 2
[[edits]]
name = "reconstruction"
[[edits]]
name = "Male"
flips = ["Male"]
"""


@pytest.fixture
def six(tmp_path: Path) -> str:
    """A suite over the six test faces of the CelebA tree, without judges."""
    path = tmp_path / "six.toml"
    path.write_text(SUITE)
    return str(path)


def run(suite: str, data: Path | None, results: Path, **more: Any) -> runs.RunResult:
    settings: dict[str, Any] = {"workers": 1, "measure_cost": False, **more}
    return runs.run("copy", suite=suite, data=data, results=results, **settings)


def outcome(result: runs.RunResult) -> dict[str, Any]:
    """What must not depend on how faces are read, to the bit."""
    folder = result.folder.path
    shards = {path.name: path.read_bytes() for path in (folder / "shards").iterdir()}
    names = ["scores.json", "samples.parquet", "faces.json", "suite.json", "images/sheet.png"]
    rest: dict[str, Any] = {name: (folder / name).read_bytes() for name in names}
    return {"identity": result.folder.manifest.identity, **shards, **rest}


def read_as(result: runs.RunResult) -> dict[str, str]:
    found: dict[str, str] = result.folder.manifest.provenance["reading"]
    return found


def open_(root: Path, name: str = "celeba", split: str = "test", size: int = 24) -> Samples:
    return catalog().dataset(name).open(root, split, size, 0)


# ---- the same bits -----------------------------------------------------------------------------------


def test_no_cache_changes_a_bit(six: str, trees: Path, tmp_path: Path) -> None:
    found = {
        cache: run(six, trees / "celeba", tmp_path / cache, cache=cache, workers=2 if cache == "host" else 1)
        for cache in CACHES
    }
    assert {cache: read_as(result)["cache"] for cache, result in found.items()} == {
        "auto": "host", "device": "device", "host": "host", "pack": "pack", "none": "none"
    }  # fmt: skip
    whole = outcome(found["none"])
    assert all(outcome(result) == whole for result in found.values())
    assert read_as(found["none"])["decoder"].startswith("Pillow ")


def test_a_pack_on_any_cache_gives_the_same_bits_too(six: str, trees: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    reading.pack_faces(open_(trees / "celeba"), folder)
    whole = outcome(run(six, trees / "celeba", tmp_path / "files", cache="none"))
    for cache in CACHES:
        result = run(six, folder, tmp_path / cache, cache=cache)
        assert outcome(result) == whole
        assert read_as(result)["decoder"].startswith("packed by Pillow ")


def test_drawn_faces_and_their_truths_are_kept_as_they_are(tiny: str, tmp_path: Path) -> None:
    first, *others = [
        runs.run("truth", suite=tiny, results=tmp_path / cache, workers=1, limit=4, cache=cache)
        for cache in ("none", "device", "host", "pack")
    ]
    assert all(outcome(other) == outcome(first) for other in others)


def test_the_pack_in_the_cache_folder_is_made_once_and_used_again(
    six: str, trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEEDIT_CACHE", str(tmp_path / "cache"))
    run(six, trees / "celeba", tmp_path / "a", cache="pack")
    (folder,) = (tmp_path / "cache" / "packs").iterdir()
    assert folder.name.startswith("celeba-test-24px-")
    monkeypatch.setattr(reading, "pack_faces", None)
    run(six, trees / "celeba", tmp_path / "b", cache="pack")
    np.load(folder / "images.npy", mmap_mode="r+")[1, 0, 0, 0] ^= 1
    with pytest.raises(BadDataset, match="changed since it was packed"):
        run(six, trees / "celeba", tmp_path / "c", cache="pack")


def test_a_folder_of_pictures_can_be_packed_and_checked(trees: Path, tmp_path: Path) -> None:
    root = trees / "celeba" / "img_align_celeba"
    files = runs.run("copy", data=root, results=tmp_path / "a", workers=1, limit=3, measure_cost=False)
    packed = runs.run(
        "copy", data=root, results=tmp_path / "b", workers=1, limit=3, measure_cost=False, cache="pack"
    )
    assert outcome(files) == outcome(packed)
    checked = CliRunner().invoke(cli, ["data", "check", "folder", "--root", str(root), "--json"])
    assert json.loads(checked.stdout)["faces"] == 14


# ---- room --------------------------------------------------------------------------------------------


def plan(samples: Samples, asked: str, free: dict[str, int | None], **more: Any) -> reading.Reading:
    return reading.plan(samples, asked, free.__getitem__, face_bytes=1000, **more)


def test_auto_takes_the_quickest_way_that_there_is_room_for(trees: Path, tmp_path: Path) -> None:
    faces = open_(trees / "celeba")  # six: 6000 bytes
    on_gpu = {"device": "cuda"}
    assert plan(faces, "auto", {"cuda": 12_000, "cpu": ROOMY}, **on_gpu).cache == "device"
    assert plan(faces, "auto", {"cuda": 11_999, "cpu": ROOMY}, **on_gpu).cache == "host"
    assert plan(faces, "auto", {"cuda": ROOMY, "cpu": 11_999}, **on_gpu).cache == "none"
    assert plan(faces, "auto", {"cpu": 12_000}).cache == "host"
    assert plan(faces, "auto", {"cpu": None}).cache == "host"
    none = plan(faces, "auto", {"cpu": 12_000}, workers=2)
    assert none.cache == "none" and "--cache pack reads them quicker" in none.why
    reading.pack_faces(faces, tmp_path / "p")
    assert plan(open_(tmp_path / "p"), "auto", {"cpu": 0}).cache == "pack"


def test_a_cache_that_does_not_fit_is_refused_with_numbers(trees: Path) -> None:
    faces = open_(trees / "celeba")
    with pytest.raises(BadConfig, match=r"--cache device: the faces take 0 MiB.*free on cuda.*--cache pack"):
        plan(faces, "device", {"cuda": 11_999}, device="cuda")
    with pytest.raises(BadConfig, match=r"--cache device: .* free on cpu"):
        plan(faces, "device", {"cuda": ROOMY, "cpu": 11_999}, device="cuda")
    with pytest.raises(BadConfig, match=r"--cache host in 3 processes:.*or fewer --workers"):
        plan(faces, "host", {"cpu": 20_000}, workers=3)
    with pytest.raises(UnknownName, match="did you mean 'host'"):
        plan(faces, "hots", {"cpu": ROOMY})


def test_what_was_chosen_and_why_stands_in_the_manifest(
    six: str, trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "available_bytes", lambda place: 0)
    told = read_as(run(six, trees / "celeba", tmp_path))
    assert (told["asked"], told["cache"]) == ("auto", "none") and "host: the faces take" in told["why"]


def test_only_the_latest_faces_are_remembered_where_only_they_are_wanted(trees: Path) -> None:
    files = open_(trees / "celeba")
    latest = reading.applied(files, reading.AS_THEY_LIE, recent=2)
    assert isinstance(latest, reading.InMemory)
    first = latest[0]
    assert latest[0] is first and latest[1] is not None and latest[2] is not None
    assert sorted(latest.faces) == [1, 2] and np.array_equal(latest[0].image, first.image)
    kept = reading.applied(files, reading.Reading("host"))
    readers = [threading.Thread(target=lambda: [kept[i] for i in range(6)]) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert all(np.array_equal(kept[i].image, files[i].image) for i in range(6))


# ---- to the device -----------------------------------------------------------------------------------

PLACES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


@dataclasses.dataclass
class Counted:
    """Faces of random pixels."""

    images_: np.ndarray
    attributes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images_)

    def __getitem__(self, index: int) -> Sample:
        return Sample(str(index), self.images_[index], np.zeros(0, np.uint8))

    def digest(self) -> str:
        return ""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("keeps", [True, False])
def test_what_a_method_gets_is_the_same_bits_on_every_way(place: str, keeps: bool) -> None:
    faces = Counted(np.random.default_rng(0).integers(0, 256, (10, 3, 40, 40), np.uint8))
    upload = Upload(faces, place, to_unit(torch.arange(256, dtype=torch.uint8)), keeps=keeps)
    for _ in range(2):  # each edit comes over the same faces
        for positions in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [3], [9, 2]):
            source = torch.from_numpy(faces.images_[positions])
            assert torch.equal(upload(positions, source).cpu(), to_unit(source))


def test_a_face_that_is_kept_on_the_device_is_sent_once() -> None:
    faces = Counted(np.full((4, 3, 8, 8), 7, np.uint8))
    upload = Upload(faces, "cpu", to_unit(torch.arange(256, dtype=torch.uint8)), keeps=True)
    upload([0, 1], torch.full((2, 3, 8, 8), 7, dtype=torch.uint8))
    later = upload([1, 2], torch.full((2, 3, 8, 8), 90, dtype=torch.uint8))
    assert torch.equal(later[0], to_unit(torch.full((3, 8, 8), 7, dtype=torch.uint8)))
    assert upload.there.tolist() == [True, True, True, False]


# ---- pictures that cannot be read --------------------------------------------------------------------


def broken_tree(copy_of: Copy) -> Path:
    """Of six test faces one is no picture, and one has another size, which only decoding shows."""
    root = copy_of("celeba")
    (root / "img_align_celeba" / "182639.jpg").write_bytes(b"no picture")
    Image.new("RGB", (178, 200)).save(root / "img_align_celeba" / "182642.jpg")
    return root


def test_a_run_over_broken_pictures_ends_before_it_begins(six: str, copy_of: Copy, tmp_path: Path) -> None:
    root = broken_tree(copy_of)
    with pytest.raises(BadImage, match=r"1 of 6 pictures cannot be read;.*--skip-bad:\n.*182639\.jpg: not a"):
        run(six, root, tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("cache", ["none", "host", "device", "pack"])
def test_what_only_decoding_shows_is_listed_whole(
    cache: str, six: str, copy_of: Copy, tmp_path: Path
) -> None:
    root = copy_of("celeba")
    for number in (182640, 182642):
        Image.new("RGB", (178, 200)).save(root / "img_align_celeba" / f"{number}.jpg")
    with pytest.raises(BadImage, match=r"2 of 6 pictures(.|\n)*182640(.|\n)*178×200(.|\n)*182642"):
        run(six, root, tmp_path, cache=cache)


def test_left_out_pictures_are_named_and_counted_everywhere(six: str, copy_of: Copy, tmp_path: Path) -> None:
    root = broken_tree(copy_of)
    result = run(six, root, tmp_path, skip_bad=True)
    folder = result.folder
    assert folder.manifest.identity["data"]["left_out"] == ["182639", "182642"]
    assert folder.manifest.identity["data"]["count"] == 4
    record = export(folder.path)
    assert (record["faces"]["scored"], record["faces"]["of"]) == (4, 6)
    reasons = {one["sample"]: one["reason"] for one in record["faces"]["unusable"]}
    assert reasons["182639"].startswith("not a picture") and "178×200 pixels" in reasons["182642"]
    assert str(root) not in json.dumps(record)
    assert [(one["sample"], one["reason"]) for one in folder.failures()] == list(reasons.items())
    shown = CliRunner().invoke(cli, ["show", str(folder.path)]).output
    assert "copy (default) on six, 4 of 6 faces" in shown and "left out 2: 182639: not a picture" in shown
    shape = board.Board("A board", "six", "psnr", (board.Column("psnr", "PSNR", "higher"),))
    text = board.markdown([record], shape, "six")
    assert "4 of 6" in text


def test_skipping_gives_the_same_bits_over_files_and_packs_and_with_workers(
    six: str, copy_of: Copy, tmp_path: Path
) -> None:
    root = broken_tree(copy_of)
    whole = outcome(run(six, root, tmp_path / "a", skip_bad=True, cache="none"))
    for cache in ("host", "pack"):
        assert outcome(run(six, root, tmp_path / cache, skip_bad=True, cache=cache, workers=2)) == whole
    reading.pack_faces(open_(root), tmp_path / "pack-folder", skip_bad=True)
    assert outcome(run(six, tmp_path / "pack-folder", tmp_path / "b", skip_bad=True)) == whole
    with pytest.raises(BadImage, match=r"made without 2 broken pictures;.*--skip-bad(.|\n)*182639: not a"):
        run(six, tmp_path / "pack-folder", tmp_path / "c")


def test_a_first_part_leaves_out_what_lies_in_it(six: str, copy_of: Copy, tmp_path: Path) -> None:
    root = broken_tree(copy_of)
    reading.pack_faces(open_(root), tmp_path / "pack", skip_bad=True)
    files, packed = (
        run(six, data, tmp_path / data.name, skip_bad=True, limit=3) for data in (root, tmp_path / "pack")
    )
    assert outcome(files) == outcome(packed)
    assert packed.folder.faces()["of"] == 3 and packed.folder.faces()["scored"] == 2


def test_skipping_nothing_is_the_same_run(six: str, trees: Path, tmp_path: Path) -> None:
    one, other = (run(six, trees / "celeba", tmp_path / str(skip), skip_bad=skip) for skip in (False, True))
    assert outcome(one) == outcome(other)


def test_a_run_that_left_pictures_out_can_be_scored_again(six: str, copy_of: Copy, tmp_path: Path) -> None:
    root = broken_tree(copy_of)
    folder = run(six, root, tmp_path, skip_bad=True, keep_pictures=True).folder
    (score,) = [one for one in rescore(folder, ["l2"], data=root) if one.edit == "reconstruction"]
    assert (score.value, score.n) == (0.0, 4)


def test_pictures_of_other_programs_are_scored_without_the_broken_ones(
    six: str, copy_of: Copy, tmp_path: Path
) -> None:
    root = broken_tree(copy_of)
    kept = run(six, root, tmp_path / "kept", skip_bad=True, keep_pictures=True).folder.edited
    words = ["score", "--suite", six, "--data", root, "--edited", f"{kept}/{{edit}}/{{id}}.png"]
    done = CliRunner().invoke(cli, [*map(str, words), "--name", "mine", "--workers", "1", "--skip-bad"])
    assert done.exit_code == 0 and "mine (pictures supplied) on six, 4 of 6 faces" in done.output


def test_where_nothing_can_be_skipped_it_is_said(tiny: str, six: str, copy_of: Copy, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="--skip-bad: data set 'drawn-faces' has no picture files"):
        runs.run("copy", suite=tiny, results=tmp_path, skip_bad=True)
    root = copy_of("celeba")
    for path in (root / "img_align_celeba").glob("18*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(BadImage, match="6 of 6 pictures cannot be read"):
        run(six, root, tmp_path, skip_bad=True)


def test_a_folder_may_be_scored_without_its_broken_pictures(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    for number in range(3):
        (root / "below").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (9 * number, 80, 9)).save(root / "below" / f"{number}.png")
    (root / "below" / "1.png").write_bytes(b"")
    (root / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadImage, match=r"2 of 4 pictures(.|\n)*1\.png(.|\n)*torn\.jpg"):
        runs.run("copy", data=root, results=tmp_path / "r", workers=1, measure_cost=False)
    result = runs.run("copy", data=root, results=tmp_path / "r", workers=1, measure_cost=False, skip_bad=True)
    faces = result.folder.faces()
    assert faces["scored"] == 2
    assert [one["sample"] for one in faces["unusable"]] == ["below/1.png", "torn.jpg"]
