"""Losses of a training: one JSON line per step, checked for NaN and infinity as they are written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..errors import ResultsError, TrainingFailed
from .watch import Watcher


class LossLog:
    """`log.jsonl` in the training folder. Losses stay on the device until they are written, all at once."""

    def __init__(self, path: Path, step: int, watch: Sequence[Watcher]) -> None:
        self.path = path
        self.watch = watch
        self._waiting: list[tuple[int, dict[str, Tensor]]] = []
        self.latest = _keep_until(path, step)  # of every loss its last value

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Remember the losses of a step, named `phase.term`."""
        self._waiting.append((step, dict(losses)))

    def write(self) -> None:
        """Fetch, check and append what is waiting."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        values = torch.stack([loss.float() for _, losses in waiting for loss in losses.values()]).tolist()
        lines = []
        for step, losses in waiting:
            found = {name: values.pop(0) for name in losses}
            for name, value in found.items():
                if not math.isfinite(value):
                    phase, _, term = name.partition(".")
                    raise TrainingFailed(f"step {step}, phase {phase!r}: loss {term!r} is {value}")
            lines.append(json.dumps({"step": step, **{name: _short(value) for name, value in found.items()}}))
            self.latest |= found
            for watcher in self.watch:
                watcher.stepped(step, found)
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        except OSError as error:
            raise ResultsError(
                f"{self.path}: cannot be written ({error}); the last checkpoint is kept"
            ) from None


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _keep_until(path: Path, step: int) -> dict[str, float]:
    """Drop the lines of steps after the checkpoint: they will be done again. Gives the last losses before."""
    if not path.exists():
        return {}
    kept = []
    latest: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            losses = json.loads(line)
            if losses.pop("step") <= step:
                kept.append(line + "\n")
                latest |= losses
        except (json.JSONDecodeError, KeyError):
            continue  # the last line of a training that was killed while writing
    path.write_text("".join(kept), encoding="utf-8")
    return latest
