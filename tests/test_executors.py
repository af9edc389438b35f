"""Shards over processes: results come back whole, and a worker that is killed is told."""

from __future__ import annotations

import os
import signal

import pytest

from faceedit_bench.errors import FaceEditError
from faceedit_bench.executors import processes


def test_every_task_is_worked_on_once() -> None:
    assert sorted(processes.map(_square, range(5), 2)) == [0, 1, 4, 9, 16]


def test_a_worker_that_is_killed_is_an_error_that_says_so() -> None:
    with pytest.raises(FaceEditError, match="a worker process was killed, perhaps for want of memory"):
        list(processes.map(_killed, range(5), 2))


def _square(number: int) -> int:
    return number * number


def _killed(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number
