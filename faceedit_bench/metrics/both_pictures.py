"""Comparisons of two sets of features: the judge's answers on the source pictures and on the edited ones.

They are compared edit by edit, and over edits the numbers' means are taken; so are those of random halves of
the samples, which show how far a number moves. One edit's features are held at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import answers
from .intervals import Bounds, about
from .states import Rows, exact_mean, place

if TYPE_CHECKING:
    from ..contracts import Observation


@dataclass(frozen=True)
class OfEdit:
    """What one edit adds to the mean over edits."""

    pictures: int
    width: int  # D
    numbers: Mapping[str, float]  # by key; those that so few pictures do not define are not there


class BothPictures:
    """A metric adds the numbers of one edit (`compared`) and of halves of it, and what they make together."""

    name: str
    role: str  # of the judge

    @property
    def keeps(self) -> dict[tuple[str, str], str]:
        """The judges' answers that states hold: role and picture -> column."""
        return {(self.role, "source"): "source", (self.role, "edited"): "edited"}

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(
            **place(seen),
            source=answers(seen, self.role, "source"),
            edited=answers(seen, self.role, "edited"),
        )

    # -- of one edit: (N, D) source, (N, D) edited

    def compared(self, source: np.ndarray, edited: np.ndarray) -> dict[str, float]:
        """Every number, by key, that so many pictures define."""
        raise NotImplementedError

    def distance(self, source: np.ndarray, edited: np.ndarray) -> float:
        """The number `name`."""
        raise NotImplementedError

    def how_many_halves(self, pictures: int, width: int) -> int:
        """How often the pictures are halved; 0 for too few of them."""
        raise NotImplementedError

    def of_edit(self, state: Rows) -> OfEdit:
        """The numbers of a state of one edit."""
        source, edited = state.column("source"), state.column("edited")
        pictures, width = source.shape
        return OfEdit(pictures, width, self.compared(source, edited))

    def halves_of_edit(self, state: Rows, seed: int) -> np.ndarray | None:
        """(S,) the value on random halves of the samples of a state of one edit; None for too few of them,
        (0,) where the edit has no number and the mean over edits is without it."""
        samples, source, edited = (state.column(name) for name in ("sample", "source", "edited"))
        count = self.how_many_halves(*source.shape)
        halves = random_halves(samples, count, seed)
        return np.array([self.distance(source[half], edited[half]) for half in halves]) if count else None

    # -- over edits

    def over_edits(self, each: Sequence[OfEdit]) -> dict[str, float | Undefined]:
        """What the edits' numbers make together."""
        raise NotImplementedError

    def bounds(self, value: float, halves: np.ndarray) -> Bounds:
        """How far the value moves between random halves of the samples, moved to sit about the value itself.

        Not a confidence interval: it shows the variance (that of halves drawn without replacement is that of
        the whole, the delete-half jackknife) and nothing of the bias that a small number of samples brings.
        A bootstrap would repeat samples, lower the rank and inflate a distance.
        """
        return about(value, halves)

    # -- of a state of any edits

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        return self.over_edits([self.of_edit(part) for part in state.of_edits()])

    def halves(self, state: Rows, seed: int) -> np.ndarray | None:
        """(S,) the value on random halves of the samples; None for too few. As many samples and the same seed
        give the same halves, so two methods may be compared on them."""
        return mean_of_halves([self.halves_of_edit(part, seed) for part in state.of_edits()])

    def spread(self, state: Rows, seed: int) -> dict[str, Bounds | None]:
        """`bounds` of the value."""
        moved = self.halves(state, seed)
        value = None if moved is None else self.finish(state)[self.name]
        return {
            self.name: self.bounds(value, moved) if isinstance(value, float) and moved is not None else None
        }

    def about(self, value: float, halves: np.ndarray) -> Bounds:
        """A spread for `value`, the difference of two methods', from the differences on the same halves."""
        return about(value, halves)

    def spread_kind(self) -> str:
        return "spread between random halves of the samples, not a confidence interval"


def mean_of_halves(each: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """(S,) means over edits of the values on their halves; None if an edit has too few samples.

    An edit that has no number, which its halves (0,) say, does not count.
    """
    found = [halves for halves in each if halves is not None]
    counted = [halves for halves in found if len(halves)]
    if len(found) < len(each) or not counted:
        return None
    return np.array([exact_mean(of_half) for of_half in np.stack(counted, axis=1)])


def random_halves(samples: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """`count` times which rows (N,) bool belong to a random half; the same seed gives the same halves."""
    generator = np.random.default_rng(seed)
    there = np.unique(samples)
    for _ in range(count):
        yield np.isin(samples, generator.permutation(there)[: len(there) // 2])
