"""Stored states -> scores: fold in shard order, finish, interval; per edit and over all of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from .catalog import catalog
from .contracts import Metric, MetricSpec, Samples, Undefined
from .errors import NoFace, ResultsError
from .evaluate import applies, fold, reconstruction_of, restore_state, set_numerics
from .metrics.both_pictures import BothPictures, OfEdit, mean_of_halves
from .metrics.intervals import BOOTSTRAP, Bounds, interval, kind
from .metrics.states import SHARDS
from .store.score import Score
from .suite import Shard, Suite, series

if TYPE_CHECKING:
    import pandas as pd

Stored = Mapping[int, Mapping[str, Mapping[str, np.ndarray]]]  # shard number -> metric -> arrays
Unusable = Mapping[int, tuple[str, str]]  # position -> id of the picture, reason
ALL = "all"
COPIES = 9  # of one edit's features in float32, which comparing them holds at most
SHARE = 4  # of the memory that is free, comparisons take a quarter


def scores(
    suite: Suite,
    metrics: Sequence[MetricSpec],
    shards: Sequence[Shard],
    stored: Stored,
    edits_at_once: int = 1,
) -> list[Score]:
    """Every score of a run, metric by metric: each edit it is defined for, then "all" over those that edit.

    Over edits of several strengths there is no "all": its mean would belong to no strength. Features are
    compared for so many edits at once; each takes memory, and none changes a bit of another.
    """
    found: list[Score] = []
    for spec in metrics:
        metric = spec.load()
        states = states_of(spec, metric, suite, shards, stored)
        if isinstance(metric, BothPictures):
            found += _compared(spec, metric, suite, states, edits_at_once)
            continue
        for name, state in states.items():
            found += _score(spec, metric, name, state, suite.seed)
    return found


def edits_at_once(
    suite: Suite, metrics: Sequence[MetricSpec], faces: int, workers: int | None, free: int | None
) -> int:
    """For how many edits features are compared at once: one for every worker, or core, as far as a share of
    the `free` bytes of memory holds them; one where nobody tells how much is free."""
    comparing = [metric for metric in (spec.load() for spec in metrics) if isinstance(metric, BothPictures)]
    width = max((catalog().judge(suite.judges[metric.role]).width for metric in comparing), default=0)
    each = COPIES * 4 * faces * width
    if not each or free is None:
        return 1
    return max(1, min(workers or os.cpu_count() or 1, free // (SHARE * each)))


def states_of(
    spec: MetricSpec, metric: Metric, suite: Suite, shards: Sequence[Shard], stored: Stored
) -> dict[str, Any]:
    """Folded state per edit, and of all flips together.

    A metric with `beside(state, reconstruction)` gets each beside that of the suite's first reconstruction.
    """
    per_edit: dict[str, Any] = {}
    flips: list[Any] = []
    for index, edit in enumerate(suite.edits):
        if not applies(spec, edit):
            continue
        of_edit = [stored[s.number][spec.name] for s in shards if s.edit == index]
        per_edit[edit.name] = fold([restore_state(metric, arrays) for arrays in of_edit])
        if not edit.is_reconstruction:  # restored again, as merging may reuse the first state
            flips += [restore_state(metric, arrays) for arrays in of_edit]
    if flips and len({edit.strength for edit in suite.edits if not edit.is_reconstruction}) == 1:
        per_edit[ALL] = fold(flips)
    beside, reconstruction = getattr(metric, "beside", None), reconstruction_of(suite)
    if beside is None or reconstruction is None:
        return per_edit
    return {name: beside(state, per_edit[reconstruction.name]) for name, state in per_edit.items()}


def _score(spec: MetricSpec, metric: Metric, edit: str, state: Any, seed: int) -> list[Score]:
    values = metric.finish(state)
    defined = any(not isinstance(value, Undefined) for value in values.values())
    bounds = interval(spec, metric, state, seed) if defined else {}
    return _listed(spec, metric, edit, state, values, bounds)


def _compared(
    spec: MetricSpec, metric: BothPictures, suite: Suite, states: Mapping[str, Any], at_once: int
) -> list[Score]:
    """The same of a comparison of features: each edit's are read and compared once, also for "all"."""
    flips = {edit.name for edit in suite.edits if not edit.is_reconstruction}
    each = [edit for edit in states if edit != ALL]

    def of_edit(edit: str) -> tuple[OfEdit, np.ndarray | None]:
        return metric.of_edit(states[edit]), metric.halves_of_edit(states[edit], suite.seed)

    # threads begin without the numerics of the one that starts them, and last bits depend on these
    with ThreadPoolExecutor(at_once, initializer=set_numerics, initargs=(suite.threads,)) as pool:
        compared = dict(zip(each, pool.map(of_edit, each), strict=True))
    found = []
    for edit, state in states.items():
        of_it = [edit] if edit != ALL else [name for name in each if name in flips]
        values = metric.over_edits([compared[name][0] for name in of_it])
        moved = mean_of_halves([compared[name][1] for name in of_it])
        value = values.get(spec.name)
        between = (
            {spec.name: metric.bounds(value, moved)} if moved is not None and isinstance(value, float) else {}
        )
        found += _listed(spec, metric, edit, state, values, between)
    return found


