"""Which pictures of the test people are compared (SaGAN's verification experiment; LFW view 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..errors import BadDataset


class Asked(Protocol):
    """A line of LFW's pairs.txt (faceedit_bench.data.lfw.Pair)."""

    @property
    def fold(self) -> int: ...
    @property
    def first(self) -> str: ...
    @property
    def second(self) -> str: ...


@dataclass(frozen=True)
class Pairs:
    """P comparisons. Pictures are rows of a test set, people are numbered from 0."""

    target: np.ndarray  # (P,) int32: row of one picture
    query: np.ndarray  # (P,) int32: row of the other
    target_person: np.ndarray  # (P,) int32
    query_person: np.ndarray  # (P,) int32
    people: int  # how many there are
    fold: np.ndarray | None = None  # (P,) int16 where the pairs come in folds

    @property
    def same(self) -> np.ndarray:
        """(P,) bool: both show one person."""
        return self.target_person == self.query_person

    @property
    def genuine(self) -> int:
        return int(self.same.sum())

    @property
    def impostors(self) -> int:
        return len(self.target) - self.genuine


def numbered(people: Sequence[str]) -> np.ndarray:
    """(N,) int32: who each picture shows, people numbered as they first appear."""
    order = {name: number for number, name in enumerate(dict.fromkeys(people))}
    return np.array([order[name] for name in people], np.int32)


def targets(people: Sequence[str], seed: int, where: str) -> Pairs:
    """One picture of each person is the target, drawn by `seed`; all the others are queries.

    Every query is compared with every target: people × (N − people) pairs, N − people of them genuine.
    """
    who = numbered(people)
    count = int(who.max()) + 1
    pictures = np.bincount(who)
    if (pictures >= 2).sum() < 2:
        raise BadDataset(
            f"{where}: verification wants at least two people with two pictures each, found "
            f"{int((pictures >= 2).sum())} among {count} people with {len(who)} pictures"
        )
    generator = np.random.default_rng(seed)
    chosen = np.array([generator.choice(np.flatnonzero(who == person)) for person in range(count)], np.int32)
    queries = np.setdiff1d(np.arange(len(who), dtype=np.int32), chosen)
    target, query = (grid.ravel() for grid in np.meshgrid(chosen, queries, indexing="ij"))
    return Pairs(target, query, who[target], who[query], count)


def view2(people: Sequence[str], ids: Sequence[str], asked: Sequence[Asked], where: str) -> Pairs:
    """The pairs of LFW's pairs.txt, ten folds of 300 genuine and 300 others."""
    rows = {name: row for row, name in enumerate(ids)}
    absent = [name for pair in asked for name in (pair.first, pair.second) if name not in rows]
    if absent:
        raise BadDataset(
            f"{where}: {len(set(absent))} pictures of pairs.txt are not there, first {absent[0]!r}"
        )
    who = numbered(people)
    target = np.array([rows[pair.first] for pair in asked], np.int32)
    query = np.array([rows[pair.second] for pair in asked], np.int32)
    fold = np.array([pair.fold for pair in asked], np.int16)
    return Pairs(target, query, who[target], who[query], int(who.max()) + 1, fold)


def find_pairs_file(root: Path | None, where: str) -> Path:
    """LFW's pairs.txt in its folder or beside it."""
    places = (
        [] if root is None else [root, root.parent, *sorted(one for one in root.iterdir() if one.is_dir())]
    )
    found = next((place / "pairs.txt" for place in places if (place / "pairs.txt").is_file()), None)
    if found is None:
        raise BadDataset(f"{where}: no pairs.txt in {root} or beside it; LFW publishes it with its view 2")
    return found
