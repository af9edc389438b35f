"""A board of 2000 rows: how long it takes to build, and how long Chromium takes to sort it.

    python benchmarks/board.py                 rows made from the records of leaderboards/drawn-128
    python benchmarks/board.py --rows 500

A sort is timed from the click to the end of the frame that shows it: ordering, moving rows, layout, style.
The page's process is asked for its processor time, too, which other programs on the machine do not lengthen;
what is printed last is the ratio of that to what the project asks of itself.
"""

from __future__ import annotations

import argparse
import copy
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from faceedit_bench import board as boards
from faceedit_bench import published as papers
from faceedit_bench.manifest import Manifest
from faceedit_bench.store.files import read_json

LEADERBOARDS = Path(__file__).parents[1] / "leaderboards"
WANTED = 0.100  # seconds per sort
CLICK = """heading => new Promise(done => {
  const before = performance.now();
  heading.querySelector("button").click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - before)));
})"""


def many(records: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The records under other names with other numbers, `count` together."""
    draw = random.Random(0)
    found = []
    for number in range(count):
        made = copy.deepcopy(records[number % len(records)])
        method = made["manifest"]["identity"]["method"]
        method["name"] = f"{method['name']}-{number}"
        for score in made["scores"]:
            share = draw.uniform(0.5, 1.0)
            for key in ("value", "low", "high"):
                if score[key] is not None:
                    score[key] *= share
        made["id"] = Manifest(made["manifest"]["identity"], {}).id
        found.append(made)
    return found


def sorting(page: Path) -> list[tuple[float, float]]:
    """Seconds until the frame was shown and of the processor, for each heading of the first table, twice."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": 1400, "height": 900})
        tab.goto(page.as_uri(), timeout=120_000)
        probe = tab.context.new_cdp_session(tab)
        probe.send("Performance.enable")

        def processor() -> float:
            metrics = probe.send("Performance.getMetrics")["metrics"]
            return next(metric["value"] for metric in metrics if metric["name"] == "ProcessTime")

        found = []
        for heading in 2 * tab.locator("#scores thead th").all():
            before = processor()
            shown = heading.evaluate(CLICK) / 1e3
            found.append((shown, processor() - before))
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    arguments = parser.parse_args()
    definition = boards.load(LEADERBOARDS / "drawn-128.toml")
    real = [read_json(path) for path in sorted((LEADERBOARDS / "runs" / definition.suite).glob("*.json"))]
    records = many(real, arguments.rows)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "board.html"
        before = time.process_time()
        published = papers.load_all(LEADERBOARDS / "published", definition.published)
        page.write_text(boards.page(records, definition, "drawn-128", published), encoding="utf-8")
        print(f"{len(records)} rows built   {time.process_time() - before:6.2f} s of a core")
        print(f"size             {page.stat().st_size / 1e6:6.2f} MB")
        times = sorting(page)
    shown, processor = ([pair[place] for pair in times] for place in (0, 1))
    for name, values in (("clock", shown), ("processor", processor)):
        middle, worst = statistics.median(values) * 1e3, max(values) * 1e3
        print(f"sort, {name:<9} {middle:7.0f} ms, median of {len(values)}; worst {worst:.0f} ms")
    print(f"ratio to {WANTED * 1e3:.0f} ms {statistics.median(processor) / WANTED:9.2f}")


if __name__ == "__main__":
    main()
