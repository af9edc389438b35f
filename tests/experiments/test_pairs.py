"""Which pictures are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faceedit_bench.data.lfw import Pair, read_pairs
from faceedit_bench.errors import BadDataset
from faceedit_bench.experiments.pairs import find_pairs_file, numbered, targets, view2

TWENTY = [f"person {number // 10}" for number in range(200)]  # ten pictures each


def test_every_query_meets_every_target() -> None:
    pairs = targets(TWENTY, seed=1, where="here")
    assert len(pairs.target) == 20 * (200 - 20)
    assert (pairs.genuine, pairs.impostors) == (180, 19 * 180)
    assert len(set(zip(pairs.target.tolist(), pairs.query.tolist(), strict=True))) == len(pairs.target)


def test_each_person_has_one_target_and_no_target_is_a_query() -> None:
    pairs = targets(TWENTY, seed=1, where="here")
    chosen = set(pairs.target.tolist())
    assert sorted(numbered(TWENTY)[list(chosen)].tolist()) == list(range(20))
    assert not chosen & set(pairs.query.tolist())


def test_a_pair_is_genuine_where_both_show_one_person() -> None:
    pairs = targets(TWENTY, seed=1, where="here")
    who = np.array(TWENTY)
    assert np.array_equal(pairs.same, who[pairs.target] == who[pairs.query])


def test_the_seed_draws_the_targets() -> None:
    one, again, other = (targets(TWENTY, seed, "here").target for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.parametrize("people", [["a", "b", "c"], ["a", "a", "a", "b"], ["a", "a"]])
def test_fewer_than_two_people_with_two_pictures_are_refused(people: list[str]) -> None:
    with pytest.raises(BadDataset, match="here: verification wants at least two people with two pictures"):
        targets(people, seed=1, where="here")


def test_pairs_of_lfw_are_those_of_its_file(tmp_path: Path) -> None:
    lines = ["2\t1", "Ann_A\t1\t2", "Ann_A\t1\tBob_B\t1", "Bob_B\t1\t2", "Ann_A\t2\tBob_B\t2"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "lfw").mkdir()
    ids = ["Ann_A_0001", "Ann_A_0002", "Bob_B_0001", "Bob_B_0002"]
    asked = read_pairs(find_pairs_file(tmp_path / "lfw", "lfw"))
    pairs = view2([name[:-5] for name in ids], ids, asked, "lfw")
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.target.tolist() == [0, 0, 2, 1] and pairs.query.tolist() == [1, 2, 3, 3]
    assert pairs.fold is not None and pairs.fold.tolist() == [0, 0, 1, 1]


def test_pictures_of_lfw_that_are_absent_are_counted() -> None:
    with pytest.raises(BadDataset, match=r"1 pictures of pairs\.txt are not there, first 'Ann_A_0002'"):
        view2(["Ann_A"], ["Ann_A_0001"], [Pair(0, "Ann_A_0001", "Ann_A_0002", True)], "lfw")


def test_a_missing_pairs_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "lfw").mkdir()
    with pytest.raises(BadDataset, match=r"no pairs\.txt in"):
        find_pairs_file(tmp_path / "lfw", "lfw")
