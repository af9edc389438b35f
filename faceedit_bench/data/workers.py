"""Many files read by all cores: an index is sent to each worker once, then spans of it are worked on."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

from ..spawning import pool_of, without_main

Result = TypeVar("Result")

FEW = 256  # rows below which starting workers costs more than it saves
AHEAD = 2  # spans that wait for each worker
_context: Any = None  # of this worker


def over_spans(
    work: Callable[[Any, int, int], Result],
    context: Any,
    rows: int,
    span: int,
    workers: int | None = None,
    few: int = FEW,
) -> Iterator[Result]:
    """`work(context, start, stop)` over spans of `rows`, in any order; `work` must be a module's function.

    Fewer than `few` rows are worked on in this process. A worker that is killed ends it with an error.
    """
    spans = [(start, min(start + span, rows)) for start in range(0, rows, span)]
    count = min(workers or os.cpu_count() or 1, len(spans))
    if count <= 1 or rows < few or multiprocessing.parent_process() is not None:
        yield from (work(context, start, stop) for start, stop in spans)
        return
    with pool_of(count, _remember, (context,)) as pool:
        yield from _as_done(pool, work, spans, AHEAD * count)


def _as_done(
    pool: ProcessPoolExecutor,
    work: Callable[[Any, int, int], Result],
    spans: Sequence[tuple[int, int]],
    ahead: int,
) -> Iterator[Result]:
    """Results as they come; no more than `ahead` spans are asked for or kept."""
    asked: set[Future[Result]] = set()
    for start, stop in spans:
        if len(asked) == ahead:
            done, asked = wait(asked, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
        with without_main():
            asked.add(pool.submit(_work, work, start, stop))
    yield from (future.result() for future in asked)


def _remember(context: Any) -> None:
    """In a worker: what it works on. Ctrl-C is the parent's to answer."""
    global _context
    _context = context
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(work: Callable[[Any, int, int], Result], start: int, stop: int) -> Result:
    return work(_context, start, stop)
