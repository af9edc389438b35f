"""Boards are computed from stored runs: ranks, shared ranks, floor, ceiling, refusals, and the exact text."""

from __future__ import annotations

import copy
import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from made_records import BOARD, leaderboards, record, two

from faceedit_bench import board as boards
from faceedit_bench.board import Board, Column, ranked
from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.errors import BadConfig, ResultsError
from faceedit_bench.suite import load as load_suite

ROOT = Path(__file__).parents[1]


def ranks(*records: dict[str, Any], board: Board = BOARD) -> list[tuple[int | str, str]]:
    return [(row.rank or row.mark, row.method) for row in ranked(records, board)]


def test_methods_stand_in_the_order_of_their_score() -> None:
    found = ranks(record("worse", 50, 51, 52), record("best", 80, 81, 82), record("middle", 70, 71, 72))
    assert found == [(1, "best"), (2, "middle"), (3, "worse")]


def test_where_lower_is_better_the_lowest_is_first() -> None:
    board = Board("x", "tiny", "tarr", (Column("tarr", "x", "lower"),))
    assert ranks(record("a", 80, 81, 82), record("b", 70, 71, 72), board=board) == [(1, "b"), (2, "a")]


def test_overlapping_intervals_share_a_rank_and_the_next_group_is_counted_on() -> None:
    found = ranks(record("a", 79, 81, 83), record("b", 78, 80, 82), record("c", 60, 61, 62))
    assert found == [(1, "a"), (1, "b"), (3, "c")]


def test_a_chain_of_overlaps_does_not_make_one_group() -> None:
    """b overlaps a, c overlaps b but not a: c opens the next group."""
    found = ranks(record("a", 80, 81, 82), record("b", 78, 79, 80), record("c", 76, 77, 78.5))
    assert found == [(1, "a"), (1, "b"), (3, "c")]


def test_touching_intervals_overlap() -> None:
    assert ranks(record("a", 80, 81, 82), record("b", 78, 79, 80)) == [(1, "a"), (1, "b")]


def test_intervals_that_are_not_from_the_bootstrap_share_nothing() -> None:
    first, second = record("a", 70, 81, 90), record("b", 70, 80, 90)
    for one in (first, second):
        one["scores"][0]["kind"] = "spread"
    assert ranks(first, second) == [(1, "a"), (2, "b")]


def test_equal_values_without_intervals_share_a_rank() -> None:
    first, second = record("a", 70, 80, 90), record("b", 70, 80, 90)
    for one in (first, second):
        one["scores"][0].update(kind="none", low=None, high=None)
    assert ranks(first, second) == [(1, "a"), (1, "b")]


def test_ceiling_stands_above_and_floor_below_without_a_rank() -> None:
    found = ranks(record("copy", 5, 6, 7), record("a", 70, 71, 72), record("truth", 95, 96, 97))
    assert found == [("ceiling", "truth"), (1, "a"), ("floor", "copy")]


def test_the_order_of_the_records_changes_nothing() -> None:
    records = [
        record("a", 79, 81, 83),
        record("b", 78, 80, 82),
        record("copy", 1, 2, 3),
        record("c", 9, 9, 9),
    ]
    assert boards.markdown(records, BOARD, "tiny").replace("\n", "") != ""
    rows = [ranked(order, BOARD) for order in (records, records[::-1])]
    assert rows[0] == rows[1]


def test_a_method_that_trained_on_a_judge_of_the_board_is_marked() -> None:
    method = {"name": "a", "version": "1", "preset": "demo", "options": {}, "saw": ["toy", "other"]}
    (row,) = ranked([record("a", 1, 2, 3, method=method)], BOARD)
    assert (row.saw, row.label) == (("toy",), "a (demo) †")
    assert "†: used a judge of this board in training (toy)" in boards.markdown(
        [record("a", 1, 2, 3, method=method)], BOARD, "tiny"
    )


# ---- what cannot be compared


def test_runs_of_different_suites_are_not_mixed() -> None:
    other = record("b", 1, 2, 3, suite={"name": "tiny", "version": "1", "fingerprint": "e" * 64})
    with pytest.raises(ResultsError) as caught:
        ranks(record("a", 1, 2, 3), other)
    text = str(caught.value)
    assert "cannot stand in one table" in text and "suite" in text and "f" * 64 in text and "e" * 64 in text
    assert "judge" not in text  # only what differs


def test_runs_of_different_judges_are_not_mixed() -> None:
    other = record("b", 1, 2, 3, judges={"attributes": {"name": "toy", "version": "1", "sha256": "b" * 64}})
    with pytest.raises(ResultsError, match=f"judge of attributes: toy 1 {'a' * 64} against toy 1 {'b' * 64}"):
        ranks(record("a", 1, 2, 3), other)


