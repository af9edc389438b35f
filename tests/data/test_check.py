"""data check reads everything once and says all that is amiss; where and pack on the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.data import images
from faceedit_bench.data.check import check
from faceedit_bench.data.photographs import reader
from faceedit_bench.data.sources import SOURCES
from faceedit_bench.data.workers import over_spans
from faceedit_bench.errors import FaceEditError

Copy = Callable[[str], Path]


def data(*words: object) -> Result:
    return CliRunner().invoke(cli, ["data", *map(str, words)])


@pytest.mark.parametrize(
    ("name", "tree", "faces"),
    [
        ("celeba", "celeba", 14),
        ("celeba-170", "celeba", 14),
        ("celebahq", "hq", 6),
        ("celebamask-hq", "hq", 6),
        ("lfw", "lfw", 10),
        ("ffhq", "ffhq", 4),
        ("folder-csv", "csv", 4),
        ("imagefolder", "imagefolder", 4),
    ],
)
def test_every_set_is_whole_and_has_the_digests_that_runs_show(
    trees: Path, name: str, tree: str, faces: int
) -> None:
    report = check(reader(name), name, trees / tree)
    assert report.is_sound and report.faces == faces and sum(report.sizes.values()) == faces
    spec = catalog().dataset(name)
    for split, digest in report.digests.items():
        assert digest == spec.open(trees / tree, split, 16, 0).digest()
    assert set(report.splits) <= set(spec.splits)
    assert spec.attributes in ((), report.attributes)


def test_all_that_is_amiss_is_reported_at_once(copy_of: Copy) -> None:
    root = copy_of("celeba")
    pictures = root / "img_align_celeba"
    (pictures / "182638.jpg").unlink()
    (pictures / "182639.jpg").write_bytes((pictures / "182639.jpg").read_bytes()[:900])
    shutil.copy(pictures / "000001.jpg", pictures / "000002.jpg")
    shutil.copy(pictures / "000001.jpg", pictures / "another.jpg")
    result = data("check", "celeba", "--root", root, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1 and not report["whole"] and not report["sound"]
    assert report["missing"] == ["182638.jpg"] and report["unlisted"] == 1
    assert len(report["broken"]) == 1 and "182639.jpg: truncated" in report["broken"][0]
    assert report["doubles"] == [["000001", "000002"]]
    assert "test" not in report["digests"] and "train" in report["digests"]
    shown = data("check", "celeba", "--root", root)
    assert shown.exit_code == 1 and "celeba: NOT whole: 1 missing, 1 broken" in shown.output
    lines = shown.output.splitlines()
    assert lines[lines.index("missing:") + 1] == "  182638.jpg"
    assert "182639.jpg: truncated" in lines[lines.index("broken:") + 1]
    assert lines[lines.index("doubled:") + 1] == "  000001 = 000002"


def test_a_whole_set_ends_well(trees: Path) -> None:
    result = data("check", "folder-csv", "--root", trees / "csv")
    assert result.exit_code == 0 and "folder-csv: all 4 faces that it lists can be used" in result.output
    assert json.loads(data("check", "folder-csv", "--root", trees / "csv", "--json").stdout)["whole"]


@pytest.mark.parametrize(
    ("name", "tree", "faces"),
    [
        ("celeba", "celeba", "14 of 202,599, 5 people, 40 attributes"),
        ("celebahq", "hq", "6 of 30,000, 40 attributes"),
        ("lfw", "lfw", "10 of 13,143, 5 people, 38 attributes"),
        ("ffhq", "ffhq", "4 of 70,000, 0 attributes"),
    ],
)
def test_a_part_of_a_set_is_told_from_the_whole(trees: Path, name: str, tree: str, faces: str) -> None:
    result = data("check", name, "--root", trees / tree)
    told = " ".join(result.output.split())
    assert result.exit_code == 0 and faces in told
    assert f"{name}: a part of the set, {faces.partition(',')[0]}" in told and "all that it lists" in told
    report = json.loads(data("check", name, "--root", trees / tree, "--json").stdout)
    assert report["sound"] and not report["whole"] and report["faces"] < report["published"]


def test_masks_are_counted_and_a_face_without_its_skin_is_broken(copy_of: Copy) -> None:
    root = copy_of("hq")
    before = check(reader("celebamask-hq"), "celebamask-hq", root)
    assert before.masks["skin"] == 6 and all(0 < faces <= 6 for faces in before.masks.values())
    (root / "CelebAMask-HQ-mask-anno" / "0" / "00001_skin.png").unlink()
    (root / "CelebAMask-HQ-mask-anno" / "0" / "00000_nose.png").unlink()
    result = data("check", "celebamask-hq", "--root", root)
    assert result.exit_code == 1 and "0/00001_skin.png: no such file; get it again" in result.output
    assert "skin 5" in result.output and "nose 4" in result.output


@pytest.mark.parametrize(
    ("name", "tree"),
    [("celeba", "celeba"), ("celebamask-hq", "hq"), ("lfw", "lfw"), ("imagefolder", "imagefolder")],
)
def test_what_is_told_fits_eighty_columns(
    trees: Path, name: str, tree: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trees)
    told = data("check", name, "--root", tree).output + data("where", name).output + data("where").output
    assert [line for line in told.splitlines() if len(line) > 80] == []
    digest = check(reader(name), name, Path(tree)).digests.popitem()[1]
    assert digest[:32] in told


def test_every_picture_is_decoded_once(
    copy_of: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those whose bytes do not say whether they were cut off."""
    root = copy_of("csv")
    with images.Image.open(root / "face-0.png") as picture:
        picture.save(root / "face-0.bmp")
    (root / "face-0.png").unlink()
    (root / "labels.csv").write_text((root / "labels.csv").read_text().replace("face-0.png", "face-0.bmp"))
    with (root / "face-1.png").open("ab") as file:
        file.write(b"bytes after the end")
    opened: list[str] = []
    real = images.Image.open
    monkeypatch.setattr(images.Image, "open", lambda file: opened.append(file.name) or real(file))
    check(reader("folder-csv"), "folder-csv", root)
    assert len(opened) == len(set(opened)) == 4
    opened.clear()
    packed = ("pack", "folder-csv", "--root", root, "--split", "all", "--size", 16, "--to", tmp_path / "p")
    assert data(*packed).exit_code == 0 and len(opened) == len(set(opened)) == 4


