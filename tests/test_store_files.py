"""Files are written whole or not at all, and why there is no room is said."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from faceedit_bench.errors import ResultsError
from faceedit_bench.store.files import NO_ROOM, write


class WriterOfAnotherLanguage(Exception):
    """Carries the number of an error in its text only."""


@pytest.mark.parametrize("number", NO_ROOM)
@pytest.mark.parametrize("with_number", [True, False])
def test_without_room_the_file_of_before_stays_and_the_reason_is_told(
    tmp_path: Path, number: int, with_number: bool
) -> None:
    text = f"{os.strerror(number)} (os error {number})"

    def save(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(number, "any") if with_number else WriterOfAnotherLanguage(text)

    path = tmp_path / "file"
    path.write_text("whole")
    with pytest.raises(ResultsError, match=NO_ROOM[number][:20]):
        write(path, save)
    assert [file.name for file in tmp_path.iterdir()] == ["file"] and path.read_text() == "whole"


def test_another_error_stays_what_it_is(tmp_path: Path) -> None:
    def save(temporary: Path) -> None:
        raise OSError(errno.EIO, "broken disk")

    with pytest.raises(OSError, match="broken disk"):
        write(tmp_path / "file", save)
    assert not list(tmp_path.iterdir())
