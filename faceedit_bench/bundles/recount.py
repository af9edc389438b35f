"""Scores from rows: a run's own arithmetic over the stored score of every picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import scoring
from ..catalog import catalog
from ..contracts import Metric, MetricSpec
from ..evaluate import applies
from ..metrics.states import SHARDS, Rows, edit_means
from ..scoring import ALL
from ..store.score import Score, metric_of
from ..suite import Shard, Suite
from .faults import Fault, shortened
from .record import Claim

if TYPE_CHECKING:
    import pandas as pd

NEAR = 1e-6  # of a value: other machines and versions of NumPy round otherwise
PLACE = ("sample", "edit")  # columns that say which picture


class Told:
    """A metric in whose place the scores of single pictures are known; means and intervals are as it has
    them. What it counts besides (identical pictures) is not known."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Any) -> None:
        raise AssertionError("rows are read, not measured")

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        """Rows of a matrix, with a / in their names, belong to one edit each."""
        several = len(np.unique(state.column("edit"))) > 1
        keys = [key for key in state.names if key not in PLACE and not (several and "/" in key)]
        return {key: state.column(key) for key in keys}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))

    def is_rate(self, key: str) -> bool:
        is_rate = getattr(self.metric, "is_rate", None)
        return is_rate is not None and is_rate(key)


@dataclass(frozen=True)
class Recount:
    """What the rows give, against what a record says."""

    equal: int  # scores
    trusted: tuple[str, ...]  # metrics of which rows say nothing
    faults: tuple[Fault, ...]


def scores(suite: Suite, metrics: Sequence[str], rows: pd.DataFrame) -> list[Score]:
    """Every score that rows give, with its interval, as a run computes it from its stored states."""
    specs = [_told(catalog().metric(name)) for name in metrics if _columns(rows, name)]
    shards = [Shard(index, index, 0, 0) for index in range(len(suite.edits))]
    by_edit = dict(iter(rows.groupby("edit")))
    stored = {
        shard.number: {
            spec.name: _state(by_edit[suite.edits[shard.edit].name], spec.name, shard)
            for spec in specs
            if applies(spec, suite.edits[shard.edit])
        }
        for shard in shards
    }
    return [*scoring.scores(suite, specs, shards, stored), *scoring.curve_scores(suite, rows)]


def _told(spec: MetricSpec) -> MetricSpec:
    return replace(spec, load=lambda: Told(spec.load()))


def _columns(rows: pd.DataFrame, metric: str) -> list[str]:
    return [name for name in rows.columns if name not in PLACE and metric_of(name) == metric]


def _state(rows: pd.DataFrame, metric: str, shard: Shard) -> dict[str, np.ndarray]:
    """Of one metric under one edit. Rows of an edit stand in the order of its faces."""
    return {
        "sample": np.arange(len(rows)),
        "edit": np.full(len(rows), shard.edit),
        **{name: rows[name].to_numpy(np.float64) for name in _columns(rows, metric)},
        SHARDS: np.array([shard.number, shard.number + 1]),
    }


def recount(claim: Claim, rows: pd.DataFrame) -> Recount:
    """Compare every score of the record with what the rows give."""
    known = [name for name in claim.identity.metrics if name in catalog().metrics]
    wanted = {(one.metric, one.edit): one for one in scores(claim.suite, known, rows)}
    found = {(one.metric, one.edit): one for one in claim.scores}
    faults = [*_twice(claim), *_absent(claim, rows)]
    edits = {ALL, *(edit.name for edit in claim.suite.edits)}
    equal, trusted = 0, set()
    for key, one in wanted.items():
        differing = list(_differing(one, found[key])) if key in found else [_missing(one)]
        faults += differing
        equal += not differing
    for (metric, edit), one in found.items():
        if (metric, edit) in wanted:
            continue
        if edit not in edits:
            faults.append(_of(one, "an edit of the suite, or all", "another"))
        elif metric in rows.columns:
            faults += [] if one.value is None else [_of(one, "nothing, as no row has it", str(one.value))]
        elif metric_of(metric) not in claim.identity.metrics:
            faults.append(_of(one, "only scores of the run's metrics", "another metric"))
        else:
            trusted |= {metric} & {metric_of(metric)}
            if one.kind not in (kinds := _kinds(metric_of(metric))):
                faults.append(_of(one, f"interval: {' or '.join(kinds)}", shortened(one.kind)))
    return Recount(equal, tuple(sorted(trusted)), tuple(faults))


def _kinds(metric: str) -> list[str]:
    """What intervals of a score may be that no row tells."""
    spec = catalog().metrics.get(metric)
    spread_kind = getattr(spec.load(), "spread_kind", None) if spec else None
    return ["none", *([spread_kind()] if spread_kind else [])]


def _twice(claim: Claim) -> Iterator[Fault]:
    seen = set()
    for one in claim.scores:
        if (one.metric, one.edit) in seen:
            yield _of(one, "it once", "it again")
        seen.add((one.metric, one.edit))


def _absent(claim: Claim, rows: pd.DataFrame) -> Iterator[Fault]:
    """A metric of the run without a score of some edit, or without rows although it has one per picture."""
    there = {(one.metric, one.edit) for one in claim.scores}
    for name in claim.identity.metrics:
        spec = catalog().metrics.get(name)
        if spec is None:
            continue  # the protocol's fault
        if hasattr(spec.load(), "per_sample") and not _columns(rows, name):
            yield Fault("rows", name, "a column, as every picture has a score", "none")
        for edit in claim.suite.edits:
            if applies(spec, edit) and (name, edit.name) not in there:
                yield Fault("scores", f"{name} of {edit.name}", "a score, or why there is none", "nothing")


def _missing(one: Score) -> Fault:
    return _of(one, _number(one.value), "nothing")


def _differing(wanted: Score, found: Score) -> Iterator[Fault]:
    for part in ("value", "low", "high"):
        ours, theirs = getattr(wanted, part), getattr(found, part)
        if not _near(ours, theirs):
            name = "" if part == "value" else f"{part} end "
            yield _of(found, f"{name}{_number(ours)}, which the rows give", _number(theirs))
    for part in ("n", "kind", "version"):
        if getattr(wanted, part) != getattr(found, part):
            yield _of(found, f"{part} {getattr(wanted, part)}", shortened(getattr(found, part)))


def _near(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=NEAR, abs_tol=1e-9)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def _of(one: Score, wanted: str, found: str) -> Fault:
    return Fault("scores", shortened(f"{one.metric} of {one.edit}"), wanted, found)
