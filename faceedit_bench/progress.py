"""Progress on stderr: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 15.0  # between lines where there is no terminal


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """`with bar("drawing", 200) as advance: advance(10)`. Quiet when $FACEEDIT_QUIET is set."""
    if os.environ.get("FACEEDIT_QUIET"):
        yield lambda step: None
    elif sys.stderr.isatty():
        yield from _drawn(title, total)
    else:
        yield from _lines(title, total)


def _drawn(title: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda step: progress.advance(task, step)


def _lines(title: str, total: int) -> Iterator[Callable[[int], None]]:
    done, begun = 0, time.monotonic()
    spoken = begun

    def advance(step: int) -> None:
        nonlocal done, spoken
        done += step
        now = time.monotonic()
        if done < total and now - spoken >= SECONDS:
            spoken = now
            left = (now - begun) / done * (total - done)
            print(f"{title}: {done} of {total}, about {left:.0f} s left", file=sys.stderr)

    yield advance
    print(f"{title}: {done} of {total} in {time.monotonic() - begun:.1f} s", file=sys.stderr)
