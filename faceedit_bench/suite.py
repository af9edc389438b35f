"""What to edit and what to measure: Suite, Edit, Shard, the fixed shard grid and the conflict rules."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import config
from .conflicts import CONFLICTS
from .contracts import THIRTEEN as THIRTEEN
from .errors import BadConfig, UnknownName

EDIT_NAME = re.compile(r"[A-Za-z0-9][\w .,+=-]*")  # it becomes a file name


@dataclass(frozen=True)
class Edit:
    """One thing to ask of every face.

    flips      attributes to reverse, each face's own label deciding the direction
    set        attributes to give a value, 1 on or 0 off, in every face. Methods are told that a face has the
               opposite now, whatever its label, so each gets the whole change: told labels, the target is the
               value; along a direction, +strength for 1 and −strength for 0
    strength   how far: 1 as the method is meant to be used, 0 nothing, more than 1 beyond, below 0 the other
               way. Edits that differ only in strength make a series, a curve

    Neither flips nor set means: reconstruct.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)

    name: str
    flips: tuple[str, ...] = ()
    strength: float = 1.0
    set: dict[str, int] = field(default_factory=dict, hash=False)

    @property
    def changed(self) -> tuple[str, ...]:
        """The attributes it asks for."""
        return (*self.flips, *self.set)

    @property
    def is_reconstruction(self) -> bool:
        return not self.changed

    @property
    def asks(self) -> str:
        """What it asks, without how much: `Young=1`, or `Young reversed`; "" for a reconstruction."""
        reversed_ = [f"{name} reversed" for name in sorted(self.flips)]
        return ", ".join([*reversed_, *(f"{name}={value}" for name, value in sorted(self.set.items()))])

    def mistakes(self, attributes: Sequence[str]) -> None:
        """Raise what is wrong with it in a suite of these attributes."""
        for name in self.changed:
            if name not in attributes:
                raise UnknownName(f"attribute in edit {self.name!r}", name, attributes)
        if not EDIT_NAME.fullmatch(self.name) or self.name in ("all", "source"):
            raise BadConfig(
                f"edit {self.name!r}: its name becomes a file name; wanted letters, digits, spaces and "
                "any of . , + = - _, and not 'all' or 'source'"
            )
        if wrong := {name: value for name, value in self.set.items() if value not in (0, 1)}:
            raise BadConfig(f"edit {self.name!r}: set wants 0 or 1, found {wrong}")
        if both := [name for name in self.flips if name in self.set]:
            raise BadConfig(f"edit {self.name!r}: {', '.join(both)} both reversed and set; take one away")
        if not math.isfinite(self.strength):
            raise BadConfig(f"edit {self.name!r}: strength wants a number, found {self.strength}")
        if self.is_reconstruction and self.strength != 1:
            raise BadConfig(
                f"edit {self.name!r}: a reconstruction has no strength, found {self.strength:g}; say with "
                "flips or set what is to change, or leave strength out"
            )


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
            edit.mistakes(self.attributes)
        names = [edit.name for edit in self.edits]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadConfig(f"suite {self.name!r}: two edits are called {', '.join(twice)}; rename one")
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
        """sha256 of everything in the suite. What an edit does not use is left out: suites keep theirs."""
        content = dataclasses.asdict(self)
        for edit in content["edits"]:
            if not edit["set"]:
                del edit["set"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def target_labels(
    source: Sequence[int],
    flips: Sequence[str],
    attributes: Sequence[str],
    conflicts: str,
    values: Mapping[str, int] | None = None,
) -> tuple[list[int], list[bool]]:
    """(A,) target labels after reversing `flips` and setting `values` under the conflict rule, and (A,) which
    of them were asked for."""
    values = values or {}
    target = [int(value) for value in source]
    edited = [name in flips or name in values for name in attributes]
    for column, name in enumerate(attributes):
        if edited[column]:
            target[column] = values.get(name, 1 - target[column])
    for column, name in enumerate(attributes):
        if edited[column] and target[column]:
            for other in CONFLICTS[conflicts].get(name, ()):
                if other in attributes and other not in flips and other not in values:
                    target[attributes.index(other)] = 0
    return target, edited


def series(edits: Sequence[Edit]) -> dict[str, list[Edit]]:
    """What is asked -> its edits by rising strength, where there are several strengths of it."""
    found: dict[str, list[Edit]] = {}
    for edit in edits:
        if not edit.is_reconstruction:
            found.setdefault(edit.asks, []).append(edit)
    return {
        asks: sorted(of_it, key=lambda edit: edit.strength)
        for asks, of_it in found.items()
        if len({edit.strength for edit in of_it}) > 1
    }


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
