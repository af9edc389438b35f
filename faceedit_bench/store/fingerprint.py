"""What made a number, as a few digits: scores with the same fingerprint may share a column."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..catalog import catalog
from ..manifest import canonical

if TYPE_CHECKING:
    from .score import Score

DIGITS = 16
CURVE = ("id", "response")  # metrics that readings of a curve of strengths are made of


def fingerprint(
    metric: str, version: str, judges: Mapping[str, Mapping[str, Any]], dtype: str = "float32"
) -> str:
    """The first 16 hex digits of a sha256 over the formula and its version, each judge asked (name, version,
    hash of its weights, how it looks at pictures) and the precision.

    `judges`: role -> judge as a manifest has it, of any metrics; those that this one asks are taken.
    """
    known = catalog()
    specs = [known.metrics.get(name) for name in (CURVE if _is_of_curve(metric) else (metric,))]
    roles = sorted({role for spec in specs if spec for role in spec.judges})
    views = {
        role: known.judges[judges[role]["name"]].view
        for role in roles
        if role in judges and judges[role]["name"] in known.judges
    }
    asked = {role: {**judges[role], "view": views.get(role)} for role in roles if role in judges}
    told = {"metric": metric, "version": version, "judges": asked, "dtype": dtype}
    return hashlib.sha256(canonical(told).encode()).hexdigest()[:DIGITS]


def stamped(
    scores: Iterable[Score], judges: Mapping[str, Mapping[str, Any]], dtype: str = "float32"
) -> list[Score]:
    """The scores with their fingerprints: `tarr.add` has that of `tarr`."""
    return [
        dataclasses.replace(
            score, fingerprint=fingerprint(_formula(score.metric), score.version, judges, dtype)
        )
        for score in scores
    ]


def _is_of_curve(score: str) -> bool:
    """`id@response0.5`, `response.falls`: read off series of strengths."""
    return "@" in score or score == "response.falls"


def _formula(score: str) -> str:
    from .score import metric_of

    return score if _is_of_curve(score) else metric_of(score)
