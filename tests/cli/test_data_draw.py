"""data draw: sheets of drawn people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from faceedit_bench.cli import cli
from faceedit_bench.cli.data import FIRST_TEST_SEED
from faceedit_bench.data import drawn
from faceedit_bench.data.drawn_faces import FIRST_SEED
from faceedit_bench.data.images import read_image


def draw(place: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["data", "draw", "--sheet", str(place), "--size", "64", *words])


def test_the_sheet_shows_the_people_of_the_test_split(tmp_path: Path) -> None:
    assert draw(tmp_path / "sheet.png", "--count", "2").exit_code == 0
    page = read_image(tmp_path / "sheet.png")
    faces = drawn.draw([FIRST_TEST_SEED], drawn.labels([FIRST_TEST_SEED]), 64).images[0].numpy()
    windows = np.lib.stride_tricks.sliding_window_view(page, faces.shape)[0]  # every place of the page
    assert (windows == faces).all(axis=(2, 3, 4)).any()


def test_the_default_is_the_first_test_person() -> None:
    assert FIRST_SEED["test"] == FIRST_TEST_SEED


def test_flips_are_a_row_of_fourteen_pictures(tmp_path: Path) -> None:
    assert draw(tmp_path / "one.png", "--count", "1", "--flips").exit_code == 0
    assert draw(tmp_path / "two.png", "--count", "2", "--flips").exit_code == 0
    one, two = read_image(tmp_path / "one.png"), read_image(tmp_path / "two.png")
    assert one.shape[2] == two.shape[2] >= 14 * 64
    assert two.shape[1] - one.shape[1] == 64 + 4


@pytest.mark.parametrize("words", [("--count", "0"), ("--size", "8"), ("--seed", "-1")])
def test_numbers_out_of_range_are_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    result = draw(tmp_path / "sheet.png", *words)
    assert result.exit_code == 1 and f"{words[0]} wants at least" in result.output
    assert not (tmp_path / "sheet.png").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = draw(tmp_path / "file" / "sheet.png", "--count", "1")
    assert result.exit_code == 1 and "cannot write" in result.output
