"""A report of nine runs × 13 edits × 200 faces: how long it takes to build and how large it is.

    python benchmarks/report.py results/drawn-128/*       finished runs of drawn-128

Where fewer than nine runs are named, they are copied under other names until there are nine; nothing else
changes, so every copy costs the report what a run of its own would. Where Playwright and Chromium are
installed, the page is opened five times as well.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from itertools import cycle
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from faceedit_bench.manifest import Manifest
from faceedit_bench.report.write import write_report
from faceedit_bench.store.files import read_json
from faceedit_bench.store.folder import RunFolder

RUNS = 9
WANTED_SECONDS, WANTED_MB, WANTED_OPENING = 20.0, 15.0, 1.0  # what the project asks of itself, on two cores


def nine(folders: list[Path], root: Path) -> list[RunFolder]:
    """The runs, and copies of them with other presets, nine together."""
    found = [RunFolder(folder) for folder in folders[:RUNS]]
    for number, folder in zip(range(len(found), RUNS), cycle(folders), strict=False):
        copy = root / f"copy-{number}"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("shards", "sheet.png"))
        content = read_json(copy / "manifest.json")
        content["identity"]["method"]["preset"] += f"-{number}"
        content["identity"]["method"]["name"] = f"{content['identity']['method']['name']}-{number}"
        (copy / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
        assert Manifest(**content).id not in {run.manifest.id for run in found}
        found.append(RunFolder(copy))
    return found


def opening(page: Path) -> list[float]:
    """Seconds from navigation to the load event, five times; [] without Playwright and Chromium."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return []
    if chromium is None:
        return []
    found = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(5):
            tab = browser.new_page(viewport={"width": 1400, "height": 900})
            tab.goto(page.as_uri())
            spent = "performance.timing.loadEventEnd - performance.timing.navigationStart"
            found.append(tab.evaluate(spent) / 1e3)
            tab.close()
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs of one suite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = nine(arguments.runs, Path(scratch))
        out = Path(scratch) / "report.html"
        before, wall = time.process_time(), time.perf_counter()
        size = write_report(runs, out)
        processor, wall = time.process_time() - before, time.perf_counter() - wall
        rows = read_json(runs[0].path / "faces.json")["of"] if (runs[0].path / "faces.json").is_file() else ""
        opened = opening(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(runs)} runs {rows and f'of {rows} faces'}".strip())
    print(f"processor  {processor:6.2f} s")
    print(f"clock      {wall:6.2f} s   (wanted ≤ {WANTED_SECONDS:.0f} s)")
    print(f"size       {size / 1e6:6.2f} MB  (wanted ≤ {WANTED_MB:.0f} MB)")
    if opened:
        print(f"opening    {statistics.median(opened):6.2f} s   (wanted ≤ {WANTED_OPENING:.0f} s)")
    print(f"memory     {peak:6.0f} MiB at most, libraries included")


if __name__ == "__main__":
    main()
