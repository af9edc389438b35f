"""The parts of a page: best and like the best, cases, Pareto front, scales, differences, BibTeX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stored import write_run

from faceedit_bench.catalog import catalog
from faceedit_bench.errors import ResultsError
from faceedit_bench.markup.html import Html, element, text
from faceedit_bench.markup.scatter import Axis, Point, front
from faceedit_bench.markup.svg import Scale, around
from faceedit_bench.report import citation, pictures
from faceedit_bench.report.cases import pick
from faceedit_bench.report.headline import BEST, LIKE_BEST, columns, contest
from faceedit_bench.report.material import Run, read
from faceedit_bench.statistics.paired import holm


def test_whatever_is_not_markup_is_escaped() -> None:
    assert element("p", "<b>", Html("<i></i>"), title='"') == '<p title="&quot;">&lt;b&gt;<i></i></p>'
    assert element("a", title=Html('"><script>')) == '<a title="&quot;&gt;&lt;script&gt;"></a>'
    assert text(None) == "" and element("img", alt="", hidden=True, src=None) == '<img alt="" hidden>'


def test_who_cannot_be_told_from_the_best_is_marked(tmp_path: Path) -> None:
    runs = read(
        [
            write_run(tmp_path, "coogan", kept_id=0.9),
            write_run(tmp_path, "attgan", kept_id=0.85),
            write_run(tmp_path, "copy", kept_id=1.0),
        ]
    )
    column = next(column for column in columns(runs) if (column.metric, column.edit) == ("id", "all"))
    assert marks(runs) == [BEST, "", ""]  # every face is 0.05 worse: no doubt; the floor is out
    noisy = runs[1].samples
    signs = np.where(np.arange(len(noisy)) % 2, 1, -1)
    noisy["id"] = noisy["id"] + 0.05 + 0.3 * signs  # as good on the mean over pairs of faces, not on each
    assert marks(runs) == [BEST, LIKE_BEST, ""]
    found = contest(runs, column)
    assert found is not None and [rival.run.name for rival in found.rivals] == ["attgan"]
    (rival,) = found.rivals
    assert rival.interval is not None and rival.interval.bounds[0] < 0 < rival.interval.bounds[1]
    assert rival.p_holm == rival.interval.p > 0.05


def marks(runs: list[Run], metric: str = "id") -> list[str]:
    column = next(column for column in columns(runs) if (column.metric, column.edit) == (metric, "all"))
    found = contest(runs, column)
    assert found is not None
    return [found.mark(run) for run in runs]


def test_p_values_are_corrected_for_the_number_of_rivals(tmp_path: Path) -> None:
    runs = read([write_run(tmp_path, name) for name in ("coogan", "attgan", "stgan")])
    generator = np.random.default_rng(0)
    for run, gap in zip(runs, (0.0, 0.07, 0.07), strict=True):
        run.samples["id"] += generator.normal(-gap, 0.1, len(run.samples))
    runs[0].scores["id", "all"] = replace(runs[0].scores["id", "all"], value=0.9)
    column = next(column for column in columns(runs) if (column.metric, column.edit) == ("id", "all"))
    found = contest(runs, column)
    assert found is not None and found.best.name == "coogan"
    raw = [rival.interval.p for rival in found.rivals if rival.interval is not None]
    assert [rival.p_holm for rival in found.rivals] == pytest.approx(holm(raw))
    assert any(rival.p_holm != p for rival, p in zip(found.rivals, raw, strict=True))
    for rival in found.rivals:  # of faces that all have both edits: the plain mean over rows
        ours, theirs = (run.samples[run.samples.edit != "reconstruction"] for run in (found.best, rival.run))
        gaps = theirs["id"].to_numpy() - ours["id"].to_numpy()
        assert rival.difference == pytest.approx(gaps.mean())


def test_lower_is_better_where_the_metric_says_so(tmp_path: Path) -> None:
    runs = read([write_run(tmp_path, "coogan"), write_run(tmp_path, "stgan", tarr=60.0)])
    column = next(column for column in columns(runs) if column.metric == "leakage")
    assert column.better == "lower" and set(marks(runs, "leakage")) == {BEST, LIKE_BEST}  # a tie


def test_cases_are_the_faces_with_the_highest_and_lowest_place_of_their_edit(tmp_path: Path) -> None:
    (run,) = read([write_run(tmp_path, "coogan")])  # ID rises with the face's number; faces 0, 1, 2 were kept
    picked = pick(run, "id", pictures.faces(run))
    assert [(case.face.sample, case.edit) for case in picked["best"]] == [
        ("1002", "Male"), ("1002", "Eyeglasses"), ("1001", "Male"),
    ]  # fmt: skip
    assert picked["best"][0].standing == pytest.approx(2 / 11)
    everyone = [case for cases in picked.values() for case in cases]
    assert len(everyone) == 6 and len({(case.face.sample, case.edit) for case in everyone}) == 6


def test_the_front_is_what_nothing_else_beats() -> None:
    more, less = Axis("effect", "higher"), Axis("memory", "lower")
    points = [
        Point("a", 0, 1, 5),
        Point("b", 1, 2, 6),
        Point("c", 2, 1, 6),
        Point("floor", 3, 9, 1, competes=False),
    ]
    assert [point.label for point in front(points, more, less)] == ["a", "b"]


def test_scales_and_their_ticks() -> None:
    linear = Scale(0, 100, 10, 210)
    assert linear(50) == 110 and linear.ticks() == [0, 50, 100]
    log = around([1, 1000], 0, 300, is_log=True)
    assert log.is_log and log(1) < log(10) < log(1000) and log.ticks() == [1, 10, 100, 1000]
    assert log(10) - log(1) == pytest.approx(log(100) - log(10))
    same = around([3.0, 3.0], 0, 1)
    assert same.low < 3 < same.high


def test_difference_rises_from_dark_to_light() -> None:
    before = np.zeros((1, 3, 3), np.uint8)
    after = np.array([[[0, 0, 0], [32, 32, 32], [255, 255, 255]]], np.uint8)
    shown = pictures.difference(before, after)
    assert shown[0, 0].tolist() == list(pictures.HEAT[0]) and shown[0, 2].tolist() == list(pictures.HEAT[-1])
    assert shown[0, 0].sum() < shown[0, 1].sum() < shown[0, 2].sum()


def test_large_pictures_are_made_smaller() -> None:
    import base64
    import io

    address = pictures.address(np.zeros((300, 600, 3), np.uint8))
    image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    assert image.size == (256, 128)


def test_faces_left_out_do_not_shift_pictures(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "coogan")
    (folder.path / "images" / "01").rename(folder.path / "images" / "04")  # faces 1 to 3 had no face
    (run,) = read([folder])
    assert [(face.sample, face.files["source"].parent.name) for face in pictures.faces(run)] == [
        ("1000", "00"),
        ("1001", "02"),
        ("1002", "04"),
    ]


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "Male.png"
    path.write_bytes(b"no picture")
    with pytest.raises(ResultsError, match=r"Male\.png: missing or damaged"):
        pictures.read(path)


def test_bibtex_has_one_entry_per_paper_and_names_who_uses_it(tmp_path: Path) -> None:
    runs = read([write_run(tmp_path, name) for name in ("coogan", "lstunet", "stgan", "copy", "mine")])
    papers = citation.used(runs)
    assert papers["arXiv:2011.01563"] == ["method coogan", "method lstunet"]
    assert papers[citation.OURS] == ["method copy", "data set drawn-faces", "judge identity-demo"]
    assert papers[""] == ["method mine"]
    entries = citation.bibtex(papers)
    assert entries.count("@") == 3 and "eprint = {2011.01563}" in entries
    assert "Chen, Xuanhong and Ni, Bingbing and Liu, Naiyuan" in entries and "and others" not in entries
    assert "note = {Here: method coogan, method lstunet}" in entries


def test_every_method_data_set_and_judge_that_is_offered_is_cited_with_all_its_authors() -> None:
    found = catalog()
    methods = {spec.paper for spec in found.methods.values()} - {"none"}
    judges = [name for name, spec in found.judges.items() if spec.faces != "drawn"]
    starts = dict(citation.JUDGES)
    assert methods <= citation.known().keys()
    assert all(name.startswith(tuple(starts)) for name in judges)
    named = set(found.datasets) - {"drawn-faces", "folder", "folder-csv", "imagefolder"}  # of the user
    assert named <= citation.DATA.keys()
    for paper in {*starts.values(), *citation.DATA.values()}:
        authors = citation.known()[paper]["author"]
        assert authors and all("," in name and "others" not in name for name in authors), paper


def test_a_paper_of_which_only_the_number_is_known_is_cited_by_it() -> None:
    entry = citation.bibtex({"doi:10.1/x": ["method <{mine}>"]})
    assert entry.startswith("@misc{doi-10.1-x,")
    assert "note = {doi:10.1/x; Here: method <mine>}" in entry and "author" not in entry
