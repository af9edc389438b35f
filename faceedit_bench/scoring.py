"""Stored states -> scores: fold in shard order, finish, interval; per edit and over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .contracts import Metric, MetricSpec, Samples
from .evaluate import applies, fold, restore_state
from .metrics.intervals import interval, kind
from .store.folder import Score
from .suite import Shard, Suite

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Stored = Mapping[int, Mapping[str, Mapping[str, "np.ndarray"]]]  # shard number -> metric -> arrays
ALL = "all"


def scores(
    suite: Suite, metrics: Sequence[MetricSpec], shards: Sequence[Shard], stored: Stored
) -> list[Score]:
    """Every score of a run, metric by metric: each edit it is defined for, then "all" over the flips."""
    found: list[Score] = []
    for spec in metrics:
        metric = spec.load()
        for name, state in _states(spec, metric, suite, shards, stored).items():
            found += _score(spec, metric, name, state, suite.seed)
    return found


def _states(
    spec: MetricSpec, metric: Metric, suite: Suite, shards: Sequence[Shard], stored: Stored
) -> dict[str, Any]:
    """Folded state per edit, and of all flips together."""
    per_edit: dict[str, Any] = {}
    flips: list[Any] = []
    for index, edit in enumerate(suite.edits):
        if not applies(spec, edit):
            continue
        parts = [restore_state(metric, stored[s.number][spec.name]) for s in shards if s.edit == index]
        per_edit[edit.name] = fold(parts)
        flips += [] if edit.is_reconstruction else parts
    if flips:
        fresh = [
            restore_state(metric, part.to_arrays()) for part in flips
        ]  # merging may reuse the first state
        per_edit[ALL] = fold(fresh)
    return per_edit


def _score(spec: MetricSpec, metric: Metric, edit: str, state: Any, seed: int) -> list[Score]:
    values = metric.finish(state)
    bounds = interval(spec, metric, state, seed)
    found = []
    for key, value in values.items():
        between = bounds.get(key)
        low, high = (float(between[0]), float(between[1])) if between else (None, None)
        how = kind(spec, metric, state, key) if between else "none"
        found.append(Score(key, spec.version, edit, float(value), low, high, len(state), how))
    return found


def per_sample(
    suite: Suite, metrics: Sequence[MetricSpec], shards: Sequence[Shard], stored: Stored, samples: Samples
) -> pd.DataFrame:
    """One row per edited image: sample id, edit, and every per-image score."""
    import pandas as pd

    ids = [samples[i].id for i in range(len(samples))]
    tables = []
    for index, edit in enumerate(suite.edits):
        table = pd.DataFrame({"sample": ids, "edit": edit.name})
        for spec in metrics:
            metric = spec.load()
            if not applies(spec, edit) or not hasattr(metric, "per_sample"):
                continue
            state = fold(
                [restore_state(metric, stored[s.number][spec.name]) for s in shards if s.edit == index]
            )
            for key, values in metric.per_sample(state).items():
                table[key] = values
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
