"""Many files read by all cores: an index is sent to each worker once, then spans of it are worked on."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..spawning import without_main

Result = TypeVar("Result")

FEW = 256  # rows below which starting workers costs more than it saves
_context: Any = None  # of this worker


def over_spans(
    work: Callable[[Any, int, int], Result], context: Any, rows: int, span: int, workers: int | None = None
) -> Iterator[Result]:
    """`work(context, start, stop)` over spans of `rows`, in any order; `work` must be a module's function."""
    spans = [(work, start, min(start + span, rows)) for start in range(0, rows, span)]
    count = min(workers or os.cpu_count() or 1, len(spans))
    if count <= 1 or rows < FEW or multiprocessing.parent_process() is not None:
        yield from (task(context, start, stop) for task, start, stop in spans)
        return
    with without_main():
        pool = multiprocessing.get_context("spawn").Pool(count, _remember, (context,))
    with pool:
        yield from pool.imap_unordered(_work, spans)


def _remember(context: Any) -> None:
    global _context
    _context = context


def _work(span: tuple[Callable[[Any, int, int], Result], int, int]) -> Result:
    work, start, stop = span
    return work(_context, start, stop)
