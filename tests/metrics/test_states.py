"""Rows and Moments: exact, ordered, and the same after a trip to disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from faceedit_bench.errors import ResultsError
from faceedit_bench.metrics.states import Moments, Rows, edit_means, exact_mean


def rows(shard: int, *values: float) -> Rows:
    made = Rows()
    made.append(sample=np.arange(len(values)), score=torch.tensor(values))
    made.shards = range(shard, shard + 1)
    return made


def moments(shard: int, features: np.ndarray) -> Moments:
    made = Moments(features.shape[1])
    made.update(features)
    made.shards = range(shard, shard + 1)
    return made


def test_merging_appends_in_order() -> None:
    merged = rows(0, 1, 2).merge(rows(1, 3)).merge(rows(2, 4))
    assert merged.shards == range(0, 3)
    assert merged.column("score").tolist() == [1, 2, 3, 4]
    assert len(merged) == 4


def test_merging_out_of_order_is_refused() -> None:
    with pytest.raises(ResultsError, match="shard 2 cannot follow shard 0"):
        rows(0, 1).merge(rows(2, 1))
    with pytest.raises(ResultsError, match="shard 2 cannot follow shard 0"):
        moments(0, np.eye(3)).merge(moments(2, np.eye(3)))


def test_the_same_shard_twice_is_refused() -> None:
    with pytest.raises(ResultsError, match="shard 0 cannot follow shard 0"):
        rows(0, 1).merge(rows(0, 1))


def test_merging_leaves_both_states_as_they_were() -> None:
    first, later = rows(0, 1), rows(1, 2)
    first.merge(later)
    assert (len(first), len(later)) == (1, 1)
    assert (first.shards, later.shards) == (range(0, 1), range(1, 2))


def test_an_empty_state_is_neutral() -> None:
    merged = Rows().merge(rows(3, 5)).merge(Rows())
    assert merged.shards == range(3, 4)
    assert merged.column("score").tolist() == [5]


def test_rows_of_each_edit_come_apart_in_order_whatever_the_chunks() -> None:
    rows = Rows()
    for samples, edits in (([0, 1], [1, 1]), ([2, 3], [0, 1]), ([4, 5], [0, 0])):
        rows.append(
            sample=np.array(samples), edit=np.array(edits), wide=np.array(samples)[:, None] * np.ones(3)
        )
    first, second = rows.of_edits()
    assert first.column("sample").tolist() == [2, 4, 5] and second.column("sample").tolist() == [0, 1, 3]
    assert first.column("wide").shape == (3, 3) and second.column("edit").tolist() == [1, 1, 1]


def test_rows_survive_arrays() -> None:
    state = rows(4, 1, 2, 3)
    again = Rows.from_arrays(state.to_arrays())
    assert again.shards == range(4, 5)
    assert {name: array.tobytes() for name, array in again.to_arrays().items()} == {
        name: array.tobytes() for name, array in state.to_arrays().items()
    }


def test_appended_arrays_are_copied() -> None:
    values = np.array([1.0])
    state = Rows()
    state.append(score=values)
    values[0] = 9
    assert state.mean("score") == 1


def test_columns_of_other_names_or_lengths_are_refused() -> None:
    state = rows(0, 1)
    with pytest.raises(ValueError, match="wanted the columns"):
        state.append(sample=np.arange(1))
    with pytest.raises(ValueError, match="differ in length"):
        state.append(sample=np.arange(1), score=np.arange(2))
    with pytest.raises(KeyError, match="no column 'missing'; there are sample, score"):
        state.column("missing")


def test_means_do_not_depend_on_order() -> None:
    values = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.random.default_rng(1).integers(
        -9, 9, 1000
    )
    assert exact_mean(values) == exact_mean(values[::-1])


def test_edits_weigh_the_same_whatever_their_number_of_samples() -> None:
    values = {"score": np.array([0.0, 0.0, 0.0, 1.0, np.nan]), "never": np.full(5, np.nan)}
    assert edit_means(values, np.array([0, 0, 0, 1, 2])) == {"score": 0.5}


@pytest.mark.parametrize("parts", [1, 2, 7, 64])
def test_sharded_moments_equal_the_whole(parts: int) -> None:
    # mean 50, spread below 1: where raw sums of squares lose digits
    features = np.random.default_rng(0).normal(50, 0.5, size=(640, 12))
    folded = moments(0, np.array_split(features, parts)[0])
    for shard, part in enumerate(np.array_split(features, parts)[1:], start=1):
        folded = folded.merge(moments(shard, part))
    expected = np.cov(features, rowvar=False)
    assert folded.n == 640
    np.testing.assert_allclose(folded.mean, features.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(folded.covariance, expected, rtol=0, atol=1e-13)  # metrics.md measures 3e-15


def test_moments_survive_arrays() -> None:
    state = moments(2, np.random.default_rng(0).normal(size=(5, 3)))
    again = Moments.from_arrays(state.to_arrays())
    assert (again.shards, again.n) == (range(2, 3), 5)
    assert again.second.tobytes() == state.second.tobytes()


def test_a_covariance_of_one_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 samples"):
        _ = moments(0, np.ones((1, 3))).covariance


class Unread:
    """An array in a file: NumPy may ask for it, and that is counted."""

    def __init__(self, array: np.ndarray, reads: list[int]) -> None:
        self.array, self.reads = array, reads

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, mask: np.ndarray) -> Unread:
        return Unread(self.array[mask], self.reads)

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        self.reads.append(len(self.array))
        return self.array


def test_long_rows_are_read_when_their_column_is_and_for_no_other_edit() -> None:
    reads: list[int] = []
    parts = []
    for number, edits in enumerate(([0, 0], [0, 1, 1], [1])):
        wide = np.full((len(edits), 4), number, np.float32)
        arrays = {
            "edit": np.array(edits),
            "wide": Unread(wide, reads),
            "shards": np.array([number, number + 1]),
        }
        parts.append(Rows.from_arrays(arrays))  # type: ignore[arg-type]
    whole = parts[0].merge(parts[1]).merge(parts[2])
    second = list(whole.of_edits())[1]
    assert reads == []
    assert second.column("wide")[:, 0].tolist() == [1, 1, 2]
    assert sum(reads) <= 2 + 1 + 2  # its own three rows; a chunk's first is read once more for its kind
