"""Everything that can be measured of a method at a size, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..contracts import Editor, Part
from ..device import available_bytes, of_pictures
from ..errors import BadConfig, FaceEditError
from ..restoring import fast
from ..weights import build_editor
from .audit import audit
from .clock import Run, best_batch
from .holdings import reachable_tensors
from .machine import conditions, gpu_process_bytes
from .measuring import measure
from .memory import cuda_peak, living_storages, process_peak
from .predicting import predict
from .sample import edit_of, labels_of, sample_batch
from .subject import Subject, check_size, explained, subject

LARGEST_BATCH = 256
SCRATCH = 3.0  # memory of a process on a CPU, at most so many times the bytes of its tensors


@dataclass(frozen=True)
class Job:
    """What is measured, in words that travel to another process."""

    name: str
    settings: dict[str, Any]
    size: int
    device: str
    seconds: float
    threads: int


@dataclass(frozen=True)
class Fresh:
    """A LoadContext (faceedit_bench.api) without files: weights as a fixed seed makes them."""

    device: str

    def restore(self, network: nn.Module, part: Part | Path = 0) -> nn.Module:
        return fast(network.to(self.device).eval().requires_grad_(False), self.device, False)

    def file(self, part: Part = 0) -> Path:
        raise BadConfig("it reads a weights file of its own, which is not here")


def load(asked: Subject, device: str) -> Editor:
    """The method with its weights; where they are not here, with fresh ones, which cost the same."""
    choice = asked.choice()
    if choice is not None:
        return build_editor(choice, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return asked.spec.load(asked.options, Fresh(device))


def profile(job: Job) -> dict[str, Any]:
    """Measure, predict, compare; what the method cannot do comes back as `refused` with its reason."""
    from ..evaluate import set_numerics  # the numerics of a run

    set_numerics(job.threads)
    asked = subject(job.name, job.settings)
    try:
        check_size(asked, job.size)
        return _profile(asked, job)
    except torch.OutOfMemoryError as error:
        return {"mode": "refused", "reason": f"out of memory: {explained(error)}"}
    except FaceEditError as error:
        return {"mode": "refused", "reason": str(error)}
    except Exception as error:  # whatever a plugin may raise
        return {"mode": "refused", "reason": f"cannot edit {job.size} px: {explained(error)}"}


def _profile(asked: Subject, job: Job) -> dict[str, Any]:
    editor = load(asked, job.device)
    home = of_pictures(editor, job.device)

    def run_of(count: int) -> Run:
        batch = sample_batch(job.size, asked.attributes, job.device, count=count, home=home)
        return edit_of(editor, batch)

    process: dict[str, Any] = process_peak(run_of(1))  # of the first pass: later ones use freed pages again
    found = measure(editor, job.size, asked.attributes, job.device, seconds=job.seconds)
    found["peak_total_bytes"] = found["weights_bytes"] + found["peak_activation_bytes"]
    process["gpu_process_bytes"] = gpu_process_bytes() if "cuda" in found else None
    return {
        "mode": "measured",
        "weights": "its own" if asked.choice() else "fresh",
        **found,
        "process": process,
        "throughput": best_batch(run_of, job.device, largest=largest_batch(asked, job), seconds=job.seconds),
        "audit": audit(
            editor,
            lambda: load(asked, job.device),
            job.size,
            asked.attributes,
            job.device,
            seconds=job.seconds / 2,
        ),
        "prediction": compared(asked, job.size, job.device, found),
        "conditions": conditions(job.device),
    }


def largest_batch(asked: Subject, job: Job) -> int:
    """Pictures that memory holds with room for what operators take beside tensors, a power of two."""
    if torch.device(job.device).type == "cuda":
        return LARGEST_BATCH  # the allocator says when it is enough
    free = available_bytes(job.device)
    each = predict(asked, job.size, job.device)["peak_activation_bytes"] * SCRATCH
    count = LARGEST_BATCH if free is None or not each else max(int(free // each), 1)
    return min(LARGEST_BATCH, 2 ** (count.bit_length() - 1))


def compared(asked: Subject, size: int, device: str, found: dict[str, Any]) -> dict[str, Any]:
    """The prediction of the same pass and its relative errors, against tensors and against the allocator."""
    told = predict(asked, size, device)
    errors = {key: told[key] / found[key] - 1 for key in ("peak_activation_bytes", "flops") if found.get(key)}
    if "cuda" in found:
        errors["allocated_bytes"] = told["allocated_bytes"] / found["cuda"]["peak_allocated_bytes"] - 1
    keys = ("peak_activation_bytes", "flops", "allocated_bytes")
    return {**{key: told[key] for key in keys if key in told}, "errors": errors}


def checked(job: Job) -> dict[str, Any]:
    """Only the prediction's errors, of one pass that is watched; nothing is timed."""
    from ..evaluate import set_numerics

    set_numerics(job.threads)
    asked = subject(job.name, job.settings)
    try:
        editor = load(asked, job.device)
        home = of_pictures(editor, job.device)
        batch = sample_batch(job.size, asked.attributes, job.device, home=home)
        run = edit_of(editor, batch)
        known = [*reachable_tensors(editor), *labels_of(batch)]
        living = living_storages(run, known, [batch.images])
        found: dict[str, Any] = {"size": job.size, "peak_activation_bytes": living.peak_on(job.device)}
        if torch.device(job.device).type == "cuda":
            cuda_peak(run, job.device)  # makes the libraries' handles
            found["cuda"] = cuda_peak(run, job.device)
        return {**found, "prediction": compared(asked, job.size, job.device, found)}
    except FaceEditError as error:
        return {"size": job.size, "reason": str(error)}
    except Exception as error:  # whatever a plugin may raise
        return {"size": job.size, "reason": explained(error)}
