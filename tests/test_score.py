"""Pictures that another program made: numbers as if it ran here, every fault told before any is scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from faceedit_bench import board, runs
from faceedit_bench import suite as suites
from faceedit_bench.cli import cli
from faceedit_bench.data.supplied import read_pattern
from faceedit_bench.errors import BadConfig
from faceedit_bench.evaluate import open_samples
from faceedit_bench.score import score
from faceedit_bench.store.records import export

TINY = str(Path(__file__).parent / "data" / "tiny.toml")
EDITS = ("reconstruction", "Eyeglasses", "Male")


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """Every face of the tiny suite under every edit, unchanged; the pattern that leads to them."""
    faces = open_samples(suites.load(TINY), None)
    for edit in EDITS:
        (tmp_path / "mine" / edit).mkdir(parents=True)
        for position in range(len(faces)):
            picture = Image.fromarray(np.ascontiguousarray(faces[position].image.transpose(1, 2, 0)))
            picture.save(tmp_path / "mine" / edit / f"{faces[position].id}.png")
    return str(tmp_path / "mine" / "{edit}" / "{id}.png")


def test_unchanged_pictures_score_to_the_bit_as_the_method_copy(pictures: str, tmp_path: Path) -> None:
    supplied = score("mine", pictures, suite=TINY, workers=1, limit=5)
    copied = runs.run("copy", suite=TINY, workers=1, limit=5, measure_cost=False)
    assert supplied.scores == copied.scores
    identity = supplied.folder.manifest.identity
    assert identity["method"]["preset"] == "pictures supplied" and not identity["edited"]["lossy"]
    assert (supplied.folder.path / "images" / "sheet.png").is_file()
    record = export(supplied.folder.path)
    assert record["cost"] == {}
    path = tmp_path / f"{record['id']}.json"
    shown = board.Board("A board", "tiny-first-5", "tarr", (board.Column("tarr", "TARR", "higher"),))
    text = board.markdown([board.check_record(record, path), export(copied.folder.path)], shown, "tiny")
    assert "| 1 | mine (pictures supplied) |" in text and "so there are no costs" in text
    again = score("mine", pictures, suite=TINY, workers=1, limit=5)
    assert again.folder.path == supplied.folder.path
    Image.new("RGB", (64, 64)).save(pictures.format(edit="Male", id="3000004"))
    assert score("mine", pictures, suite=TINY, workers=1, limit=5).folder.path != supplied.folder.path


def refused(pictures: str, *more: str) -> Result:
    result = CliRunner().invoke(
        cli, ["score", "--suite", TINY, "--edited", pictures, "--name", "mine", "--workers", "1", *more]
    )
    assert result.exit_code == 1
    return result


def test_every_missing_or_odd_file_is_listed_at_once_and_nothing_is_started(
    pictures: str, tmp_path: Path
) -> None:
    def path(face: int, edit: str = "Male") -> Path:
        return Path(pictures.format(edit=edit, id=3000000 + face))

    path(1).unlink()
    path(2).write_bytes(b"no picture")
    path(3).write_bytes(path(4).read_bytes()[:200])
    Image.new("RGB", (64, 60)).save(path(5))
    Image.new("L", (64, 64)).save(path(6))
    Image.new("RGBA", (64, 64)).save(path(7, "Eyeglasses"))
    Image.new("RGB", (64, 64)).save(path(8), format="JPEG")
    for face in range(10):
        path(face, "reconstruction").unlink()
    text = refused(pictures).output
    assert "17 of 30 pictures" in text and "64×64" in text
    assert f"edit reconstruction: all 10 missing, {path(0, 'reconstruction')}" in text
    for words in (
        f"missing (1):\n    {path(1)}\n",
        f"    {path(2)}: not a picture",
        f"    {path(3)}: truncated or damaged",
        f"wrong size (1):\n    {path(5)}: 64×60",
        f"not 8-bit RGB (2):\n    {path(7, 'Eyeglasses')}: RGBA\n    {path(6)}: L",
        f"    {path(8)}: JPEG",
    ):
        assert words in text
    assert not list((tmp_path / "results").glob("*/*"))


def test_lossy_pictures_are_scored_if_that_is_said_and_recorded(pictures: str) -> None:
    for edit in EDITS:
        path = Path(pictures.format(edit=edit, id="3000000"))
        with Image.open(path) as picture:
            picture.save(path, format="JPEG")
    assert "--allow-lossy" in refused(pictures, "--limit", "2").output
    asked = ["score", "--suite", TINY, "--edited", pictures, "--name", "mine", "--workers", "1"]
    done = CliRunner().invoke(cli, [*asked, "--limit", "2", "--allow-lossy", "--json"])
    assert json.loads(done.output)["manifest"]["identity"]["edited"]["lossy"] is True


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("mine/{id}.png", r"wanted \{edit\} in it, as the suite has 3 edits"),
        ("mine/{edit}.png", r"wanted \{id\} or \{stem\}"),
        ("mine/{edit}/{name}.png", r"\{name\} means nothing"),
        ("mine/{edit/{id}.png", "expected"),
    ],
)
def test_a_pattern_that_does_not_tell_pictures_apart_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        read_pattern(pattern, edits=3)


def test_the_stem_is_the_id_without_a_pictures_suffix() -> None:
    place = read_pattern("x/{edit}/{stem}.png", edits=2).place
    assert place("Male", "000001.jpg") == Path("x/Male/000001.png")
    assert place("Male", "deep/a.b") == Path("x/Male/deep/a.b.png")


def test_the_name_of_an_installed_method_is_refused(pictures: str) -> None:
    with pytest.raises(BadConfig, match="for example coogan-authors"):
        score("coogan", pictures, suite=TINY)
    with pytest.raises(BadConfig, match="folder's name"):
        score("a/b", pictures, suite=TINY)
