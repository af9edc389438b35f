"""The numbers of the first table: a column per metric, and which runs cannot be told from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog import catalog
from ..metrics.intervals import bootstrap_means
from .material import ALL, RECONSTRUCTION, Run, digits_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BEST, LIKE_BEST = "best", "like"


@dataclass(frozen=True)
class Column:
    """One number per run."""

    metric: str
    edit: str  # "all", "reconstruction", or what a series of strengths asks
    title: str
    better: str  # "higher", "lower", or "" where nobody knows
    digits: int


def columns(runs: Sequence[Run]) -> list[Column]:
    """Over all edits first, then of the reconstruction, then of series of strengths."""
    present = dict.fromkeys(key for run in runs for key in run.scores)
    main = dict.fromkeys(name for run in runs for name in run.identity["metrics"])
    found = [_column(name, ALL) for name in main if (name, ALL) in present]
    found += [_column(name, RECONSTRUCTION) for name in main if (name, RECONSTRUCTION) in present]
    return found + [_column(name, edit) for name, edit in present if "@" in name]


def _column(metric: str, edit: str) -> Column:
    spec = catalog().metrics.get(metric.partition("@")[0])
    unit = f" {spec.unit}" if spec and spec.unit else ""
    of = "" if edit == ALL else f", {edit}"
    return Column(metric, edit, f"{metric}{unit}{of}", spec.better if spec else "", digits_of(metric))


def standing(runs: Sequence[Run], column: Column) -> dict[str, str]:
    """Run id -> BEST, or LIKE_BEST where the 95 % interval of its difference to the best includes zero.

    Floor and ceiling do not compete. The interval is a bootstrap over faces of the paired differences; where
    a metric has no number per face, only the best is named.
    """
    sign = {"higher": 1, "lower": -1}.get(column.better)
    values = {run.id: run.value(column.metric, column.edit) for run in runs if not run.mark}
    known = {name: value for name, value in values.items() if value is not None}
    if sign is None or len(known) < 2:
        return {}
    winner = max(known, key=lambda name: sign * known[name])
    others = [run for run in runs if run.id in known and run.id != winner]
    best = next(run for run in runs if run.id == winner)
    bounds = differences(best, others, column.metric, column.edit)
    alike = {
        run.id: LIKE_BEST
        for run, between in zip(others, bounds, strict=True)
        if known[run.id] == known[winner] or (between is not None and between[0] <= 0 <= between[1])
    }
    return {winner: BEST, **alike}


def differences(best: Run, others: Sequence[Run], metric: str, edit: str) -> list[tuple[float, float] | None]:
    """95 % bounds of `other − best` over faces; None where a run has no number per face."""
    import numpy as np

    usable = [metric in run.samples for run in (best, *others)]
    if not usable[0] or not all(usable):
        return [None] * len(others)
    ours = _per_face(best, metric, edit)
    tables = [ours, *(_per_face(run, metric, edit) for run in others)]
    shared = ours.index
    for table in tables[1:]:
        shared = shared.intersection(table.index)
    if shared.empty:
        return [None] * len(others)
    stacked = np.stack([table.reindex(shared).to_numpy(dtype=float) for table in tables], axis=1)
    with np.errstate(invalid="ignore"):
        gaps = stacked[:, 1:] - stacked[:, :1]  # (N, K)
    gaps[~np.isfinite(gaps)] = np.nan
    edits, faces = (shared.get_level_values(level).to_numpy() for level in ("edit", "sample"))
    return bootstrap_means(gaps, _codes(faces), _codes(edits))


def _per_face(run: Run, metric: str, edit: str) -> pd.Series:
    rows = run.samples
    rows = rows[rows["edit"] != RECONSTRUCTION] if edit == ALL else rows[rows["edit"] == edit]
    return rows.set_index(["edit", "sample"])[metric]


def _codes(names: np.ndarray) -> np.ndarray:
    """Names as numbers, by their order."""
    import numpy as np

    return np.unique(names.astype(str), return_inverse=True)[1]
