"""Two complete runs over the same faces -> the difference of every number, its bounds and a verdict.

Differences are second − first. Means are compared by a paired bootstrap over faces; what is computed of many
pictures at once (Fréchet distances and the like) by its spread over the same random halves for both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .catalog import catalog
from .contracts import MetricSpec, Undefined
from .errors import ResultsError, UnknownName
from .metrics import curve
from .metrics.intervals import SMALLEST
from .scoring import ALL, Stored, Unusable, dropped, states_of, without
from .statistics.paired import SIGNIFICANT, Interval, holm, interval_of, intervals, replicates_for
from .store import comparable, later
from .store.folder import RunFolder
from .suite import Suite, series

FIRST, SECOND = "A", "B"
HOW = "paired bootstrap 95 % over faces"
HALVES = "spread of the difference over the same parts of the samples, not a confidence interval"
SAME, FEW, OPEN, HOLM = "equal", "too few faces", "not separated", "not after Holm"
DIFFERENT = "different"  # surely, where neither way is better
WITHIN = "within spread"  # (A better) in brackets: beyond it

Advance = Callable[[str], None]


@dataclass(frozen=True)
class Difference:
    """One number of both runs."""

    metric: str
    edit: str  # an edit's name, or "all"
    first: float | None  # None: undefined, for the reason below
    second: float | None
    value: float | None  # second − first
    low: float | None = None
    high: float | None = None
    kind: str = "none"  # how the bounds were made
    p: float | None = None  # two-sided; None where there is no confidence interval
    p_holm: float | None = None  # corrected over the edits; None for "all" and for reconstructions
    verdict: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side."""

    first: RunFolder
    second: RunFolder
    suite: Suite
    faces: int  # that both scored
    of: int
    differences: list[Difference]
    notes: list[str]


def compare(
    first: RunFolder,
    second: RunFolder,
    metrics: Sequence[str] = (),
    advance: Advance = lambda metric: None,
) -> Comparison:
    """Every metric that both runs have, or those named; refused with reasons where they do not compare."""
    comparable.check(first, second, face_by_face=True)
    suite = suite_of(first, second)
    count = first.manifest.identity["data"]["count"]
    shards = suite.shards(count)
    unusable = {**unusable_faces(first, shards), **unusable_faces(second, shards)}
    notes = _notes(first, second, count, unusable)
    found: list[Difference] = []
    for spec in _metrics(first, second, metrics, notes):
        advance(spec.name)
        states = [
            states_of(spec, spec.load(), suite, shards, stored(run, spec.name, shards, unusable))
            for run in (first, second)
        ]
        found += _of_metric(spec, suite, *states)
    if not metrics or "id" in metrics:
        found += _at_equal_response(
            suite, *(_curves(run, suite, shards, unusable) for run in (first, second))
        )
    return Comparison(first, second, suite, count - len(unusable), count, found, notes)


# ---- what is compared -----------------------------------------------------------------------------


def suite_of(*runs: RunFolder) -> Suite:
    """The suite of runs that share one; runs of before it was stored know it by name."""
    from . import config
    from . import suite as suites

    told = runs[0].manifest.identity["suite"]
    for content in (run.suite() for run in runs):
        if content is not None:
            return config.fill(Suite, content, where=f"suite of {runs[0].path}")
    found = suites.load(told["name"]) if told["name"] in suites.names() else None
    if found is None or found.fingerprint() != told["fingerprint"]:
        raise ResultsError(
            f"{runs[0].path}: from before runs stored their suite, and {told['name']!r} is not what it was; "
            "run both again"
        )
    return found


def unusable_faces(run: RunFolder, shards: Sequence[Any]) -> dict[int, tuple[str, str]]:
    """Positions of the faces that this run left out."""
    if not run.faces()["unusable"]:
        return {}
    told = {shard.number: run.read_shard(shard.number, metrics=()).unusable for shard in shards}
    return {position: why for told_by in told.values() for position, why in told_by.items()}


def stored(run: RunFolder, metric: str, shards: Sequence[Any], leave_out: Collection[int]) -> Stored:
    """The states of one metric, without the faces that this run could not use and those to `leave_out`."""
    found = {shard.number: run.read_shard(shard.number, metrics=(metric,), lazily=True) for shard in shards}
    told: dict[int, Unusable] = {number: shard.unusable for number, shard in found.items()}
    kept: Stored = {number: shard.states for number, shard in found.items()}
    if metric in run.rescored()["metrics"]:
        kept = later.states(run.path, metric)
    _, states = without([shard for shard in shards if shard.number in kept], kept, told)
    own = {position for unusable in told.values() for position in unusable}
    others = set(leave_out) - own
    if not others:
        return states
    return {
        number: {name: dropped(name, arrays, others) for name, arrays in of_shard.items()}
        for number, of_shard in states.items()
    }


