"""What a metric remembers of the shards it saw: Rows of per-sample columns, or Moments of features.

Merging is ordered. A state knows which shards it holds and refuses a neighbour that does not follow, so the
order of arithmetic is checked, not hoped for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ResultsError

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation

SHARDS = "shards"  # the array that carries the range of shards; no column may have this name


class Rows:
    """Named per-sample columns, (N,) or (N, D). Appending and merging are exact.

    Columns of a stored run may lie in its files until `column` reads them (store.arrays.InFile).
    """

    def __init__(self) -> None:
        self.shards = range(0)  # stamped by the engine
        self._chunks: dict[str, list[np.ndarray]] = {}

    def __len__(self) -> int:
        return sum(len(chunk) for chunk in next(iter(self._chunks.values()), []))

    def append(self, **columns: Tensor | np.ndarray) -> None:
        """Add one batch: arrays or tensors (B,) or (B, D), the same columns every time."""
        arrays = {name: _array(values) for name, values in columns.items()}
        if SHARDS in arrays or (self._chunks and set(arrays) != set(self._chunks)):
            raise ValueError(f"wanted the columns {sorted(self._chunks)}, found {sorted(arrays)}")
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of one batch differ in length: {lengths}")
        for name, array in arrays.items():
            self._chunks.setdefault(name, []).append(array)

    def merge(self, later: Rows) -> Rows:
        """These rows, then those of the shards that follow."""
        merged = Rows()
        merged.shards = following(self.shards, later.shards)
        names = [*self._chunks, *(name for name in later._chunks if name not in self._chunks)]
        for name in names:
            merged._chunks[name] = self._chunks.get(name, []) + later._chunks.get(name, [])
        return merged

    @property
    def names(self) -> list[str]:
        """Names of the columns, in the order of their first appearance."""
        return list(self._chunks)

    def column(self, name: str) -> np.ndarray:
        """(N,) or (N, D), in shard order."""
        if name not in self._chunks:
            raise KeyError(f"no column {name!r}; there are {', '.join(self._chunks) or 'none'}")
        chunks = self._chunks[name]
        if all(isinstance(chunk, np.ndarray) for chunk in chunks):
            return np.concatenate(chunks)
        return _one_by_one(chunks)

    def of_edits(self) -> Iterator[Rows]:
        """The rows of each edit, in the order of their indices; what lies in files is not read for it."""
        for edit in np.unique(self.column("edit")):
            yield self._where([np.asarray(chunk) == edit for chunk in self._chunks["edit"]])

    def _where(self, masks: Sequence[np.ndarray]) -> Rows:
        """The rows that the masks, one for each chunk, choose."""
        chosen = Rows()
        chosen._chunks = {
            name: [
                chunk if mask.all() else chunk[mask]
                for chunk, mask in zip(chunks, masks, strict=True)
                if mask.any()
            ]
            for name, chunks in self._chunks.items()
        }
        return chosen

    def mean(self, name: str) -> float:
        """Mean of a column (N,), summed exactly."""
        return exact_mean(self.column(name))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {**{name: self.column(name) for name in self._chunks}, SHARDS: _bounds(self.shards)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Rows:
        rows = cls()
        rows.shards = range(*(int(bound) for bound in arrays[SHARDS]))
        rows._chunks = {name: [array] for name, array in arrays.items() if name != SHARDS}
        return rows


class Moments:
    """Number, mean (D,) and centred second moment (D, D) of features, in float64.

    Updated and merged by Chan, Golub and LeVeque's pairwise formula (1979): raw sums of squares would lose
    digits where the mean is large against the spread.
    """

    def __init__(self, width: int) -> None:
        self.shards = range(0)
        self.n = 0
        self.mean = np.zeros(width)  # (D,)
        self.second = np.zeros((width, width))  # (D, D): sum of (x − mean)(x − mean)ᵀ

    def update(self, features: Tensor | np.ndarray) -> None:
        """Add a batch (B, D)."""
        batch = _array(features).astype(np.float64)
        mean = batch.mean(axis=0)
        centred = batch - mean
        self._add(len(batch), mean, centred.T @ centred)

    def merge(self, later: Moments) -> Moments:
        """The moments of both, if the shards follow."""
        merged = Moments(len(self.mean))
        merged.shards = following(self.shards, later.shards)
        merged._add(self.n, self.mean, self.second)
        merged._add(later.n, later.mean, later.second)
        return merged

    @property
    def covariance(self) -> np.ndarray:
        """(D, D), divisor n − 1."""
        if self.n < 2:
            raise ValueError(f"a covariance needs at least 2 samples, found {self.n}")
        return self.second / (self.n - 1)

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            "n": np.array([self.n], dtype=np.int64),
            "mean": self.mean,
            "second": self.second,
            SHARDS: _bounds(self.shards),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Moments:
        moments = cls(len(arrays["mean"]))
        moments.shards = range(*(int(bound) for bound in arrays[SHARDS]))
        moments.n = int(arrays["n"][0])
        moments.mean, moments.second = arrays["mean"], arrays["second"]
        return moments

    def _add(self, n: int, mean: np.ndarray, second: np.ndarray) -> None:
        if n == 0:
            return
        shift, total = mean - self.mean, self.n + n
        self.second = self.second + second + np.outer(shift, shift) * (self.n * n / total)
        self.mean = self.mean + shift * (n / total)
        self.n = total


def following(first: range, later: range) -> range:
    """The shards of both, refused unless `later` begins where `first` ends. No shards at all is neutral."""
    if not later:
        return first
    if not first:
        return later
    if later.start != first.stop:
        raise ResultsError(
            f"shard {later.start} cannot follow shard {first.stop - 1}; merge every shard once, in order"
        )
    return range(first.start, later.stop)


def place(seen: Observation) -> dict[str, Any]:
    """The two columns every row carries: position of the sample in the suite, and index of the edit."""
    samples = _array(seen.samples)
    return {"sample": samples, "edit": np.full(len(samples), seen.edit_index, dtype=np.int64)}


def exact_mean(values: np.ndarray) -> float:
    """Mean of (N,), rounded once: no order of summation can leak in."""
    return math.fsum(values.tolist()) / len(values)


def mean_over(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(B,) mean of the chosen (B, A) bool of each row's values (B, A); NaN where none is chosen."""
    count = chosen.sum(axis=1)
    return np.where(chosen, values, 0).sum(axis=1) / np.where(count, count, np.nan)