def _listed(
    spec: MetricSpec,
    metric: Any,
    edit: str,
    state: Any,
    values: Mapping[str, float | Undefined],
    bounds: Mapping[str, Bounds | None],
) -> list[Score]:
    found = []
    for key, value in values.items():
        if isinstance(value, Undefined):
            found.append(Score(key, spec.version, edit, None, None, None, len(state), "none", value.reason))
            continue
        between = bounds.get(key)
        low, high = (float(between[0]), float(between[1])) if between else (None, None)
        how = kind(spec, metric, state, key) if between else "none"
        found.append(Score(key, spec.version, edit, float(value), low, high, len(state), how))
    return found


def per_sample(
    suite: Suite,
    metrics: Sequence[MetricSpec],
    shards: Sequence[Shard],
    stored: Stored,
    samples: Samples,
    unusable: Unusable,
) -> pd.DataFrame:
    """One row per edited image: sample id, edit, and every per-image score."""
    import pandas as pd

    listed = getattr(samples, "ids", None)  # decodes nothing
    ids = [listed[i] if listed else samples[i].id for i in range(len(samples)) if i not in unusable]
    tables = {edit.name: pd.DataFrame({"sample": ids, "edit": edit.name}) for edit in suite.edits}
    for spec in metrics:
        metric: Any = spec.load()
        if not hasattr(metric, "per_sample"):
            continue
        states = states_of(spec, metric, suite, shards, stored)
        for edit in tables.keys() & states.keys():
            for key, values in metric.per_sample(states[edit]).items():
                tables[edit][key] = values
    return pd.concat(tables.values(), ignore_index=True)


def curve_scores(suite: Suite, rows: pd.DataFrame) -> list[Score]:
    """ID at equal response, and how often the response falls, of every series of strengths; `rows` are those
    of `per_sample`."""
    from .metrics import curve

    if not {"id", "response"} <= set(rows.columns):
        return []
    found = []
    by_edit = dict(iter(rows.groupby("edit")))
    for asks, edits in series(suite.edits).items():
        response, identity = (
            np.stack([by_edit[edit.name][column].to_numpy() for edit in edits], axis=1)  # (N, S)
            for column in ("response", "id")
        )
        read = {
            reading.name: curve.score(response, identity, suite.seed, reading)
            for reading in (curve.AT_HALF, curve.OVER_ALL)
        }
        for name, (value, bounds, reason) in {**read, curve.FALLS: curve.falls(response, suite.seed)}.items():
            low, high = bounds or (None, None)
            how = BOOTSTRAP if bounds else "none"
            found.append(Score(name, curve.VERSION, asks, value, low, high, len(response), how, reason))
    return found


# ---- faces that cannot be used --------------------------------------------------------------------


def without(shards: Sequence[Shard], stored: Stored, told: Mapping[int, Unusable]) -> tuple[Unusable, Stored]:
    """Every face that some edit could not use, and the states without them: all edits score the same faces.

    `told` has of each shard what it left out itself.
    """
    unusable = {position: why for number in sorted(told) for position, why in told[number].items()}
    kept = {}
    for shard in shards:
        scored = {i for i in unusable if shard.start <= i < shard.stop and i not in told[shard.number]}
        kept[shard.number] = {
            metric: dropped(metric, arrays, scored) if scored else arrays
            for metric, arrays in stored[shard.number].items()
        }
    return dict(sorted(unusable.items())), kept


def dropped(metric: str, arrays: Mapping[str, np.ndarray], samples: set[int]) -> Mapping[str, np.ndarray]:
    """The rows of a state without those of `samples`."""
    if "sample" not in arrays:
        raise ResultsError(
            f"samples {sorted(samples)} could be edited under one edit and not under another, and metric "
            f"{metric!r} cannot leave them out afterwards; give its state a column `sample`, or run a suite "
            "without it"
        )
    keep = ~np.isin(arrays["sample"], sorted(samples))
    return {name: array if name == SHARDS else array[keep] for name, array in arrays.items()}


def faces(count: int, unusable: Unusable) -> dict[str, Any]:
    """How many of how many faces were scored, and which were not."""
    listed = [{"sample": name, "reason": reason} for name, reason in unusable.values()]
    if count and len(listed) == count:
        first = listed[0]
        raise NoFace(
            f"none of {count} faces could be used; the first: {first['sample']}: {first['reason']}. "
            "Crop the pictures to the face, or choose another method or data set"
        )
    return {"scored": count - len(listed), "of": count, "unusable": listed}
