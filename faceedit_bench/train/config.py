"""What a training file says: a method, faces, and for how long and in what manner each stage is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import BadConfig
from .recipe import Recipe, Settings


@dataclass(frozen=True)
class Stage:
    """What one stage has for itself; None takes the training's."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)

    steps: int | None = None
    size: int | None = None
    batch_size: int | None = None
    precision: str | None = None
    ema: float | None = None
    flip: bool | None = None
    sample_every: int | None = None
    save_every: int | None = None


@dataclass(frozen=True)
class TrainingConfig:
    """One training, complete in itself. Time limit, device and folder belong to the command, not in here."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    method: str
    preset: str = ""  # "" the method's first
    options: dict[str, Any] = field(default_factory=dict)  # over those of the preset
    data: str = "drawn-faces"
    split: str = "train"
    count: int = 4000  # faces; 0 takes the whole split
    size: int = 128  # pixels per side
    steps: int | None = None  # of each stage that has no number of its own; None as its recipe says
    stages: dict[str, Stage] = field(default_factory=dict)  # by name of the method's recipes
    batch_size: int | None = None  # None as the recipe says
    seed: int = 1
    precision: str = "fp32"  # or "bf16"
    ema: float = 0.999
    flip: bool = True
    sample_every: int = 500
    save_every: int = 500
    compile: bool = False
    channels_last: bool = False  # pays on a GPU, not on a CPU
    threads: int = 0  # of the CPU; 0 leaves torch's choice. More or fewer give other bits

    def __post_init__(self) -> None:
        for key, least in (("count", 0), ("size", 1)):
            if getattr(self, key) < least:
                raise BadConfig(f"{key} must be at least {least}, found {getattr(self, key)}")

    def size_of(self, stage: str) -> int:
        """Pixels per side of the faces of a stage."""
        return self._of(stage, "size")

    def settings(self, recipe: Recipe, minutes: float = 0.0) -> Settings:
        """How a stage is trained, in a session of at most so many minutes (0: no limit)."""
        stage = recipe.name
        own = ("precision", "ema", "flip", "sample_every", "save_every")
        steps, batch_size = self._of(stage, "steps"), self._of(stage, "batch_size")
        return Settings(
            steps=recipe.steps if steps is None else steps,
            batch_size=recipe.batch_size if batch_size is None else batch_size,
            **{key: self._of(stage, key) for key in own},
            seed=self.seed,
            minutes=minutes,
            compile=self.compile,
            channels_last=self.channels_last,
            threads=self.threads,
        )

    def _of(self, stage: str, key: str) -> Any:
        own = getattr(self.stages.get(stage, Stage()), key)
        return getattr(self, key) if own is None else own
