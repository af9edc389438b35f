"""Shards spread over worker processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed
from typing import TypeVar

from ..spawning import pool_of, without_main

Task = TypeVar("Task")
Result = TypeVar("Result")


def map(work: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """Results as they finish; a worker that is killed ends them with an error."""
    with pool_of(workers) as pool:
        with without_main():
            futures = [pool.submit(work, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
