"""How memory and operations grow with the picture: predictions of the report's methods at several sizes.

Methods are followed in processes of their own while the rest of the report is written, without PyTorch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..catalog import catalog
from ..errors import FaceEditError
from ..manifest import SUPPLIED, canonical
from ..markup.blocks import figure, numbers
from ..markup.html import Html, element, joined
from ..spawning import pool_of, without_main
from .curve import Curve, curves, logarithmic
from .material import Run
from .parts import Items, Part, Table, Words, html

DEVICE = "cuda"  # that is pretended
MEASURES = {  # key of a prediction -> title, unit, what it is called
    "peak_total_bytes": ("Memory against size", 1e6, "weights and peak activations, MB"),
    "macs": ("Operations against size", 1e9, "MACs, G"),
}
ABOUT = (
    "Predicted, not measured: each method, as its run used it, was followed on tensors that are not there, "
    "one picture at a time, on a GPU that is pretended. Bytes are those of tensors: scratch memory of "
    "operators and the CUDA context come on top. Both directions of the plots are logarithmic."
)


@dataclass(frozen=True)
class Job:
    """What is followed, in words that travel to another process."""

    method: str
    preset: str
    options: str  # JSON
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Growth:
    """Predictions at the sizes that a method takes."""

    found: dict[int, dict[str, int]] = field(default_factory=dict)  # size -> the keys of MEASURES
    reason: str = ""  # why there are none at some or all sizes


Growths = Sequence[Growth]  # of every run
Started = Sequence[Future[Growth]]


# ---- following ------------------------------------------------------------------------------------


@contextmanager
def following(runs: Sequence[Run], sizes: Sequence[int]) -> Iterator[Started]:
    """Start predictions of every run's method; equal ones are made once. Nothing without sizes."""
    if not sizes:
        yield []
        return
    jobs = [_job(run, tuple(sizes)) for run in runs]
    with pool_of(min(os.cpu_count() or 1, len(set(jobs)))) as pool:
        with without_main():
            started = {job: pool.submit(follow, job) for job in dict.fromkeys(jobs)}
        yield [started[job] for job in jobs]


def finished(started: Started) -> Growths:
    """The predictions, waited for."""
    return [_finished(one) for one in started]


def _finished(one: Future[Growth]) -> Growth:
    try:
        return one.result()
    except BrokenProcessPool:
        return Growth(reason="the process that followed it was ended, most likely for lack of memory")


def _job(run: Run, sizes: tuple[int, ...]) -> Job:
    method = run.identity["method"]
    options = canonical(method.get("options", {}))
    return Job(run.method, str(method.get("preset", "default")), options, sizes)


def follow(job: Job) -> Growth:
    """Of one method, in the process that asks."""
    if job.preset == SUPPLIED:
        return Growth(reason="its pictures were edited elsewhere")
    if job.method not in catalog().methods:
        return Growth(reason="no such method is installed here")
    from ..cost import predict, subject

    found, reason = {}, ""
    for size in job.sizes:
        try:
            asked = subject(f"{job.method}:{job.preset}", json.loads(job.options))
            told = predict(asked, size, DEVICE)
            found[size] = {key: told[key] for key in MEASURES}
        except FaceEditError as error:
            reason = reason or " ".join(str(error).split())
    return Growth(found, reason)


# ---- showing --------------------------------------------------------------------------------------


def plots(runs: Sequence[Run], growths: Growths) -> Html | None:
    """A plot of each measure with its table, and which methods are missing."""
    if not growths:
        return None
    shown = [_plot(key, runs, growths) for key in MEASURES if any(growth.found for growth in growths)]
    grid = element("div", *shown, class_="plots large")
    return joined([element("p", ABOUT), grid, html(_missing(runs, growths))])


def tables(runs: Sequence[Run], growths: Growths) -> list[Part]:
    """The same without plots."""
    if not growths:
        return []
    found = [_table(key, runs, growths) for key in MEASURES if any(growth.found for growth in growths)]
    return [Words(ABOUT), *found, *_missing(runs, growths)]


def _missing(runs: Sequence[Run], growths: Growths) -> list[Part]:
    lines = []
    for run, growth in zip(runs, growths, strict=True):
        if growth.reason:
            where = f" except at {', '.join(map(str, growth.found))} px" if growth.found else ""
            lines.append(f"{run.name}: not predicted{where}: {growth.reason}")
    return [Items(lines)] if lines else []


def _plot(key: str, runs: Sequence[Run], growths: Growths) -> Html:
    title, unit, what = MEASURES[key]
    lines = [
        Curve(
            run.name, index, tuple((f"{size} px", size, of[key] / unit) for size, of in growth.found.items())
        )
        for index, (run, growth) in enumerate(zip(runs, growths, strict=True))
        if any(of[key] for of in growth.found.values())
    ]
    across, up = logarithmic(lines)
    drawing = curves(f"{title}, predicted", lines, across, up, ("pixels a side", f"{what} ↓"), is_dashed=True)
    told = _table(key, runs, growths)
    return figure(f"{title}, predicted", drawing, numbers(told.caption, told.headings, told.rows))


def _table(key: str, runs: Sequence[Run], growths: Growths) -> Table:
    title, unit, what = MEASURES[key]
    sizes = sorted({size for growth in growths for size in growth.found})
    rows = [
        [run.name, *(_cell(growth.found.get(size, {}).get(key), unit) for size in sizes)]
        for run, growth in zip(runs, growths, strict=True)
    ]
    return Table(f"{title}, predicted: {what}", ["method", *(f"{size} px" for size in sizes)], rows)


def _cell(value: float | None, unit: float) -> str:
    if value is None:
        return "–"
    return f"{value / unit:.2f}" if value < 100 * unit else f"{value / unit:.0f}"
