"""Labelled sheets: every picture in its cell, every title where it can be read."""

from __future__ import annotations

import numpy as np
import pytest

from faceedit_bench.api import THIRTEEN
from faceedit_bench.sheet import GAP, sheet


def face(value: int, height: int = 64, width: int = 64) -> np.ndarray:
    return np.full((3, height, width), value, np.uint8)


def test_pictures_stand_in_their_cells_unchanged() -> None:
    page = np.asarray(sheet([[face(10), face(20)], [face(30), face(40)]]))
    assert page.shape == (2 * 64 + 3 * GAP, 2 * 64 + 3 * GAP, 3)
    for row, column, value in ((0, 0, 10), (0, 1, 20), (1, 0, 30), (1, 1, 40)):
        top, left = (GAP + place * (64 + GAP) for place in (row, column))
        assert (page[top : top + 64, left : left + 64] == value).all()


def test_titles_take_room_above_and_beside_but_never_in_a_picture() -> None:
    plain = sheet([[face(0)] * 14])
    titled = np.asarray(sheet([[face(0)] * 14], ["source", *THIRTEEN], ["3000000"]))
    top, left = titled.shape[0] - plain.height, titled.shape[1] - plain.width
    assert top > 0 and left > 0
    pictures = titled[top + GAP : -GAP, left + GAP : -GAP]
    assert (pictures[:, :64] == 0).all() and (pictures[:, -64:] == 0).all()
    for column in range(14):  # every column has ink above it
        start = left + GAP + column * (64 + GAP)
        assert titled[:top, start : start + 64].min() < 100


def test_a_word_too_long_for_its_column_stands_all_titles_upright() -> None:
    lying = sheet([[face(0)]], ["short words"], cell=128)
    standing = sheet([[face(0)]], ["Incomprehensibilities"], cell=64)
    assert lying.height - 128 < 64  # one or two lines
    assert standing.height - 64 > 100  # the whole word, upright


@pytest.mark.parametrize(("height", "width"), [(128, 64), (64, 128), (1, 1), (1000, 3)])
def test_a_picture_keeps_its_shape_in_its_cell(height: int, width: int) -> None:
    page = np.asarray(sheet([[face(0, height, width)]], cell=100))
    rows, columns = (np.flatnonzero((page == 0).all(axis=2).any(axis=axis)) for axis in (1, 0))
    scale = 100 / max(height, width)
    assert (len(rows), len(columns)) == (max(1, round(height * scale)), max(1, round(width * scale)))


def test_rows_may_differ_in_length() -> None:
    assert sheet([[face(0)] * 3, [face(0)]]).width == 3 * (64 + GAP) + GAP
