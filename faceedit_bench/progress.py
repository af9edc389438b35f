"""Progress on stderr: a bar on a terminal, a line now and then elsewhere, nothing when quiet.

It is quiet in continuous integration (which sets $CI), with $FACEEDIT_QUIET and under a command's --json.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SECONDS = 15.0  # between lines where there is no terminal
QUIET = "FACEEDIT_QUIET"


class Advance(Protocol):
    """So many more are done; `now` says what they were, where the title does not."""

    def __call__(self, step: int, now: str = "") -> None: ...


def is_quiet() -> bool:
    return any(os.environ.get(name) for name in (QUIET, "CI"))


def say(line: str) -> None:
    """A line for people on stderr, where they want any."""
    if not is_quiet():
        print(line, file=sys.stderr)


@contextmanager
def bar(title: str, total: int) -> Iterator[Advance]:
    """`with bar("drawing", 200) as advance: advance(10)`."""
    if is_quiet():
        yield lambda step, now="": None
    elif sys.stderr.isatty():
        yield from _drawn(title, total)
    else:
        yield from _lines(title, total)


def _drawn(title: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[now]}"),
    )
    begun, done = time.monotonic(), 0

    def advance(step: int, now: str = "") -> None:
        nonlocal done
        done += step
        pace = done / max(time.monotonic() - begun, 1e-9)
        progress.update(task, advance=step, pace=f"{pace:.0f}/s", now=now)

    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, pace="", now="")
        yield advance


def _lines(title: str, total: int) -> Iterator[Advance]:
    done, begun = 0, time.monotonic()
    spoken = begun

    def advance(step: int, now: str = "") -> None:
        nonlocal done, spoken
        done += step
        clock = time.monotonic()
        if done < total and clock - spoken >= SECONDS:
            spoken = clock
            pace = done / (clock - begun)
            left = f"{pace:.0f}/s, about {(total - done) / pace:.0f} s left"
            print(", ".join(filter(None, (f"{title}: {done} of {total}", left, now))), file=sys.stderr)

    yield advance
    print(f"{title}: {done} of {total} in {time.monotonic() - begun:.1f} s", file=sys.stderr)
