"""The numbers of the first table: a column per metric, and who cannot be told from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..catalog import catalog
from ..statistics.paired import SIGNIFICANT, Interval, holm, interval_of
from ..store.score import Score
from .material import ALL, RECONSTRUCTION, Run, digits_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BEST, LIKE_BEST = "best", "like"
SIGNS = {BEST: "★", LIKE_BEST: "≈"}


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
    main = dict.fromkeys(name for run in runs for name in run.metrics)
    found = [_column(name, ALL) for name in main if (name, ALL) in present]
    found += [_column(name, RECONSTRUCTION) for name in main if (name, RECONSTRUCTION) in present]
    return found + [_column(name, edit) for name, edit in present if "@" in name]


def _column(metric: str, edit: str) -> Column:
    spec = catalog().metrics.get(metric.partition("@")[0])
    unit = f" {spec.unit}" if spec and spec.unit else ""
    of = "" if edit == ALL else f", {edit}"
    return Column(metric, edit, f"{metric}{unit}{of}", spec.better if spec else "", digits_of(metric))


def bounds_text(score: Score, digits: int) -> str:
    """[low, high] for a 95 % interval, (low, high) for a spread, "" where there is neither."""
    if score.low is None or score.high is None:
        return ""
    left, right = "[]" if score.kind.startswith(("bootstrap", "wilson")) else "()"
    return f"{left}{score.low:.{digits}f}, {score.high:.{digits}f}{right}"


def told(score: Score | None, digits: int) -> str:
    """A number with its bounds; a dash where there is none."""
    if score is None or score.value is None:
        return "–"
    return f"{score.value:.{digits}f} {bounds_text(score, digits)}".strip().replace("inf", "∞")


# ---- who is best, and who cannot be told from it ----------------------------------------------------


@dataclass(frozen=True)
class Rival:
    """A run that is not the best of a column. Its difference to the best is taken face by face."""

    run: Run
    difference: float | None = None  # its mean − the best's; None where a metric has no number per face
    interval: Interval | None = None  # of the difference
    p_holm: float | None = None  # corrected over the rivals of the column
    is_tied: bool = False  # the very same number

    @property
    def is_like_best(self) -> bool:
        return self.is_tied or (self.p_holm is not None and self.p_holm >= SIGNIFICANT)


@dataclass(frozen=True)
class Contest:
    """The best run of a column and its rivals, in the order of the runs."""

    best: Run
    rivals: tuple[Rival, ...]

    def mark(self, run: Run) -> str:
        """BEST, LIKE_BEST or ""."""
        if run.id == self.best.id:
            return BEST
        rival = next((one for one in self.rivals if one.run.id == run.id), None)
        return LIKE_BEST if rival is not None and rival.is_like_best else ""


def contests(runs: Sequence[Run]) -> dict[Column, Contest | None]:
    """Of every column."""
    return {column: contest(runs, column) for column in columns(runs)}


def contest(runs: Sequence[Run], column: Column) -> Contest | None:
    """Who is best; None where fewer than two compete or nobody knows what is better.

    Floor and ceiling do not compete. Intervals and p values are of a paired bootstrap over faces; the p
    values are corrected for the number of rivals by Holm's method.
    """
    sign = {"higher": 1, "lower": -1}.get(column.better)
    values = {run.id: run.value(column.metric, column.edit) for run in runs if not run.mark}
    known = {name: value for name, value in values.items() if value is not None}
    if sign is None or len(known) < 2:
        return None
    winner = max(known, key=lambda name: sign * known[name])
    best = next(run for run in runs if run.id == winner)
    others = [run for run in runs if run.id in known and run.id != winner]
    between = differences(best, others, column.metric, column.edit)
    corrected = iter(holm([found[1].p for found in between if found is not None]))
    return Contest(
        best,
        tuple(
            Rival(run, is_tied=known[run.id] == known[winner])
            if found is None
            else Rival(run, *found, next(corrected), known[run.id] == known[winner])
            for run, found in zip(others, between, strict=True)
        ),
    )


def differences(
    best: Run, others: Sequence[Run], metric: str, edit: str
) -> list[tuple[float, Interval] | None]:
    """Mean of `other − best` over the faces of all with its interval; None without numbers per face."""
    import numpy as np

    from ..metrics.intervals import SMALLEST, replicate_means

    if not all(metric in run.samples for run in (best, *others)):
        return [None] * len(others)
    tables = [_per_face(run, metric, edit) for run in (best, *others)]
    shared = tables[0].index
    for table in tables[1:]:
        shared = shared.intersection(table.index)
    edits, faces = (_codes(shared.get_level_values(level).to_numpy()) for level in ("edit", "sample"))
    if len(np.unique(faces)) < SMALLEST:
        return [None] * len(others)
    stacked = np.stack([table.reindex(shared).to_numpy(dtype=float) for table in tables], axis=1)
    with np.errstate(invalid="ignore"):
        gaps = stacked[:, 1:] - stacked[:, :1]  # (N, K)
    gaps[~np.isfinite(gaps)] = np.nan
    draws = replicate_means(gaps, faces, edits)  # (R, K)
    found = [interval_of(column[~np.isnan(column)]) for column in draws.T]
    means = [_mean(column, edits) for column in gaps.T]
    return [None if between is None else (mean, between) for mean, between in zip(means, found, strict=True)]


def _mean(gaps: np.ndarray, edits: np.ndarray) -> float:
    """Of gaps (N,): every edit that has any counts alike."""
    import numpy as np

    known = ~np.isnan(gaps)
    sums, counts = (np.bincount(edits[known], weights=one) for one in (gaps[known], np.ones(known.sum())))
    return float((sums[counts > 0] / counts[counts > 0]).mean())


def _per_face(run: Run, metric: str, edit: str) -> pd.Series:
    rows = run.samples
    rows = rows[rows["edit"] != RECONSTRUCTION] if edit == ALL else rows[rows["edit"] == edit]
    return rows.set_index(["edit", "sample"])[metric]


def _codes(names: np.ndarray) -> np.ndarray:
    """Names as numbers, by their order."""
    import numpy as np

    return np.unique(names.astype(str), return_inverse=True)[1]
