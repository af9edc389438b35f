"""What may not stand on one page is refused, with the reason and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from stored import identity, write_run

from faceedit_bench.errors import ResultsError
from faceedit_bench.report.comparable import check, notes
from faceedit_bench.report.material import read

OTHER_JUDGE = {"identity": {"name": "identity-demo", "version": "1", "sha256": "b" * 64}}


@pytest.mark.parametrize(
    ("change", "reason", "way"),
    [
        (
            {"suite": {"name": "drawn-256", "fingerprint": "e" * 64}},
            "few ffffffffffffffff against drawn-256 eeee",
            "run stgan again with --suite few",
        ),
        (
            {"suite": {"name": "few", "fingerprint": "e" * 64}},
            "suite: few ffffffffffffffff against few eeee",
            "the suite few was another for one of them",
        ),
        (
            {"judges": OTHER_JUDGE},
            "judge of identity: identity-demo 1, sha256 aaaa",
            "run stgan again with the judge and weights of coogan's run",
        ),
        (
            {"metrics": {"tarr": "2"}},
            "version of metric tarr: 1 against 2",
            "run coogan again with this faceedit-bench",
        ),
        (
            {"data": {**identity("")["data"], "count": 5}},
            "pictures, count: 12 against 5",
            "run stgan again over the same files",
        ),
    ],
)
def test_runs_that_were_not_measured_alike_are_refused(
    tmp_path: Path, change: dict[str, object], reason: str, way: str
) -> None:
    runs = read([write_run(tmp_path, "coogan"), write_run(tmp_path, "stgan", **change)])
    with pytest.raises(ResultsError) as refused:
        check(runs)
    assert reason in str(refused.value) and way in str(refused.value)


def test_photographs_of_another_digest_are_refused_and_drawn_faces_noted(tmp_path: Path) -> None:
    drawn = identity("")["data"]
    runs = read([write_run(tmp_path, "a"), write_run(tmp_path, "b", data={**drawn, "digest": "e" * 64})])
    check(runs)
    assert "equal within one grey level" in notes(runs)[0]
    photographs = {**drawn, "name": "celeba"}
    runs = read(
        [
            write_run(tmp_path, "c", data=photographs),
            write_run(tmp_path, "d", data={**photographs, "digest": "e" * 64}),
        ]
    )
    with pytest.raises(ResultsError, match="pictures, digest: dddddddddddddddd against eeee"):
        check(runs)


def test_a_run_that_is_not_complete_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "coogan")
    (folder.path / "scores.json").unlink()
    with pytest.raises(ResultsError, match="not complete; give the same run command again"):
        read([folder])


def test_damaged_files_are_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "coogan")
    (folder.path / "samples.parquet").write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"samples\.parquet: missing or damaged"):
        read([folder])


def test_a_run_is_named_once(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "coogan")
    with pytest.raises(ResultsError, match="given more than once"):
        read([folder, folder])


def test_runs_of_one_method_have_names_of_their_own(tmp_path: Path) -> None:
    method = identity("coogan")["method"]
    folders = [
        write_run(tmp_path, "coogan"),
        write_run(tmp_path, "coogan", method={**method, "preset": "paper"}),
        write_run(tmp_path, "coogan", method={**method, "options": {"strength": 1}}),
        write_run(tmp_path, "stgan"),
    ]
    runs = read(folders)
    assert [run.name for run in runs] == [
        f"coogan (demo) {runs[0].id[:6]}",
        "coogan (paper)",
        f"coogan (demo) {runs[2].id[:6]}",
        "stgan",
    ]