def test_unknown_sets_and_packs_are_refused(trees: Path, tmp_path: Path) -> None:
    assert "did you mean 'celeba'" in data("check", "celebb", "--root", trees).output
    made = data("pack", "celeba", "--root", trees / "celeba", "--size", 16, "--to", tmp_path / "p", "--json")
    assert json.loads(made.stdout)["faces"] == 6
    assert "give the data set's own folder" in data("check", "celeba", "--root", tmp_path / "p").output
    again = data("pack", "celeba", "--root", trees / "celeba", "--size", 16, "--to", tmp_path / "p")
    assert again.exit_code == 1 and "there already" in again.output
    assert (
        "--size wants at least 1" in data("pack", "celeba", "--root", trees, "--size", 0, "--to", "x").output
    )


def test_packing_says_what_it_made(trees: Path, tmp_path: Path) -> None:
    result = data("pack", "celeba", "--root", trees / "celeba", "--size", 16, "--to", tmp_path / "p")
    assert "6 faces" in result.output and f"--data {tmp_path / 'p'}" in result.output


def test_every_set_on_offer_tells_where_it_comes_from() -> None:
    told = {source.name for source in SOURCES} | {"celeba-170"}
    assert told == set(catalog().datasets)
    assert all(source.name in data("where").output for source in SOURCES)
    for name in told:
        result = data("where", name)
        assert result.exit_code == 0 and "terms" in result.output
    assert "did you mean 'celeba'" in data("where", "celebaa").output
    assert len(json.loads(data("where", "--json").stdout)) == len(SOURCES)


def test_many_rows_are_spread_over_processes_and_come_back_whole() -> None:
    found = sorted(over_spans(_squares, 3, 600, 100, 2))
    assert found == [[3 * i for i in range(start, start + 100)] for start in range(0, 600, 100)]


def test_a_worker_that_is_killed_ends_it_and_does_not_hang() -> None:
    with pytest.raises(FaceEditError, match="a worker process was killed, perhaps for want of memory"):
        list(over_spans(_killed, None, 600, 100, 2))


def _killed(_: None, start: int, stop: int) -> None:
    if start == 200:
        os.kill(os.getpid(), signal.SIGKILL)


def _squares(factor: int, start: int, stop: int) -> list[int]:
    return [factor * i for i in range(start, stop)]