def test_runs_of_different_metric_versions_are_not_mixed() -> None:
    other = record("b", 1, 2, 3, metrics={"tarr": "2", "psnr": "1", "ssfid": "1"})
    with pytest.raises(ResultsError, match="version of metric tarr: 1 against 2"):
        ranks(record("a", 1, 2, 3), other)


def test_other_pictures_are_refused_unless_the_board_allows_them() -> None:
    records = record("a", 1, 2, 3), record("b", 1, 2, 3, data={"digest": "0" * 64})
    with pytest.raises(ResultsError, match="pictures"):
        ranks(*records)
    relaxed = Board(**{**vars(BOARD), "same_pictures": False})
    assert ranks(*records, board=relaxed) == [(1, "a"), (1, "b")]
    assert "0" * 64 in boards.markdown(records, relaxed, "tiny")  # and it says so


def test_a_run_of_another_suite_is_refused() -> None:
    other = record("a", 1, 2, 3, suite={"name": "tiny-first-3", "version": "1", "fingerprint": "f"})
    with pytest.raises(ResultsError, match="board wants suite 'tiny', found 'tiny-first-3'"):
        ranks(other)


def test_a_run_without_a_required_metric_is_refused() -> None:
    board = Board(**{**vars(BOARD), "require": ("id",)})
    with pytest.raises(ResultsError, match="lacks id"):
        ranks(record("a", 1, 2, 3), board=board)


def test_a_board_ranks_by_one_of_its_columns() -> None:
    with pytest.raises(BadConfig, match="rank_by names 'id'"):
        Board("x", "tiny", "id", (Column("tarr", "x", "higher"),))
    with pytest.raises(BadConfig, match="'higher' or 'lower', found 'up'"):
        Board("x", "tiny", "tarr", (Column("tarr", "x", "up"),))


@pytest.mark.parametrize("change", [{"id": "0" * 16}, {"format": 2}])
def test_a_record_that_was_tampered_with_is_refused(change: dict[str, Any]) -> None:
    good = record("a", 1, 2, 3)
    path = Path(f"{good['id']}.json")
    assert boards.check_record(good, path) == good
    with pytest.raises(ResultsError, match=path.name):
        boards.check_record({**good, **change}, path)
    changed = copy.deepcopy(good)
    changed["manifest"]["identity"]["method"]["version"] = "2"
    with pytest.raises(ResultsError, match="identity"):
        boards.check_record(changed, path)


# ---- text


GOLDEN = """\
| rank | method | TARR % ↑ | reconstruction PSNR dB ↑ | ssFID ↓ |
| --- | --- | ---: | ---: | ---: |
| 1 | a | 71.0 [70.0, 72.0] | 30.12 [30.00, 30.25] | 1.50 (1.40, 1.60) |
| *floor* | copy | 6.0 [5.0, 7.0] | ∞ | – |
"""
GOLDEN_PER_EDIT = """\
| edit | a | copy |
| --- | ---: | ---: |
| Bald | 70.0 [69.0, 71.0] | 5.0 [4.0, 6.0] |
| Young | 72.0 [71.0, 73.0] | 7.0 [6.0, 8.0] |
"""
GOLDEN_COST = "| a | 1.25 M | 2.50 G | 5.00 MB | 40.00 MB | 12.5 (15.0) | a processor |"


def test_the_page_says_everything_that_a_reader_needs() -> None:
    page = boards.markdown(two(), BOARD, "tiny")
    assert page.startswith("<!-- Generated by `faceedit-bench board tiny`")
    for part in (GOLDEN, GOLDEN_PER_EDIT, GOLDEN_COST, "# Tiny faces\n"):
        assert part in page
    for fact in (
        "suite: tiny 1, fingerprint `" + "f" * 64,
        "toy 1, sha256 `" + "a" * 64,
        "tarr 1",
        "`copy` returns",
    ):
        assert fact in page


def test_a_run_that_left_faces_out_says_of_how_many_it_is() -> None:
    some = {
        **record("picky", 80, 81, 82),
        "faces": {"scored": 187, "of": 200, "unusable": [{"sample": "a", "reason": "none found"}] * 13},
    }
    whole = {**record("whole", 70, 71, 72), "faces": {"scored": 200, "of": 200, "unusable": []}}
    page = boards.markdown([some, whole], BOARD, "tiny")
    assert "| 1 | picky | 187 of 200 |" in page and "| 2 | whole | all |" in page
    assert "leaving out hard faces flatters it" in page
    _, heading, first, second = boards.comma_separated([some, whole], BOARD, "tiny").splitlines()
    assert [line.split(",")[-1] for line in (heading, first, second)] == ["faces", "187 of 200", "all"]
    assert "faces" not in boards.markdown([whole], BOARD, "tiny").splitlines()[4]


