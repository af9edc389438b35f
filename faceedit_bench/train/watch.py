"""Who may look on while a training runs: a progress bar, a TensorBoard log, a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Watcher(Protocol):
    """Told what happens; cannot change it."""

    def began(self, recipe: str, step: int, steps: int) -> None:
        """A stage begins, or goes on after `step` finished steps."""
        ...

    def stepped(self, step: int, losses: Mapping[str, float]) -> None:
        """Losses of a finished step, named `phase.term`."""
        ...

    def sampled(self, step: int, path: Path) -> None:
        """A sample sheet has been written."""
        ...

    def ended(self, step: int) -> None:
        """The stage has ended or stopped after `step` steps; called on errors, too."""
        ...
