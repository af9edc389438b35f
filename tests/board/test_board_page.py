"""The page of a board: complete, alone, what papers print kept apart, and deaf to what methods are called."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from elements import Elements, check_policy
from made_records import BOARD, record, two

from faceedit_bench import board as boards
from faceedit_bench.markup.scatter import Axis, Point, front, scatter
from faceedit_bench.published import Number, Published

HOSTILE = '"><script>window.hacked=1</script><img src=x onerror="window.hacked=2">'
WITH_FAMILIES = replace(BOARD, families={"made after a": ("a", "a_hr"), HOSTILE: ("b",)})
PAPERS = Published(
    papers={"A": "Somebody, 2020", "unused": "Nobody"},
    methods={"a_hr": "A-HR", HOSTILE: HOSTILE},
    numbers=(
        Number(method="a_hr", metric="rec_psnr", value=31.5, dataset="CelebA", size=128, paper="A",
               table="Table 1", provenance="recalled", note=HOSTILE),
        Number(method="a_hr", metric="gpu_memory_MB", value=985, size=768, paper="A", table="Table 2",
               provenance="paper"),
        Number(method="a_hr", metric="params_total_M", value=1, paper="A", table="Table 3",
               provenance="paper"),
        Number(method=HOSTILE, metric="tarr_pct", value=99.9, dataset=HOSTILE, paper="A", table=HOSTILE,
               provenance="paper"),
    ),
)  # fmt: skip


def many() -> list[dict[str, Any]]:
    """Shared ranks, floor and ceiling, one that saw a judge, one with a hostile name."""
    saw = {"name": "b", "version": "1", "preset": "demo", "options": {}, "saw": ["toy"]}
    hostile = {"name": HOSTILE, "version": HOSTILE, "preset": HOSTILE, "options": {}, "saw": []}
    return [
        *two(),
        record("b", 69, 70.5, 71.5, method=saw),
        record("c", 50, 51, 52, method=hostile),
        record("truth", 98, 99, 100),
    ]


@pytest.fixture(scope="module")
def text() -> str:
    return boards.page(many(), WITH_FAMILIES, "tiny", PAPERS)


def rows_of(text: str, section: str) -> list[str]:
    """The body of the first table of a section."""
    (content,) = re.findall(rf'<section id="{section}".*?</section>', text, flags=re.DOTALL)
    body = re.search(r"<tbody>(.*?)</tbody>", content, flags=re.DOTALL)
    return re.findall(r"<tr.*?</tr>", body[1], flags=re.DOTALL) if body else []


def test_every_section_is_there_and_linked(text: str) -> None:
    elements = Elements(text)
    sections = {attributes["id"] for attributes in elements.named("section")}
    assert sections == {"scores", "pareto", "edits", "cost", "published"}
    assert {f"#{name}" for name in sections} <= {link["href"] for link in elements.named("a")}


def test_rows_stand_by_rank_with_intervals_and_shared_ranks(text: str) -> None:
    ceiling, first, second, third, floor = rows_of(text, "scores")
    assert "ceiling" in ceiling and "floor" in floor
    for row in (first, second):
        assert 'data-value="1" class="rank first">1<small>shared</small>' in row
    assert 'class="rank">3</td>' in third and "shared" not in third
    assert '<td data-value="71.0">71.0<small>[70.0, 72.0]</small></td>' in first
    assert "<small>(1.40, 1.60)</small>" in first  # a spread is no interval
    assert 'title="saw toy in training"' in second


def test_protocol_and_judges_are_one_click_away(text: str) -> None:
    (folded,) = re.findall(r'<details id="protocol">(.*?)</details>', text, flags=re.DOTALL)
    for pin in ("f" * 64, "a" * 64, "d" * 64, "toy 1", *(one["id"] for one in many())):
        assert pin in folded


def test_a_row_links_to_its_record(text: str) -> None:
    places = {f"runs/tiny/{one['id']}.json" for one in many()}
    assert places <= {link["href"] for link in Elements(text).named("a")}


def test_published_numbers_are_marked_and_stand_in_no_measured_table(text: str) -> None:
    found = rows_of(text, "published")
    assert len(found) == 3  # not the count of parameters
    assert all('<small class="badge">published</small>' in row for row in found)
    assert all('data-kind="published"' in row for row in found)
    assert "31.5" in found[0] and "recalled" in found[0] and "not re-checked" in found[0]
    for section in ("scores", "edits", "cost"):
        rows = rows_of(text, section)
        assert len(rows) == len(many()) and all('data-kind="measured"' in row for row in rows)
    assert "Somebody, 2020" in text and "Nobody" not in text


def test_rows_and_columns_say_what_filters_ask_for(text: str) -> None:
    elements = Elements(text)
    lists = re.findall(r'<select id="by-(\w+)".*?</select>', text, flags=re.DOTALL)
    assert lists == ["kind", "suite", "family", "judge"]
    (judges,) = re.findall(r'<select id="by-judge".*?</select>', text, flags=re.DOTALL)
    names = dict(re.findall(r'<option value="(\d*)">(.*?)</option>', judges))
    asked = {heading["data-judges"] for heading in elements.named("th") if "data-judges" in heading}
    assert asked == {number for number, name in names.items() if name != "all"}
    assert set(names.values()) == {"all", "toy", "no judge", "the papers&#x27; own"}
    families = [row["data-family"] for row in elements.named("tr") if "data-family" in row]
    assert set(families) == {"0", "1", "2"}


def test_every_plot_says_what_it_shows(text: str) -> None:
    plots = [drawing["aria-label"] for drawing in Elements(text).named("svg")]
    assert len(plots) == 2 and "Pareto front: " in plots[0]  # this board has no ID


def test_nothing_is_loaded_and_no_name_is_markup(text: str) -> None:
    elements = Elements(text)
    assert len(elements.named("script")) == 1 and not elements.named("img")
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {name for name, _ in elements.found}
    for _, attributes in elements.found:
        assert not {name for name in attributes if name == "style" or name.startswith("on")}
    assert "<script>window" not in text


def test_the_policy_names_the_style_and_the_script(text: str) -> None:
    check_policy(text)


def test_the_order_of_the_records_changes_no_byte(text: str) -> None:
    assert boards.page(many()[::-1], WITH_FAMILIES, "tiny", PAPERS) == text


def test_a_board_without_runs_is_a_page_that_says_so() -> None:
    text = boards.page([], BOARD, "tiny", PAPERS)
    Elements(text)
    assert "No runs yet" in text and "31.5" in text


def test_a_name_of_a_board_does_not_end_the_comment_at_its_top() -> None:
    assert Elements(boards.page(two(), BOARD, "--><script>", PAPERS)).found[0][0] == "html"


# ---- fronts of many


def test_a_front_of_thousands_is_found_and_only_it_has_names() -> None:
    """Points on a falling line beat those below it."""
    more = Axis("effect", "higher"), Axis("identity", "higher")
    line = [Point(f"front-{at}", at, at, 10 - at, (at - 1, at + 1)) for at in range(10)]
    crowd = [Point(f"other-{at}", at, at % 9, 8.5 - at % 9 - at / 1e4, (0, 1)) for at in range(2000)]
    assert front([*crowd, *line], *more) == line
    drawing = scatter("many", [*crowd, *line], *more)
    assert drawing.count("<circle") == 2010 and drawing.count('class="cross') == len(line)
    assert re.findall(r'class="label">(.*?)<', drawing) == [point.label for point in line]


def test_of_equal_points_all_are_on_the_front() -> None:
    axes = Axis("effect", "higher"), Axis("memory", "lower")
    points = [Point("a", 0, 1, 5), Point("b", 1, 1, 5), Point("c", 2, 1, 6), Point("d", 3, 0.5, 5)]
    assert [point.label for point in front(points, *axes)] == ["a", "b"]
