"""Time of one run, and of the batch that edits most pictures per second."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

Run = Callable[[], Any]
Timer = Callable[[Run], float]
WARM_UP, WARM_UP_CAP, SETTLED = 10, 100, 0.02  # iterations, iterations, change of the median
ITERATIONS = 200
FEWEST = 5  # timed iterations, however slow the method


def latency(run: Run, device: str, *, seconds: float, iterations: int = ITERATIONS) -> dict[str, Any]:
    """Seconds of single runs after warming up; on a GPU between events on the stream, each alone."""
    time_once = timer(device)
    with torch.inference_mode():
        warm_up = _warm_up(run, time_once, seconds / 2)
        taken: list[float] = []
        begun, begun_cpu = time.perf_counter(), time.process_time()
        while len(taken) < iterations and (len(taken) < FEWEST or time.perf_counter() - begun < seconds):
            taken.append(time_once(run))
        wall, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    return {
        **summary(taken),
        "n": len(taken),
        "warm_up": warm_up,
        "wall_mean": wall / len(taken),
        "cpu_mean": cpu / len(taken),
        "seconds": taken,
    }


def summary(taken: Sequence[float]) -> dict[str, float]:
    """Median, mean, minimum and percentiles."""
    ordered = sorted(taken)
    return {
        "median": statistics.median(ordered),
        "mean": statistics.fmean(ordered),
        "min": ordered[0],
        **{f"p{percent}": percentile(ordered, percent) for percent in (5, 90, 95)},
    }


def _warm_up(run: Run, time_once: Timer, seconds: float) -> int:
    """Run until the median of ten runs is within 2 % of that of the ten before; number of runs.

    At most a hundred, and after the first ten no longer than `seconds`.
    """
    taken: list[float] = []
    begun = time.perf_counter()
    while len(taken) < WARM_UP_CAP:
        taken.append(time_once(run))
        if len(taken) >= 2 * WARM_UP:
            before, now = (
                statistics.median(part) for part in (taken[-2 * WARM_UP : -WARM_UP], taken[-WARM_UP:])
            )
            if abs(now - before) < SETTLED * before:
                break
        if len(taken) >= WARM_UP and time.perf_counter() - begun > seconds:
            break
    return len(taken)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Linear interpolation between the two nearest of an ascending sequence."""
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def timer(device: str) -> Timer:
    """Device events on a GPU, the wall clock elsewhere."""
    return _cuda_timer(device) if torch.device(device).type == "cuda" else _wall_timer


def _wall_timer(run: Run) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def _cuda_timer(device: str) -> Timer:
    def time_once(run: Run) -> float:
        with torch.cuda.device(device):
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            start.record()
            run()
            stop.record()
            torch.cuda.synchronize()
        return start.elapsed_time(stop) / 1e3

    return time_once


# ---- throughput -----------------------------------------------------------------------------------

GAIN = 1.05  # a larger batch must edit 5 % more pictures per second than the best so far
REPEATS = 3  # timed runs of each batch, after one that is not


def best_batch(
    run_of: Callable[[int], Run], device: str, *, largest: int, seconds: float
) -> dict[str, Any] | None:
    """Pictures per second of batches 1, 2, 4, …, and the best; stops after two that bring nothing.

    `run_of(n)` edits n pictures. Stops at `largest`, when memory is out, and when `seconds` are over.
    """
    time_once, begun = timer(device), time.perf_counter()
    rates: dict[int, float] = {}
    stopped, batch = "", 1
    while not stopped:
        try:
            rates[batch] = batch / _median_time(run_of(batch), time_once)
        except torch.OutOfMemoryError:
            stopped = f"no memory for {batch}"
            break
        best = max(rates, key=lambda size: rates[size])
        if best * 4 <= batch or (best < batch and rates[batch] * GAIN < rates[best]):
            stopped = "larger ones are not faster"
        elif batch * 2 > largest:
            stopped = f"at most {largest}"
        elif time.perf_counter() - begun > seconds:
            stopped = "time is over"
        batch *= 2
    if not rates:
        return None
    best = max(rates, key=lambda size: rates[size])
    return {"batch": best, "images_per_second": rates[best], "tried": rates, "stopped": stopped}


def _median_time(run: Run, time_once: Timer) -> float:
    with torch.inference_mode():
        run()
        return statistics.median(time_once(run) for _ in range(REPEATS))
