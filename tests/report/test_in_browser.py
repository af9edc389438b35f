"""The report in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from in_browser import HOSTILE, NEEDED, PHONE, contrast
from stored import write_run

from faceedit_bench.report.material import read
from faceedit_bench.report.page import page as report_page

pytestmark = NEEDED


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of four runs, one with a hostile name, hostile edits and hostile faces."""
    root = tmp_path_factory.mktemp("browser")
    samples = [HOSTILE, *(str(face) for face in range(11))]
    edits = ("Male", "Mouth_Slightly_Open", HOSTILE)
    numbers = {"coogan": 70.0, "stgan": 60.0, HOSTILE: 95.0, "copy": 0.0}
    runs = [write_run(root, name, tarr=tarr, edits=edits, samples=samples) for name, tarr in numbers.items()]
    path = root / "report.html"
    path.write_text(report_page(read(runs)), encoding="utf-8")
    return path.as_uri()


def first_column(tab: Any) -> list[str]:
    return tab.locator("table.headline tbody th a").all_text_contents()


def test_a_heading_sorts_best_first_and_then_the_other_way(opened: Any) -> None:
    heading = opened.locator("table.headline thead th", has_text="tarr")
    heading.get_by_role("button").click()
    assert first_column(opened) == [HOSTILE, "coogan", "stgan", "copy"]
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").press("Enter")
    assert first_column(opened) == ["copy", "stgan", "coogan", HOSTILE]
    assert heading.get_attribute("aria-sort") == "ascending"


def test_the_slider_uncovers_the_source(opened: Any) -> None:
    assert opened.locator(".overlay").count() == 0
    opened.locator("#wipe").focus()
    opened.keyboard.press("Home")
    overlay = opened.locator(".grid td .overlay").first
    assert overlay.evaluate("image => getComputedStyle(image).clipPath") == "inset(0px 0px 0px 0%)"
    assert overlay.get_attribute("src") == opened.locator(".grid .source").first.get_attribute("src")
    opened.keyboard.press("End")
    assert overlay.evaluate("image => getComputedStyle(image).clipPath") == "inset(0px 0px 0px 100%)"


def test_differences_take_the_place_of_pictures(opened: Any) -> None:
    edited, difference = (opened.locator(f".grid .{name}").first for name in ("edited", "difference"))
    assert edited.is_visible() and not difference.is_visible()
    opened.get_by_label("show differences").check()
    assert difference.is_visible() and not edited.is_visible()


def test_the_viewer_shows_what_is_chosen_or_clicked(opened: Any) -> None:
    opened.locator("#viewer-method").select_option(label="stgan")
    opened.locator("#viewer-edit").select_option(label="Mouth_Slightly_Open")
    caption = opened.locator("#viewer figcaption")
    assert caption.inner_text().startswith("stgan, Mouth_Slightly_Open, face")
    opened.locator(".grid tbody tr").first.locator("td").nth(1).click()
    assert caption.inner_text().startswith("coogan, Male, face")
    opened.locator("#viewer-cut").focus()
    opened.keyboard.press("Home")
    cut = opened.locator("#viewer .before").evaluate("image => getComputedStyle(image).clipPath")
    assert cut == "inset(0px 0px 0px 0%)"


def test_a_link_to_a_manifest_opens_it(opened: Any) -> None:
    assert opened.locator("#manifests details[open]").count() == 0
    opened.locator("table.headline tbody a").first.click()
    opened.wait_for_function("document.querySelector('#manifests details[open]') !== null")


@pytest.mark.parametrize(
    "opened", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_words_and_bars_stand_out_in_light_and_dark(opened: Any, request: pytest.FixtureRequest) -> None:
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 29)" if request.node.callspec.id == "dark" else "rgb(255, 255, 255)")
    for selector in ("p", "a[href]", ".legend", "td small", "svg .tick", "svg .label", ".sign"):
        assert contrast(opened, selector) >= 4.5, selector  # WCAG 2.2 AA, text
    for selector in ("rect.m0", "rect.m1", "rect.m2"):
        assert contrast(opened, selector) >= 3, selector  # WCAG 2.2 AA, graphics


@pytest.mark.parametrize("opened", [PHONE], indirect=True, ids=["phone"])
def test_on_a_phone_only_tables_scroll_sideways(opened: Any) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.locator(".wide").first.evaluate("box => box.scrollWidth > box.clientWidth")
    opened.locator("table.headline thead th", has_text="id").first.get_by_role("button").tap()


def test_print_leaves_controls_out_and_cuts_nothing_off(opened: Any) -> None:
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not opened.locator("#controls").is_visible() and not opened.locator("#viewer").is_visible()
    assert opened.locator(".wide").first.evaluate("box => getComputedStyle(box).overflowX") == "visible"
    assert opened.pdf(landscape=True)[:5] == b"%PDF-"


@pytest.mark.parametrize(
    "opened", [{"java_script_enabled": True, "reduced_motion": "reduce"}], indirect=True, ids=[""]
)
def test_everything_can_be_reached_with_the_keyboard(opened: Any) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"A", "BUTTON", "DIV", "SUMMARY"} <= reached


def test_it_can_be_read_without_the_script(chromium: Any, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    assert tab.locator(".grid .edited").first.is_visible() and tab.locator("table.headline").is_visible()
    assert not tab.locator("#controls").is_visible() and not tab.locator("#viewer").is_visible()
    context.close()
