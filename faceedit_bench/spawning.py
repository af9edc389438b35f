"""Worker processes that do not run the user's script again and do not outlive their parent."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .errors import FaceEditError


@contextmanager
def pool_of(
    count: int, begin: Callable[..., object] | None = None, given: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """So many workers, spawned: each starts from a fresh interpreter, with `begin(*given)`.

    One that is killed ends the block with an error; what was not begun when the block ends is given up.
    """
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_begin, initargs=(begin, given))
    try:
        yield pool
    except BrokenProcessPool:
        raise FaceEditError(
            "a worker process was killed, perhaps for want of memory; give the command again, with fewer "
            "--workers where it has them"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[..., object] | None, given: tuple[Any, ...]) -> None:
    end_with_parent()
    if begin is not None:
        begin(*given)


@contextmanager
def without_main() -> Iterator[None]:
    """Start worker processes inside this block.

    A spawned process first imports the script that started its parent, so `fb.run(...)` in a script without
    an `if __name__ == "__main__"` guard, or on standard input, would fail. Our workers need none of it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def end_with_parent() -> None:
    """For a worker to call first: it must not stay behind when its parent is killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "called in a worker"
    parent.join()
    os._exit(1)
