"""Numbers that are not means of faces but made of sums over faces, such as ratios of two rates.

A metric says what each face adds, and what is made of the sums. Over edits the mean of these numbers. The
bounds come from faces drawn again, each draw with sums of its own; the same draws serve every method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .intervals import BOOTSTRAP, REPLICATES, SMALLEST, Bounds, draws, percentile
from .states import Rows, exact_mean


class OfSums:
    """A metric gives `name`, `sums` and `made`."""

    name: str

    def sums(self, state: Rows) -> np.ndarray:
        """(N, K) what each row adds; NaN in a row that does not count."""
        raise NotImplementedError

    def made(self, sums: np.ndarray) -> np.ndarray:
        """(..., K) -> (...); NaN where there is no number."""
        raise NotImplementedError

    def empty(self) -> Rows:
        return Rows()

    def value(self, state: Rows) -> float:
        """Mean over edits; NaN where no edit has a number."""
        return float(_mean_over_edits(self.made(of_edits(self.sums(state), state.column("edit")))))

    def halves(self, state: Rows, seed: int) -> np.ndarray | None:
        """(R,) the value in each draw of faces; None for too few. As many faces and the same seed give the
        same draws, so two methods may be compared on them."""
        samples, edits = (np.unique(state.column(name), return_inverse=True) for name in ("sample", "edit"))
        faces, groups = len(samples[0]), len(edits[0])
        if faces < SMALLEST:
            return None
        rows = np.nan_to_num(self.sums(state))
        table = np.zeros((faces, groups, rows.shape[1]))
        np.add.at(table, (samples[1], edits[1]), rows)
        blocks = [np.einsum("rf,fgk->rgk", weights, table) for weights in draws(faces, REPLICATES, seed)]
        return _mean_over_edits(self.made(np.concatenate(blocks)))

    def spread(self, state: Rows, seed: int) -> dict[str, Bounds | None]:
        """95 % bounds over faces."""
        found = self.halves(state, seed)
        return {self.name: None if found is None else percentile(found[~np.isnan(found)])}

    def about(self, value: float, halves: np.ndarray) -> Bounds:
        """95 % bounds of `value`, the difference of two methods', from the differences in the same draws."""
        return percentile(halves[~np.isnan(halves)]) or (value, value)

    def spread_kind(self) -> str:
        return BOOTSTRAP


class Ratio(OfSums):
    """Of two sums over faces the first by the second, and `of` that.

    `columns` gives of each row (N,) what it adds to either; NaN in one of them, and the row does not count.
    """

    def __init__(
        self,
        name: str,
        columns: Callable[[Rows], tuple[np.ndarray, np.ndarray]],
        of: Callable[[np.ndarray], np.ndarray] = np.asarray,
    ) -> None:
        self.name, self.columns, self.of = name, columns, of

    def sums(self, state: Rows) -> np.ndarray:
        rows = np.stack(self.columns(state), axis=1).astype(np.float64)
        return np.where(np.isnan(rows).any(axis=1, keepdims=True), np.nan, rows)

    def made(self, sums: np.ndarray) -> np.ndarray:
        return self.of(sums[..., 0] / np.where(sums[..., 1] > 0, sums[..., 1], np.nan))

    def value(self, state: Rows) -> float:
        each = self.made(of_edits(self.sums(state), state.column("edit")))
        defined = each[~np.isnan(each)]
        return exact_mean(defined) if len(defined) else float("nan")


class WithRatios:
    """A metric of means over faces that has ratios of sums beside them."""

    ratios: tuple[Ratio, ...]

    def ratios_of(self, state: Rows) -> dict[str, float]:
        """Those that are defined."""
        values = {ratio.name: ratio.value(state) for ratio in self.ratios}
        return {name: value for name, value in values.items() if not np.isnan(value)}

    def spread(self, state: Rows, seed: int) -> dict[str, Bounds | None]:
        """95 % bounds over faces of the ratios."""
        return {name: bounds for ratio in self.ratios for name, bounds in ratio.spread(state, seed).items()}

    def spread_kind(self) -> str:
        return BOOTSTRAP


def of_edits(rows: np.ndarray, edits: np.ndarray) -> np.ndarray:
    """(E, K) sums of rows (N, K) over the faces of each edit (N,); rows with NaN add nothing."""
    return np.stack([np.nan_to_num(rows[edits == edit]).sum(axis=0) for edit in np.unique(edits)])


def _mean_over_edits(values: np.ndarray) -> Any:
    """(..., E) -> (...) over the edits that have a number; NaN where none has."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=-1)
    return np.where(defined, values, 0.0).sum(axis=-1) / np.where(count, count, np.nan)