def _metrics(
    first: RunFolder, second: RunFolder, wanted: Sequence[str], notes: list[str]
) -> list[MetricSpec]:
    """Specs of the metrics of both runs whose stored states this installation reads."""
    rescored = [run.rescored()["metrics"] for run in (first, second)]
    both = {name: version for name, version in rescored[0].items() if name in rescored[1]}
    versions = {**first.manifest.identity["metrics"], **both}
    if alone := sorted({*rescored[0]} ^ {*rescored[1]}):
        notes.append(f"only one run was rescored for {', '.join(alone)}")
    unknown = [name for name in wanted if name not in versions]
    if unknown:
        raise UnknownName("metric of these runs", unknown[0], versions)
    specs = []
    for name in wanted or versions:
        spec = catalog().metrics.get(name)
        if spec is None or spec.version != versions[name]:
            here = "no such metric" if spec is None else f"version {spec.version}"
            notes.append(f"left out {name}: stored in version {versions[name]}, here is {here}")
        else:
            specs.append(spec)
    return specs


def _notes(
    first: RunFolder, second: RunFolder, count: int, unusable: Mapping[int, tuple[str, str]]
) -> list[str]:
    notes = []
    if unusable:
        notes.append(
            f"{count - len(unusable)} of {count} faces, those that both runs scored; A left out "
            f"{len(first.faces()['unusable'])}, B {len(second.faces()['unusable'])}"
        )
    one, other = (run.manifest.identity["numerics"] for run in (first, second))
    differing = [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
    if differing:
        told = ", ".join(f"{key} {one.get(key, '–')} and {other.get(key, '–')}" for key in differing)
        notes.append(f"numerics differ, which moves last digits: {told}")
    return notes


# ---- one metric -----------------------------------------------------------------------------------


def _of_metric(
    spec: MetricSpec, suite: Suite, first: Mapping[str, Any], second: Mapping[str, Any]
) -> list[Difference]:
    """Every edit, then "all" first in the list; p values corrected over the edits that change something."""
    metric = spec.load()
    family = [edit.name for edit in suite.edits if not edit.is_reconstruction]
    found = []
    for edit in first:
        pair = (first[edit], second[edit])
        found += _of_edit(spec, metric, edit, pair, replicates_for(len(family)), suite.seed)
    return [_judged(spec, one) for one in _corrected(found, family)]


def _of_edit(
    spec: MetricSpec, metric: Any, edit: str, states: tuple[Any, Any], replicates: int, seed: int
) -> list[Difference]:
    values = [metric.finish(state) for state in states]
    compared = _compared(spec, metric, states[0])
    keys = [key for key in values[0] if key in values[1] and key in compared]
    between = _bounds(spec, metric, states, values, keys, replicates, seed) if keys else {}
    one, other = values
    return [_difference(spec, edit, key, one[key], other[key], between.get(key)) for key in keys]


def _compared(spec: MetricSpec, metric: Any, state: Any) -> set[str]:
    """A metric's own number, and those beside it that have a value per face; not the entries of a matrix."""
    if spec.interval != "bootstrap":
        return {spec.name}
    return {key for key in metric.per_sample(state) if "/" not in key}


def _bounds(
    spec: MetricSpec,
    metric: Any,
    states: tuple[Any, Any],
    values: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    replicates: int,
    seed: int,
) -> dict[str, Interval | tuple[float, float] | None]:
    if spec.interval == "none" or any(isinstance(v[spec.name], Undefined) for v in values if spec.name in v):
        return {}
    if spec.interval == "spread":
        return {spec.name: _spread(metric, states, values[1][spec.name] - values[0][spec.name], seed)}
    rows = [state.column(name) for name in ("sample", "edit") for state in states]
    if not (np.array_equal(rows[0], rows[1]) and np.array_equal(rows[2], rows[3])):
        raise ResultsError(f"metric {spec.name!r}: the two runs scored other faces; run both again")
    of_face = [metric.per_sample(state) for state in states]
    one, other = (np.stack([values_of[key] for key in keys], axis=1) for values_of in of_face)
    found = intervals(one, other, rows[0], rows[2], replicates=replicates, seed=seed)
    return dict(zip(keys, found, strict=True))


def _spread(metric: Any, states: tuple[Any, Any], difference: float, seed: int) -> tuple[float, float] | None:
    """How far the difference moves between the same parts of the samples; None for too few of them."""
    one, other = (metric.halves(state, seed) if hasattr(metric, "halves") else None for state in states)
    if one is None or other is None:
        return None
    low, high = metric.about(difference, other - one)
    return low, high


def _difference(
    spec: MetricSpec,
    edit: str,
    key: str,
    first: float | Undefined,
    second: float | Undefined,
    between: Interval | tuple[float, float] | None,
) -> Difference:
    if isinstance(first, Undefined) or isinstance(second, Undefined):
        told = {FIRST: first, SECOND: second}
        reason = _reason({run: one.reason for run, one in told.items() if isinstance(one, Undefined)})
        one, other = (None if isinstance(of_it, Undefined) else float(of_it) for of_it in told.values())
        return Difference(key, edit, one, other, None, verdict="undefined", reason=reason)
    numbers = float(first), float(second), float(second) - float(first)
    if between is None:
        return Difference(key, edit, *numbers, verdict=FEW if spec.interval != "none" else "no interval")
    if isinstance(between, Interval):
        return Difference(key, edit, *numbers, *between.bounds, kind=HOW, p=between.p)
    return Difference(key, edit, *numbers, *between, kind=HALVES)


def _corrected(found: Sequence[Difference], family: Collection[str]) -> list[Difference]:
    """The same with Holm's p values, for each number over the edits of the suite."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(found):
        if one.p is not None and one.edit in family:
            places.setdefault(one.metric, []).append(place)
    corrected = list(found)
    for of_metric in places.values():
        adjusted = holm([p for place in of_metric if (p := found[place].p) is not None])
        for place, p in zip(of_metric, adjusted, strict=True):
            corrected[place] = replace(found[place], p_holm=p)
    return corrected


def _judged(spec: MetricSpec, one: Difference) -> Difference:
    """The same with its verdict."""
    return one if one.verdict else replace(one, verdict=verdict_of(spec, one))


def verdict_of(spec: MetricSpec, one: Difference) -> str:
    assert one.value is not None and one.low is not None and one.high is not None
    if one.value == one.low == one.high == 0:
        return SAME
    if one.low <= 0 <= one.high:
        return OPEN if one.p is not None else WITHIN
    if one.p_holm is not None and one.p_holm >= SIGNIFICANT:
        return HOLM
    way = spec.better_of(one.metric)
    if not way:
        return DIFFERENT
    better = SECOND if (one.value > 0) == (way == "higher") else FIRST
    return f"{better} better" if one.p is not None else f"({better} better)"


# ---- series of strengths --------------------------------------------------------------------------

Curves = dict[str, tuple[np.ndarray, np.ndarray]]  # what is asked -> response and ID, (N, S) each


def _curves(run: RunFolder, suite: Suite, shards: Sequence[Any], leave_out: Collection[int]) -> Curves:
    """Response and ID of every face at every strength, for each series; {} where not measured."""
    specs = [catalog().metric(name) for name in ("response", "id")]
    versions = run.manifest.identity["metrics"]
    if any(versions.get(spec.name) != spec.version for spec in specs):
        return {}
    columns: list[dict[str, np.ndarray]] = []
    for spec in specs:
        metric: Any = spec.load()
        states = states_of(spec, metric, suite, shards, stored(run, spec.name, shards, leave_out))
        columns.append({edit: metric.per_sample(state)[spec.name] for edit, state in states.items()})
    return {
        asks: (
            np.stack([columns[0][edit.name] for edit in edits], axis=1),
            np.stack([columns[1][edit.name] for edit in edits], axis=1),
        )
        for asks, edits in series(suite.edits).items()
    }


def _reason(told: Mapping[str, str]) -> str:
    """Of a run, or of both where it is the same."""
    reasons = set(told.values())
    if len(told) > len(reasons):
        return f"{' and '.join(told)}: {reasons.pop()}"
    return "; ".join(f"{run}: {reason}" for run, reason in told.items())


def _at_equal_response(suite: Suite, first: Curves, second: Curves) -> list[Difference]:
    """ID where each method's response reaches one half, of every series of strengths."""
    found = []
    for asks in first:
        (one, _, why), (other, _, why_other) = (curve.score(*of[asks], suite.seed) for of in (first, second))
        if one is None or other is None:
            told = {FIRST: why, SECOND: why_other}
            reason = _reason({run: text for run, text in told.items() if text})
            found.append(
                Difference(curve.AT_HALF.name, asks, one, other, None, verdict="undefined", reason=reason)
            )
            continue
        numbers = one, other, other - one
        between = _between_curves(first[asks], second[asks], suite.seed)
        if between is None:
            found.append(Difference(curve.AT_HALF.name, asks, *numbers, verdict=FEW))
        else:
            found.append(
                Difference(curve.AT_HALF.name, asks, *numbers, *between.bounds, kind=HOW, p=between.p)
            )
    return [_judged(catalog().metric("id"), one) for one in _corrected(found, list(first))]


def _between_curves(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], seed: int
) -> Interval | None:
    """From the same draws for both; None for too few faces, or where one often fails to reach it."""
    if len(first[0]) < SMALLEST:
        return None
    differences = curve.replicates(*second, seed) - curve.replicates(*first, seed)
    defined = differences[~np.isnan(differences)]
    return interval_of(defined) if len(defined) >= curve.SURE * len(differences) else None


def main_numbers(comparison: Comparison) -> list[Difference]:
    """Of each metric its own number over all edits, or of the reconstruction where it is for that."""
    found = []
    for name in dict.fromkeys(one.metric for one in comparison.differences):
        if name not in catalog().metrics:
            continue
        of_it = {one.edit: one for one in comparison.differences if one.metric == name}
        edit = ALL if ALL in of_it else next(iter(of_it)) if len(of_it) == 1 else None
        found += [of_it[edit]] if edit else []
    return found
