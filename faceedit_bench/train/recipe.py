"""What a method says about its training: networks, phases with losses, and settings.

Steps count from 1. A phase is due at the steps that `every` divides, so a critic with `every=1` and an editor
with `every=5` give the usual five critic updates for each update of the editor, critic first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from ..contracts import EditBatch
from ..errors import BadConfig, UnknownName
from .schedule import Schedule

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class TrainBatch:
    """Faces, their labels and what is asked of them; fresh for every phase of every step."""

    images: Tensor  # (B, 3, H, W) float32 in [-1, 1], RGB, on the device
    source: Tensor  # (B, A) float32 in {0, 1}
    target: Tensor  # (B, A) float32
    generator: torch.Generator  # on the CPU; the only source of randomness of a loss
    step: int  # from 1
    regions: Tensor | None = None  # (B, H, W) int64, parts of the face; for recipes that ask, where known

    @property
    def change(self) -> Tensor:
        """target − source, (B, A) in [−1, 1]."""
        return self.target - self.source


Loss = Callable[[Mapping[str, nn.Module], TrainBatch], dict[str, Tensor]]
"""Networks and a batch to weighted terms, each a scalar; the trainer adds them up."""


@dataclass(frozen=True)
class Phase:
    """One kind of update: while it runs, only the parameters of its networks require gradients."""

    name: str
    network: str | tuple[str, ...]  # name in Recipe.networks, or several that one loss moves together
    loss: Loss
    every: int = 1  # due at steps that this divides
    fresh: bool = True  # with a batch of its own; False takes that of the phase before it
    lr: float = 2e-4  # of Adam
    betas: tuple[float, float] = (0.5, 0.999)
    lookahead: int = 0  # updates between two of Lookahead's (lookahead.py); 0 none

    def is_due(self, step: int) -> bool:
        return step % self.every == 0

    @property
    def learners(self) -> tuple[str, ...]:
        """Names of the networks it moves."""
        return (self.network,) if isinstance(self.network, str) else self.network


@dataclass(frozen=True)
class Recipe:
    """One training stage of a method. Networks without a phase are frozen: eval mode, no gradients."""

    name: str
    networks: dict[str, nn.Module]
    phases: tuple[Phase, ...]  # run in this order within a step
    exported: tuple[str, ...]  # networks whose averaged weights are the result
    explaining: tuple[str, ...] = ()  # networks, as they are at the end, that only show how the result edits
    targets: Callable[[Tensor, torch.Generator], Tensor] | None = (
        None  # (B, A) labels -> (B, A); None permutes
    )
    balanced: int | None = None  # column of labels of which batches hold as many ones as zeros
    preview: Callable[[Mapping[str, nn.Module], EditBatch], Tensor] | None = None  # for sample sheets
    rate: Schedule = field(default_factory=Schedule)  # of all learning rates
    steps: int = 2000  # as published, where a training says nothing else
    batch_size: int = 16
    regions: Literal["unused", "welcome", "needed"] = "unused"  # whether it looks at TrainBatch.regions
    given: tuple[str, ...] = ()  # networks that must come with weights: an earlier stage's, or the user's
    labels: Literal["unused", "needed"] = "needed"  # "unused": it learns from pictures without labels, too
    # given network -> judge with the same keys, whose pinned weights it has where --weights-from holds none
    judges: Mapping[str, str] = field(default_factory=dict)
    is_interim: bool = False  # what it exports is for later stages: the weights file leaves it out

    def __post_init__(self) -> None:
        for phase in self.phases:
            for name in phase.learners:
                if name not in self.networks:
                    raise UnknownName(f"network in phase {phase.name!r}", name, self.networks)
            if phase is self.phases[0] and not phase.fresh:
                raise BadConfig(f"phase {phase.name!r} comes first and needs a fresh batch")
            if phase.every < 1:
                raise BadConfig(f"phase {phase.name!r}: every must be at least 1, found {phase.every}")
            if phase.lookahead < 0:
                raise BadConfig(
                    f"phase {phase.name!r}: lookahead must not be negative, found {phase.lookahead}"
                )
        for name in self.exported:
            if name not in self.networks:
                raise UnknownName("exported network", name, self.networks)
        for name in self.explaining:
            if name not in self.networks:
                raise UnknownName("explaining network", name, self.networks)
        for name in self.given:
            if name not in self.networks:
                raise UnknownName("given network", name, self.networks)
        for name in self.judges:
            if name not in self.given:
                raise UnknownName("network of a judge", name, self.given)
        if not self.phases or not self.exported:
            raise BadConfig(f"recipe {self.name!r} wants at least one phase and one exported network")


@dataclass(frozen=True)
class Settings:
    """How long and in what manner a recipe is trained."""

    steps: int
    batch_size: int = 16
    ema: float = 0.999  # decay of the average of exported weights; see average.py for its warm-up
    precision: str = "fp32"  # or "bf16": autocast, weights stay float32
    seed: int = 1
    flip: bool = True  # mirror half of the pictures
    save_every: int = 500  # steps between checkpoints
    sample_every: int = 500  # steps between sample sheets; 0 none
    minutes: float = 0.0  # stop, save and return after this long; 0 no limit
    compile: bool = False  # torch.compile of the exported networks
    channels_last: bool = False  # memory format; pays on a GPU, not on a CPU
    threads: int = 0  # of the CPU; 0 leaves torch's choice

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)
        for key in ("steps", "batch_size", "save_every"):
            if getattr(self, key) < 1:
                raise BadConfig(f"{key} must be at least 1, found {getattr(self, key)}")
        for key in ("sample_every", "minutes", "threads", "seed"):
            if getattr(self, key) < 0:
                raise BadConfig(f"{key} must not be negative, found {getattr(self, key)}")
        if not 0 <= self.ema < 1:
            raise BadConfig(f"ema must be at least 0 and below 1, found {self.ema}")