def test_a_board_without_runs_says_so() -> None:
    assert "No runs yet" in boards.markdown([], BOARD, "tiny")


def test_the_csv_has_full_precision_and_can_be_read() -> None:
    first, *lines = boards.comma_separated(two(), BOARD, "tiny").splitlines()
    assert first.startswith("# Generated by")
    top, floor = csv.DictReader(lines)
    assert (top["rank"], top["method"], top["psnr_reconstruction"], top["tarr_low"]) == (
        "1",
        "a",
        "30.125",
        "70.0",
    )
    assert (top["tarr_Bald"], top["latency_median"]) == ("70.0", "0.0125")
    assert (floor["rank"], floor["psnr_reconstruction"], floor["ssfid"]) == ("floor", "inf", "")


# ---- command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A leaderboards folder with one board and two runs."""
    return leaderboards(tmp_path)


def board(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["board", "--folder", str(folder), *arguments])
    return result.exit_code, result.output


def test_the_command_writes_what_check_then_accepts(folder: Path) -> None:
    code, output = board(folder)
    assert code == 0 and "71.0 [70.0, 72.0]" in output
    assert board(folder, "--check") == (0, "")


def test_check_fails_with_the_difference_and_writes_nothing(folder: Path) -> None:
    board(folder)
    page = folder / "tiny.md"
    page.write_text(page.read_text().replace("71.0", "99.9"))
    code, output = board(folder, "--check")
    assert code == 1
    assert "-| 1 | a | 99.9" in output and "+| 1 | a | 71.0" in output
    assert "99.9" in page.read_text()


def test_json_carries_the_rows(folder: Path) -> None:
    rows = json.loads(board(folder, "tiny", "--json")[1])["tiny"]
    assert [row["rank"] for row in rows] == [1, None]
    assert rows[0]["scores"]["tarr"]["value"] == 71


def test_an_unknown_board_and_a_folder_without_boards_are_named(folder: Path) -> None:
    code, output = board(folder, "tinny")
    assert code == 1 and "did you mean 'tiny'" in output
    code, output = board(folder / "runs")
    assert code == 1 and "no board definition" in output


def test_a_damaged_record_is_named(folder: Path) -> None:
    (folder / "runs" / "tiny" / "half.json").write_text('{"format": 1,')
    code, output = board(folder)
    assert code == 1 and "half.json: damaged" in output
    assert not (folder / "tiny.md").exists()


# ---- the boards of this repository


@pytest.mark.parametrize("path", sorted((ROOT / "leaderboards").glob("*.toml")), ids=lambda path: path.stem)
def test_every_board_shows_metrics_of_its_suite_and_knows_which_way_is_better(path: Path) -> None:
    definition = boards.load(path)
    suite = load_suite(definition.suite)
    assert {column.metric for column in definition.columns} | set(definition.require) <= set(suite.metrics)
    for column in definition.columns:
        assert column.better == catalog().metric(column.metric).better, column.metric
        assert column.edit in ("all", *(edit.name for edit in suite.edits))


def test_the_generated_boards_are_up_to_date() -> None:
    code, output = board(ROOT / "leaderboards", "--check")
    assert code == 0, output


def test_ranks_that_change_with_the_judge_are_flagged() -> None:
    """b leads by the first judge and a by the second; c is third by both."""

    def judged(name: str, first: float, second: float) -> dict[str, Any]:
        run = record(name, first - 1, first, first + 1)
        (score,) = [one for one in run["scores"] if (one["metric"], one["edit"]) == ("tarr", "all")]
        again = {**score, "metric": "tarr_second", "value": second, "low": second - 1, "high": second + 1}
        return {**run, "scores": [*run["scores"], again]}

    board = replace(BOARD, second_opinion="tarr_second")
    runs = [judged("a", 80, 90), judged("b", 85, 70), judged("c", 60, 50)]
    rows = ranked(runs, board)
    assert [(row.method, row.rank, row.second_rank) for row in rows] == [
        ("b", 1, 2),
        ("a", 2, 1),
        ("c", 3, 3),
    ]
    text = boards.markdown(runs, board, "tiny")
    assert "| 1 (2) | b |" in text and "| 2 (1) | a |" in text and "| 3 | c |" in text
    assert "but m by tarr_second" in text
    with pytest.raises(ResultsError, match="lacks tarr_second"):
        ranked([record("d", 1, 2, 3)], board)
    assert boards.as_data(rows, board)[0]["second_rank"] == 2
    assert "second_rank" not in boards.as_data(ranked(runs, BOARD), BOARD)[0]
