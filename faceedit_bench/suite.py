"""What to edit and what to measure: Suite, Edit, Shard, the fixed shard grid and the conflict rules."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import config
from .conflicts import CONFLICTS
from .contracts import THIRTEEN as THIRTEEN
from .errors import BadConfig, UnknownName


@dataclass(frozen=True)
class Edit:
    """One thing to ask of every face: attributes to reverse. No flips means: reconstruct."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)

    name: str
    flips: tuple[str, ...] = ()
    strength: float = 1.0

    @property
    def is_reconstruction(self) -> bool:
        return not self.flips


@dataclass(frozen=True)
class Shard:
    """The unit of arithmetic: samples [start, stop) under one edit."""

    number: int
    edit: int  # index into Suite.edits
    start: int
    stop: int


@dataclass(frozen=True)
class Suite:
    """Faces, edits, judges and metrics, complete in itself. Everything here is part of a run's identity."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    version: str
    summary: str
    dataset: str
    split: str
    resolution: int  # pixels per side of what methods and metrics see
    attributes: tuple[str, ...]
    edits: tuple[Edit, ...]
    metrics: tuple[str, ...]
    judges: dict[str, str] = field(default_factory=dict, hash=False)  # role -> judge name
    conflicts: str = "none"  # id in CONFLICTS
    count: int = 0  # number of samples; 0 takes the whole split
    shard_size: int = 100
    batch_size: int = 20
    seed: int = 2020
    threads: int = 1  # per worker; part of the numerics

    def __post_init__(self) -> None:
        if self.conflicts not in CONFLICTS:
            raise UnknownName("conflict rule", self.conflicts, CONFLICTS)
        for edit in self.edits:
            for name in edit.flips:
                if name not in self.attributes:
                    raise UnknownName(f"attribute in edit {edit.name!r}", name, self.attributes)
        for key in ("shard_size", "batch_size", "threads", "resolution"):
            if getattr(self, key) < 1:
                raise BadConfig(f"suite {self.name!r}: {key} must be at least 1, found {getattr(self, key)}")

    def shards(self, samples: int) -> tuple[Shard, ...]:
        """The fixed grid over `samples` faces: edit by edit, spans of `shard_size`."""
        spans = [
            (edit, start, min(start + self.shard_size, samples))
            for edit in range(len(self.edits))
            for start in range(0, samples, self.shard_size)
        ]
        return tuple(Shard(number, *span) for number, span in enumerate(spans))

    def fingerprint(self) -> str:
        """sha256 of everything in the suite."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def target_labels(
    source: Sequence[int], flips: Sequence[str], attributes: Sequence[str], conflicts: str
) -> tuple[list[int], list[bool]]:
    """(A,) target labels after reversing `flips` under the conflict rule, and (A,) which were asked for."""
    target = [int(value) for value in source]
    edited = [name in flips for name in attributes]
    for column in range(len(attributes)):
        if edited[column]:
            target[column] = 1 - target[column]
    for column, name in enumerate(attributes):
        if edited[column] and target[column]:
            for other in CONFLICTS[conflicts].get(name, ()):
                if other in attributes and other not in flips:
                    target[attributes.index(other)] = 0
    return target, edited


def builtin_folder() -> Path:
    """Where the suites that come with the package lie."""
    return Path(__file__).parent / "suites"


def names() -> list[str]:
    """Names of the suites that come with the package."""
    return sorted(path.stem for path in builtin_folder().glob("*.toml"))


def load(name: str, overrides: Sequence[str] = ()) -> Suite:
    """A suite by name, or by the path of a TOML file."""
    path = Path(name) if name.endswith(".toml") else builtin_folder() / f"{name}.toml"
    if not name.endswith(".toml") and not path.exists():
        raise UnknownName("suite", name, names(), extra="; or give the path of a .toml file")
    return config.load(Suite, path, overrides)


def limited(suite: Suite, count: int | None) -> Suite:
    """The same suite over its first `count` samples: another suite, with its own fingerprint and name."""
    if count is None:
        return suite
    if count < 1:
        raise BadConfig(f"--limit wants at least 1 image, found {count}")
    return dataclasses.replace(suite, name=f"{suite.name}-first-{count}", count=count)
