"""Fréchet distance of edited pictures to real pictures that have what the edit asks for.

    FD_a = mean over v of FD({edited_i : asked to become v}, {source_j : y_j = v})

v: the values that edit a asks for, two where it reverses an attribute; y: labels before the edit. Unlike
`ssfid`, no edited picture is compared with its own source, so a copy does not score 0: faces without glasses
are not distributed as faces with them. Ours, beside SeCGAN's 4.4; real faces with the attribute differ in
more than the attribute, so an exact edit does not score 0 either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import answers
from .both_pictures import BothPictures, OfEdit, random_halves
from .frechet import FEW_HALVES, HALVES, frechet_distance
from .states import Rows, exact_mean, place

if TYPE_CHECKING:
    from ..contracts import Observation
    from .intervals import Bounds

SMALLEST = 1000  # pictures on either side below which a distance is refused

Pair = tuple[np.ndarray, np.ndarray]  # (N1,) bool real pictures of one value; (N2,) bool edits towards it


class FrechetTarget(BothPictures):
    """Per edit, and the mean over the edits that have a number.

    <name>                  mean over the values that an edit asks for. Refused where fewer than 1,000 real
                            pictures have one of them, or fewer than 1,000 faces were to get it: CelebA has
                            few that are Bald
    <name>.rank_deficient   1 where a side has no more pictures than features, as beside `ssfid`
    <name>.edits            how many edits the mean is over

    Faces that have what an edit sets already are real pictures only.
    """

    def __init__(self, name: str, role: str) -> None:
        self.name, self.role = name, role

    def update(self, state: Rows, seen: Observation) -> None:
        edited = seen.batch.edited.cpu().numpy().astype(bool)
        labels, wanted = (part.cpu().numpy() > 0.5 for part in (seen.batch.source, seen.batch.target))
        state.append(
            **place(seen),
            source=answers(seen, self.role, "source"),
            edited=answers(seen, self.role, "edited"),
            has=_value(labels & edited),
            wants=_value(wanted & edited),
        )

    def distance(self, source: np.ndarray, edited: np.ndarray) -> float:
        return frechet_distance(edited, source)

    def of_edit(self, state: Rows) -> OfEdit:
        pairs, source, edited = list(pairs_of(state)), state.column("source"), state.column("edited")
        fewest = smallest_side(pairs)
        numbers = {self.name: self._mean(source, edited, pairs)} if fewest >= SMALLEST else {}
        return OfEdit(fewest, source.shape[1], numbers)

    def halves_of_edit(self, state: Rows, seed: int) -> np.ndarray | None:
        """Every edit of a run is halved as often; one without a number adds nothing."""
        pairs = list(pairs_of(state))
        if smallest_side(pairs) < SMALLEST:
            return np.zeros(0)
        samples, source, edited = (state.column(name) for name in ("sample", "source", "edited"))
        count = HALVES if len(samples) <= 2 * source.shape[1] else FEW_HALVES
        halves = random_halves(samples, count, seed)
        return np.array(
            [self._mean(source, edited, [(a & half, b & half) for a, b in pairs]) for half in halves]
        )

    def over_edits(self, each: Sequence[OfEdit]) -> dict[str, float | Undefined]:
        counted = [one for one in each if one.numbers]
        if not counted:
            fewest = max((one.pictures for one in each), default=0)
            return {
                self.name: Undefined(
                    f"wanted at least {SMALLEST} real pictures with what is asked, and as many faces to get "
                    f"it, found {fewest}"
                )
            }
        return {
            self.name: exact_mean(np.array([one.numbers[self.name] for one in counted])),
            f"{self.name}.rank_deficient": float(any(one.pictures <= one.width for one in counted)),
            f"{self.name}.edits": float(len(counted)),
        }

    def bounds(self, value: float, halves: np.ndarray) -> Bounds:
        low, high = super().bounds(value, halves)
        return max(0.0, low), high

    def _mean(self, source: np.ndarray, edited: np.ndarray, pairs: Sequence[Pair]) -> float:
        return exact_mean(np.array([self.distance(source[real], edited[made]) for real, made in pairs]))


def pairs_of(state: Rows) -> Iterator[Pair]:
    """Of each value that an edit asks for, which source pictures have it and which edited ones were to."""
    has, wants = state.column("has"), state.column("wants")
    for value in np.unique(wants[wants != has]):
        yield has == value, (wants == value) & (has != value)


def smallest_side(pairs: Sequence[Pair]) -> int:
    """Pictures on the smallest side; 0 where no value is asked for."""
    return min((int(side.sum()) for pair in pairs for side in pair), default=0)


def _value(chosen: np.ndarray) -> np.ndarray:
    """(B,) int64: one number for each combination of (B, A) bool."""
    return (chosen.astype(np.int64) << np.arange(chosen.shape[1])).sum(axis=1)
