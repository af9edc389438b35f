"""Tables for the terminal."""

from __future__ import annotations

import pytest

from faceedit_bench.cli.table import table


def test_columns_align() -> None:
    text = table(("name", "n"), [("a", 5), ("long name", 12)], right="n")
    assert text == "name        n\n---------  --\na           5\nlong name  12"


def test_the_last_column_wraps_under_itself() -> None:
    lines = table(("k", "text"), [("a", "one two three four five"), ("b", "six")], width=16).splitlines()
    assert lines == ["k  text", "-  -------------", "a  one two three", "   four five", "b  six"]


def test_a_missing_value_is_an_empty_cell() -> None:
    assert table(("a", "b"), [(None, 1)]).splitlines()[-1] == "   1"


@pytest.mark.parametrize("words", [1, 30])
def test_lines_keep_within_the_width_and_have_no_trailing_space(words: int) -> None:
    for line in table(("name", "what it is"), [("x", "word " * words)]).splitlines():
        assert len(line) <= 80 and line == line.rstrip()


def test_a_table_without_rows_is_its_head() -> None:
    assert len(table(("a", "b"), []).splitlines()) == 2
