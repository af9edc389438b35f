"""A board in a real browser: sorting, filters, long tables, light and dark, print, phone."""

from __future__ import annotations

from typing import Any

import pytest
from in_browser import HOSTILE, NEEDED, PHONE, contrast
from made_records import record
from test_board_page import PAPERS, WITH_FAMILIES, many

from faceedit_bench import board as boards

pytestmark = NEEDED
ROWS = 120  # of a long board


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("board") / "board.html"
    path.write_text(boards.page(many(), WITH_FAMILIES, "tiny", PAPERS), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A board of more rows than are drawn at once."""
    path = tmp_path_factory.mktemp("long") / "board.html"
    rows = [record(f"m{place:03d}", place - 0.1, place, place + 0.1) for place in range(ROWS)]
    path.write_text(boards.page(rows, WITH_FAMILIES, "tiny", PAPERS), encoding="utf-8")
    return path.as_uri()


def names(tab: Any, section: str = "scores") -> list[str]:
    return tab.locator(f"#{section} tbody th a").all_text_contents()


def heading(tab: Any, name: str, section: str = "scores") -> Any:
    return tab.locator(f"#{section} thead th", has_text=name).first


def test_any_heading_sorts_and_says_which_way(opened: Any) -> None:
    hostile = names(opened)[3]
    tarr = heading(opened, "TARR")
    tarr.get_by_role("button").click()
    assert names(opened) == ["truth", "a", "b (demo)", hostile, "copy"]
    assert tarr.get_attribute("aria-sort") == "descending"
    tarr.get_by_role("button").press("Enter")
    assert names(opened)[0] == "copy" and tarr.get_attribute("aria-sort") == "ascending"
    rank = heading(opened, "rank")
    rank.get_by_role("button").press("Space")
    assert names(opened)[:3] == ["b (demo)", "a", hostile]  # equals keep their order; no rank: at the end
    assert rank.get_attribute("aria-sort") == "ascending" and tarr.get_attribute("aria-sort") is None


def test_every_table_sorts_by_itself(opened: Any) -> None:
    heading(opened, "Young", "edits").get_by_role("button").click()
    assert names(opened, "edits")[0] == "truth" and names(opened)[-1] == "copy"
    heading(opened, "value", "published").get_by_role("button").click()
    values = opened.locator("#published tbody td:nth-child(3)").all_text_contents()
    assert values == ["31.5", "99.9", "985"]


def test_measured_and_published_can_be_shown_alone(opened: Any) -> None:
    opened.locator("#by-kind").select_option("published")
    assert not opened.locator("#scores table").is_visible() and opened.locator("#published").is_visible()
    assert opened.locator("#shown").inner_text() == "0 of 5 runs measured here, 3 of 3 published numbers"
    opened.locator("#by-kind").select_option("measured")
    assert opened.locator("#scores table").is_visible() and not opened.locator("#published").is_visible()
    opened.get_by_role("button", name="Clear").click()
    assert opened.locator("#published").is_visible() and len(names(opened)) == 5


def test_a_family_and_a_suite_filter_every_table(opened: Any) -> None:
    opened.locator("#by-family").select_option(label="made after a")
    assert names(opened) == ["a"] and names(opened, "cost") == ["a"]
    assert opened.locator("#published tbody tr").count() == 2
    opened.locator("#by-suite").select_option(label="tiny")
    assert names(opened) == ["a"] and not opened.locator("#published").is_visible()
    opened.locator("#by-suite").select_option(label="CelebA 128 px")
    assert names(opened) == [] and opened.locator("#published tbody tr").count() == 1


def test_a_judge_keeps_only_the_columns_that_ask_it(opened: Any) -> None:
    def shown() -> list[str]:
        headings = opened.locator("#scores thead th").all()
        return [one.inner_text().split()[0] for one in headings if one.is_visible()]

    assert shown() == ["method", "rank", "TARR", "reconstruction", "ssFID"]
    opened.locator("#by-judge").select_option(label="toy")
    assert shown() == ["method", "rank", "TARR"] and opened.locator("#edits").is_visible()
    assert opened.locator("#scores tbody tr").first.locator("td:visible").count() == 2
    assert not opened.locator("#cost").is_visible() and not opened.locator("#published").is_visible()
    opened.locator("#by-judge").select_option(label="no judge")
    assert shown() == ["method", "rank", "reconstruction", "ssFID"] and opened.locator("#cost").is_visible()
    opened.locator("#by-judge").select_option(label="the papers' own")
    assert opened.locator("#published").is_visible() and not opened.locator("#scores table").is_visible()


def test_ranks_stay_when_rows_are_filtered_and_sorted(opened: Any) -> None:
    opened.locator("#words").fill("script")
    (row,) = opened.locator("#scores tbody tr").all()
    assert row.locator("td.rank").inner_text() == "3"
    heading(opened, "TARR").get_by_role("button").click()
    opened.locator("#words").fill("")
    assert len(names(opened)) == 5


def test_protocol_opens_with_the_keyboard(opened: Any) -> None:
    pin = opened.locator("#protocol code").first
    assert not pin.is_visible()
    opened.locator("#protocol summary").press("Enter")
    assert pin.is_visible() and pin.inner_text() == "f" * 64


@pytest.mark.parametrize(
    "opened", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_words_stand_out_in_light_and_dark(opened: Any) -> None:
    for selector in ("p", "a[href]", ".legend", "td small", "svg .tick", "svg .label", ".badge", "#shown",
                     "tr.floor td", "th button"):  # fmt: skip
        assert contrast(opened, selector) >= 4.5, selector  # WCAG 2.2 AA, text


@pytest.mark.parametrize("opened", [PHONE], indirect=True, ids=["phone"])
def test_on_a_phone_only_tables_scroll_sideways(opened: Any) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.locator(".wide").first.evaluate("box => box.scrollWidth > box.clientWidth")
    heading(opened, "rank").get_by_role("button").tap()
    assert names(opened)[0] == "a"


def test_print_shows_the_protocol_and_no_controls(opened: Any) -> None:
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not opened.locator("#filters").is_visible()
    assert opened.locator("#protocol code").first.is_visible()
    assert opened.locator(".wide").first.evaluate("box => getComputedStyle(box).overflowX") == "visible"
    assert opened.pdf(prefer_css_page_size=True)[:5] == b"%PDF-"


def test_everything_can_be_reached_with_the_keyboard(opened: Any) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(40):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"by-kind", "by-suite", "by-family", "by-judge", "words", "clear", "BUTTON", "SUMMARY"} <= reached


def test_it_can_be_read_without_the_script(chromium: Any, long: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(long)
    assert tab.locator("#scores tbody tr:visible").count() == ROWS
    assert not tab.locator("#filters").is_visible()
    context.close()


def test_a_long_board_draws_its_first_rows_and_sorts_all(chromium: Any, long: str) -> None:
    tab = chromium.new_page()
    tab.goto(long)
    assert len(names(tab)) == 50 and "first 50 of 120 rows" in tab.locator("#scores .more").inner_text()
    for _ in range(2):
        heading(tab, "TARR").get_by_role("button").click()
    assert names(tab) == [f"m{place:03d}" for place in range(50)]  # the lowest of all, not of those drawn
    tab.locator("#words").fill("m11")
    assert names(tab) == [f"m{place}" for place in range(110, 120)]
    tab.locator("#words").fill("")
    tab.locator("#scores").get_by_role("button", name="Draw all rows").click()
    assert len(names(tab)) == ROWS and not tab.locator("#scores .more").is_visible()
    tab.close()


def test_hostile_names_are_shown_as_they_are(opened: Any) -> None:
    assert names(opened)[3] == f"{HOSTILE} ({HOSTILE})"
    assert opened.locator("#by-family option", has_text="<script>").count() == 1
