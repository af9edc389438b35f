"""Costs of several methods at several sizes: measured where that can be done here, predicted elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from .. import device as devices
from ..device import available_bytes
from ..errors import BadConfig, FaceEditError
from ..spawning import pool_of, without_main
from .fitting import fit
from .predicting import predict, takes
from .profile import SCRATCH, Job, checked, profile
from .subject import Subject, check_settings, subject

LARGEST = 16_384  # pixels per side
GPU_ROOM = 1.3  # memory of a GPU, times the bytes of tensors: libraries' workspaces
PATIENCE = 60.0  # seconds that a method may take here before it is predicted instead
CPU_RATE = 2e10  # FLOPs per second and thread, a usual core's
PASSES = 40  # of a picture in one measurement, at least
CHECKED = 256  # px: predictions are checked at this size, or the smallest asked

Mode = Literal["auto", "measured", "predicted"]


@dataclass(frozen=True)
class Question:
    """What is asked of every method."""

    methods: tuple[str, ...]
    sizes: tuple[int, ...]
    mode: Mode = "auto"
    device: str = ""  # "": where it is measured "auto", where it is predicted "cuda", which need not be here
    settings: Mapping[str, Any] = field(default_factory=dict)  # options of the methods that have them
    memory: int | None = None  # bytes that a picture must fit into
    seconds: float = 10.0  # of timed runs
    threads: int = 1
    checks: bool = False  # also run each method once here and compare its prediction


@dataclass(frozen=True)
class Place:
    """Which devices are meant."""

    measured: str  # "" where nothing can be measured
    predicted: str


def survey(question: Question) -> Iterator[dict[str, Any]]:
    """A row for every method and size, each as soon as it is known; names are checked before the first."""
    subjects = [subject(name, question.settings) for name in question.methods]
    check_settings(question.settings, subjects)
    _check_numbers(question)
    place = _place(question)
    return (
        {"method": asked.spec.name, "preset": asked.preset, "name": asked.name, "size": size} | row
        for name, asked in zip(question.methods, subjects, strict=True)
        for size, row in _rows(name, asked, question, place)
    )


def _check_numbers(question: Question) -> None:
    for size in question.sizes:
        if not 1 <= size <= LARGEST:
            raise BadConfig(f"--size wants pixels per side from 1 to {LARGEST}, found {size}")
    if question.threads < 1 or question.seconds <= 0:
        found = f"{question.threads} and {question.seconds}"
        raise BadConfig(f"wanted at least one thread and more than 0 seconds, found {found}")


def _place(question: Question) -> Place:
    if question.mode == "predicted":
        return Place("", _known(question.device or "cuda"))
    try:
        measured = devices.choose(question.device or "auto")
    except BadConfig as error:
        if question.mode == "measured":
            raise BadConfig(
                f"{error}. Nothing of that device can be measured here; without --measured its memory is "
                "predicted"
            ) from None
        return Place("", _known(question.device))
    return Place(measured, question.device or "cuda")


def _known(device: str) -> str:
    """A kind of device that a prediction can pretend."""
    kind = "cuda" if device == "auto" else device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise BadConfig(f"--device {device}: predictions know cpu and cuda")
    return kind


def _rows(
    name: str, asked: Subject, question: Question, place: Place
) -> Iterator[tuple[int, dict[str, Any]]]:
    for size in question.sizes:
        row = _row(_job(name, question, size, place.measured), asked, question, place)
        if question.memory is not None and row["mode"] != "refused":
            row["memory"] = {"limit": question.memory, **fit(asked, size, question.memory, place.predicted)}
        if question.checks and row["mode"] == "predicted":
            where = devices.choose("auto")
            check = _job(name, question, min(CHECKED, min(question.sizes)), where)
            row["check"] = in_own_process(checked, check)
        yield size, row


def _job(name: str, question: Question, size: int, device: str) -> Job:
    return Job(name, dict(question.settings), size, device, question.seconds, question.threads)


def _row(job: Job, asked: Subject, question: Question, place: Place) -> dict[str, Any]:
    if question.mode == "measured":
        return _with_sizes(in_own_process(profile, job), asked)
    try:
        why = "asked for" if question.mode == "predicted" else obstacle(asked, job)
        if not why:
            return _with_sizes(in_own_process(profile, job), asked)
        return {**predict(asked, job.size, place.predicted), "reason": why}
    except FaceEditError as error:
        return _with_sizes({"mode": "refused", "reason": str(error)}, asked)


def _with_sizes(row: dict[str, Any], asked: Subject) -> dict[str, Any]:
    """A refused size is told together with those that work."""
    return {**row, "takes": takes(asked)} if row["mode"] == "refused" else row


def obstacle(asked: Subject, job: Job) -> str:
    """Why a method is not measured here unless that is asked for; "" where nothing speaks against it."""
    if not job.device:
        return "no such device here"
    if asked.choice() is None:
        return "no weights here"
    told = predict(asked, job.size, torch.device(job.device).type)
    is_cpu = torch.device(job.device).type == "cpu"
    room, free = SCRATCH if is_cpu else GPU_ROOM, available_bytes(job.device)
    if free is not None and told["peak_total_bytes"] * room > free:
        return f"may need {told['peak_total_bytes'] * room / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free"
    patience = PATIENCE * max(job.seconds / 10, 1)
    minutes = told["flops"] * PASSES / (CPU_RATE * job.threads) / 60
    if is_cpu and minutes * 60 > patience:
        return f"would take about {minutes:.0f} min here"
    return ""


def in_own_process(work: Callable[[Job], dict[str, Any]], job: Job) -> dict[str, Any]:
    """Run in a fresh process: peaks of memory are then of this work alone."""
    with pool_of(1) as pool:
        with without_main():
            future = pool.submit(work, job)
        try:
            return future.result()
        except BrokenProcessPool:
            return {"mode": "refused", "reason": "its process was ended, most likely for lack of memory"}
