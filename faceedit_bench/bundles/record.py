"""The record in a bundle: JSON of the right shape, named by its identity, with texts that boards can show."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import config
from ..board import check_record
from ..errors import FaceEditError
from ..score import NAME
from ..store.score import Score
from ..suite import Suite
from .faults import Fault, shortened

PLAIN = re.compile(r"[^|<>*`\[\]\\\x00-\x1f\x7f]{0,120}")  # texts that boards show
DIGITS = 18  # of a whole number
KEY = re.compile(r"[\w@.+/ -]{1,120}")  # `leakage/Bald`, `id@response0.5`


@dataclass(frozen=True)
class _Method:
    name: str
    version: str
    preset: str
    saw: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Suite:
    name: str
    version: str
    fingerprint: str


@dataclass(frozen=True)
class _Data:
    name: str
    version: str
    split: str
    count: int
    digest: str
    left_out: tuple[str, ...] = ()  # faces whose files could not be read


@dataclass(frozen=True)
class Identity:
    """What was run; a run's id is made of it."""

    method: _Method
    weights: tuple[dict[str, str], ...]
    suite: _Suite
    data: _Data
    judges: dict[str, dict[str, str]]  # role -> name, version, sha256
    metrics: dict[str, str]  # name -> version
    numerics: dict[str, Any]


@dataclass(frozen=True)
class _Manifest:
    identity: Identity
    provenance: dict[str, Any]


@dataclass(frozen=True)
class _Latency:
    median: float | None = None
    p90: float | None = None


@dataclass(frozen=True)
class _Cost:
    parameters: int | None = None
    macs: int | None = None
    weights_bytes: int | None = None
    peak_activation_bytes: int | None = None
    latency: _Latency | None = None
    device: str | None = None


@dataclass(frozen=True)
class _Faces:
    scored: int
    of: int
    unusable: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Claim:
    """A record whose every part has the right type; what it says is still to be checked."""

    format: int
    id: str
    manifest: _Manifest
    scores: tuple[Score, ...]
    cost: _Cost
    faces: _Faces
    suite: Suite

    @property
    def identity(self) -> Identity:
        return self.manifest.identity


def read(name: str, content: bytes) -> tuple[dict[str, Any], Claim | None, list[Fault]]:
    """The record as it stands and as a claim (None where it is no record), and what is wrong with it."""
    try:
        record = json.loads(
            content.decode("utf-8"), parse_constant=_refuse, parse_float=_finite, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        return {}, None, [_wrong(name, str(error))]
    faults = []
    try:
        check_record(record, Path(name))
    except (FaceEditError, AttributeError, TypeError, ValueError, RecursionError) as error:
        faults = [_wrong(name, str(error))]
    if not isinstance(record, dict):
        return {}, None, faults
    try:
        claim = config.fill(Claim, record, where=name)
    except (FaceEditError, ValueError, RecursionError) as error:
        return record, None, faults + [_wrong(name, line) for line in str(error).splitlines()]
    return record, claim, [*faults, *_faults(claim)]


def _wrong(name: str, why: str) -> Fault:
    return Fault("record", name, "a run's record", shortened(why.removeprefix(f"{name}: "), 300))


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant}, which is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text}, which is no finite number")
    return value


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError(f"{text[:DIGITS]}…, which is too large a number")
    return int(text)


def _faults(claim: Claim) -> Iterator[Fault]:
    method, faces = claim.identity.method, claim.faces
    if not NAME.fullmatch(method.name):
        yield Fault("record", "name of the method", "letters, digits, . - and _", shortened(method.name))
    texts = {"version": method.version, "preset": method.preset, "device": claim.cost.device or ""}
    for what, text in texts.items():
        if not PLAIN.fullmatch(text):
            yield Fault("record", what, "plain text on one line", shortened(text))
    for score in claim.scores:
        if not KEY.fullmatch(score.metric):
            yield Fault("record", "name of a score", "letters, digits and . + / @ -", shortened(score.metric))
    if not faces.scored + len(faces.unusable) == faces.of == claim.identity.data.count:
        found = f"{faces.scored} scored, {len(faces.unusable)} left out, of {faces.of}"
        yield Fault("record", "faces", f"{claim.identity.data.count} in all", found)
    latency = claim.cost.latency or _Latency()
    numbers = [value for part in (claim.cost, latency) for value in vars(part).values()]
    if any(isinstance(value, int | float) and value < 0 for value in numbers):
        yield Fault("record", "cost", "numbers of at least 0", "less")