def beside(state: Rows, other: Rows, names: Sequence[str], prefix: str) -> Rows:
    """The state, and under names with a prefix these columns of other rows of the same samples."""
    samples, wanted = other.column("sample"), state.column("sample")
    order = np.argsort(samples)
    rows = order[np.searchsorted(samples, wanted, sorter=order)]
    assert np.array_equal(samples[rows], wanted), "every edit of a run scores the same faces"
    return Rows.from_arrays(
        {**state.to_arrays(), **{prefix + name: other.column(name)[rows] for name in names}}
    )


def edit_means(per_sample: Mapping[str, np.ndarray], edits: np.ndarray) -> dict[str, float]:
    """For each key the mean over edits of the mean over samples; NaN marks an undefined sample.

    Every edit has equal weight (SeCGAN 4.4). Edits without a defined sample do not count; a key without any
    defined value is left out.
    """
    means = {}
    for key, values in per_sample.items():
        defined = ~np.isnan(values)
        each = [exact_mean(values[(edits == edit) & defined]) for edit in np.unique(edits[defined])]
        if each:
            means[key] = exact_mean(np.array(each))
    return means


def _array(values: Any) -> np.ndarray:
    """A tensor on any device, or anything array-like, as a NumPy array of its own."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.array(values)


def _one_by_one(chunks: Sequence[Any]) -> np.ndarray:
    """The same as concatenating them, never holding more than one of them beside the whole."""
    first = np.asarray(chunks[0])
    whole = np.empty((sum(map(len, chunks)), *first.shape[1:]), first.dtype)
    stop = 0
    for chunk in chunks:
        start, stop = stop, stop + len(chunk)
        whole[start:stop] = chunk
    return whole


def _bounds(shards: range) -> np.ndarray:
    return np.array([shards.start, shards.stop], dtype=np.int64)
