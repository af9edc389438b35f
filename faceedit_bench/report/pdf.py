"""A report as PDF: its own page, printed by a Chromium that is installed here."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ..errors import ResultsError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
SETTLED = "document.documentElement.classList.contains('settled')"  # page.js: every picture was asked for
DECODED = "Promise.all([...document.images].filter(one => one.src).map(one => one.decode())).then(() => true)"
PATIENCE = 120_000  # milliseconds


def pdf(page: bytes) -> bytes:
    """The page (HTML) on sheets, as its style for print says; ResultsError where nothing here can print."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise ResultsError(
            "--format pdf wants Playwright, which is not installed: pip install 'faceedit-bench[browser]'; "
            "or write the report as html and print it from any browser"
        ) from None
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = Path(folder) / "report.html"
        path.write_bytes(page)
        try:
            browser = driver.chromium.launch(executable_path=_browser(driver), args=_arguments())
            context = browser.new_context(offline=True)
            tab = context.new_page()
            tab.set_default_timeout(PATIENCE)
            tab.goto(path.as_uri())
            tab.wait_for_function(SETTLED)
            tab.evaluate(DECODED)
            printed = tab.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
            browser.close()
        except Error as error:
            raise ResultsError(
                f"Chromium could not print the report: {error.message.splitlines()[0]}"
            ) from None
    return printed


def _browser(driver: object) -> str:
    """An installed browser, else the one that Playwright itself may have fetched."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    own: str = driver.chromium.executable_path  # type: ignore[attr-defined]
    if found is None and not Path(own).is_file():
        raise ResultsError(
            "--format pdf wants Chromium, and none is installed: apt-get install chromium, or playwright "
            "install chromium; or write the report as html and print it from any browser"
        )
    return found or own


def _arguments() -> list[str]:
    """Chromium's sandbox does not work for the superuser; the page is ours and loads nothing."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, *(["--no-sandbox"] if is_root else [])]
