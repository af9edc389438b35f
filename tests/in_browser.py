"""Pages in a real browser: Playwright drives the Chromium that is installed here. Nothing is downloaded.

Pictures for a person to look at are written where FACEEDIT_SCREENSHOTS says, if it does. A test file has a
fixture `address`, the page that `opened` opens.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
NEEDED = [  # every test file's `pytestmark`
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
         "--disable-background-networking", "--disable-sync"]  # fmt: skip
HOSTILE = '"><script>window.hacked=1</script><img src=x onerror="window.hacked=2">'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra `browser` (playwright)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


PHONE = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}


@pytest.fixture
def opened(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, freshly opened; afterwards: no error on the console, no request, no foreign script."""
    context = chromium.new_context(**getattr(request, "param", {}))
    tab = context.new_page()
    told: list[str] = []
    tab.on(
        "console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None
    )
    tab.on("pageerror", lambda error: told.append(str(error)))
    asked: list[str] = []
    tab.on("request", lambda asking: asked.append(asking.url))
    tab.goto(address)
    yield tab
    keep(tab, request.node.name)
    assert told == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert tab.evaluate("window.hacked") is None
    context.close()


def keep(tab: Any, name: str) -> None:
    """A screenshot, where somebody wants to look."""
    if folder := os.environ.get("FACEEDIT_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        tab.wait_for_function(
            "!document.images.length || document.documentElement.classList.contains('settled')"
        )
        tab.screenshot(path=Path(folder) / f"{name.replace('/', '-')}.png", full_page=True)


def contrast(tab: Any, selector: str) -> float:
    """WCAG's ratio of the colour of an element and the page's ground."""
    script = """selector => {
      const linear = share => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      const light = colour => {
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(level => linear(level / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const element = document.querySelector(selector);
      const style = getComputedStyle(element);
      const ink = light(element.ownerSVGElement ? style.fill : style.color);
      const ground = light(getComputedStyle(document.body).backgroundColor);
      return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    }"""
    return float(tab.evaluate(script, selector))
