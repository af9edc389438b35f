"""edit on the command line: settings read strictly, and every refusal is one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from faceedit_bench.cli import cli
from faceedit_bench.cli.edit import parse_changes
from faceedit_bench.errors import BadConfig


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.new("RGB", (20, 10), "red").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def edit(photo: Path, *words: str) -> Result:
    out = str(photo.parent / "out")
    return CliRunner().invoke(cli, ["edit", str(photo), "--method", "copy", "--out", out, *words])


def test_what_was_written_is_printed(photo: Path) -> None:
    result = edit(photo, "--set", "Eyeglasses=1", "--set", "Male=0")
    assert result.exit_code == 0
    assert result.stdout.split() == [
        str(photo.parent / "out" / name) for name in ("photo-edited.png", "sheet.png")
    ]


def test_settings_become_changes() -> None:
    assert parse_changes(("Eyeglasses=1", " Male = 0 ")) == {"Eyeglasses": 1, "Male": 0}


@pytest.mark.parametrize("setting", ["Eyeglasses", "=1", "Eyeglasses=yes", "Eyeglasses=2", "Eyeglasses="])
def test_a_setting_that_is_not_0_or_1_is_refused(setting: str) -> None:
    with pytest.raises(BadConfig, match="wanted ATTRIBUTE=0 or ATTRIBUTE=1"):
        parse_changes((setting,))


def test_a_setting_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(BadConfig, match="contradict"):
        parse_changes(("Male=0", "Male=1"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "at least one --set"),
        (["--set", "Eyeglases=1"], "did you mean 'Eyeglasses'?"),
        (["--set", "Male=0", "--size", "0"], "--size wants at least 1 pixel, found 0"),
        (["--set", "Male=0", "--option", "width=3"], "unknown key 'width'"),
        (["--set", "Male=0", "--preset", "dmeo"], "unknown preset of copy 'dmeo'"),
        (["--set", "Male=0", "--weights", "w.safetensors"], "copy has no weights"),
        (["--set", "Male=0", "--explain"], "copy cannot show how it edits; leave --explain out"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(photo: Path, words: list[str], message: str) -> None:
    result = edit(photo, *words)
    assert result.exit_code == 1
    assert message in result.output and len(result.output.splitlines()) == 1
    assert not (photo.parent / "out").exists()


def test_a_missing_photo_is_one_line(tmp_path: Path) -> None:
    result = edit(tmp_path / "gone.jpg", "--set", "Male=0")
    assert result.exit_code == 1
    assert "gone.jpg: no such file" in result.output and len(result.output.splitlines()) == 1
