"""Progress of a training on stderr: a bar with losses on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..progress import is_quiet

SECONDS = 30.0  # between lines where there is no terminal


def progress() -> list[Bar | Lines]:
    """What suits stderr; nothing where progress is quiet."""
    if is_quiet():
        return []
    return [Bar() if sys.stderr.isatty() else Lines()]


def told(losses: Mapping[str, float]) -> str:
    """`critic adversarial -1.2 penalty 0.3 · editor …`."""
    phases: dict[str, list[str]] = {}
    for name, value in losses.items():
        phase, _, term = name.partition(".")
        phases.setdefault(phase, []).append(f"{term} {value:.3g}")
    return " · ".join(f"{phase} {' '.join(terms)}" for phase, terms in phases.items())


def clock(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Lines:
    """For logs (a train.watch.Watcher)."""

    def began(self, recipe: str, step: int, steps: int) -> None:
        self.recipe, self.first, self.steps = recipe, step, steps
        self.began_at = self.spoken_at = time.monotonic()
        self.losses: dict[str, float] = {}
        if step < steps:
            self._say(f"{recipe}: step {step} of {steps}" if step else f"{recipe}: {steps} steps")

    def stepped(self, step: int, losses: Mapping[str, float]) -> None:
        self.losses |= losses
        now = time.monotonic()
        if now - self.spoken_at < SECONDS:
            return
        self.spoken_at = now
        rate = (step - self.first) / (now - self.began_at)
        left = clock((self.steps - step) / rate)
        pace = f"{rate:.2f} steps/s, {left} left"
        self._say(f"{self.recipe}: step {step} of {self.steps}, {pace}; {told(self.losses)}")

    def sampled(self, step: int, path: Path) -> None:
        self._say(f"{self.recipe}: {path}")

    def ended(self, step: int) -> None:
        if step > self.first:
            taken = clock(time.monotonic() - self.began_at)
            self._say(f"{self.recipe}: step {step} of {self.steps} after {taken}; {told(self.losses)}")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class Bar:
    """For people (a train.watch.Watcher)."""

    def began(self, recipe: str, step: int, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns: list[Any] = [
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
        ]
        self.bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=120)
        self.bar.start()
        self.first, self.began_at = step, time.monotonic()
        self.losses: dict[str, float] = {}
        self.task = self.bar.add_task(recipe, total=steps, completed=step, rate="", losses="")

    def stepped(self, step: int, losses: Mapping[str, float]) -> None:
        self.losses |= losses
        rate = (step - self.first) / max(time.monotonic() - self.began_at, 1e-9)
        self.bar.update(self.task, completed=step, rate=f"{rate:.2f}/s", losses=told(self.losses))

    def sampled(self, step: int, path: Path) -> None:
        self.bar.console.print(str(path), highlight=False)

    def ended(self, step: int) -> None:
        self.bar.stop()
