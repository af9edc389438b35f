"""TARR between what a judge's mistakes give for nothing and what they take from a perfect edit.

    floor_a      = 100·P(c_a(x) ≠ y_a)                          copying the source scores as much
    ceiling_a    = 100·(p_a·TNR_a + (1 − p_a)·TPR_a)             the exact edit scores as much
    normalised_a = 100·(TARR_a − floor_a) / (ceiling_a − floor_a)

c: the judge's decision on a source picture, y its label, p_a the share of faces that have attribute a, TPR
and TNR how often the judge sees present attributes as present and absent ones as absent. All of it is
counted on the faces of the run. The normalisation is ours; no paper prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import decisions, known
from .of_sums import OfSums, of_edits
from .states import Rows, place
from .tarr import hits, refuse_unequal

if TYPE_CHECKING:
    from ..contracts import Observation

# what a face adds, by its label before the edit: number, hits, hits without an edit
ABSENT, PRESENT = slice(0, 3), slice(3, 6)


class NormalisedTarr(OfSums):
    """Percent, of edits that reverse one attribute; per edit, and the mean over those edits.

    tarr_normalised            0: no better than copying, 100: as the exact edit. More than 100 says that the
                               method deceives the judge
    tarr_normalised.floor, .ceiling   the two ends, which stand for any method
    tarr_normalised.balanced   mean of the hit rates where the attribute was absent and where it was present:
                               of rare attributes, TARR is nearly the first alone
    """

    name = "tarr_normalised"

    def update(self, state: Rows, seen: Observation) -> None:
        edited = seen.batch.edited.cpu().numpy().astype(bool)
        labels, wanted = (part.cpu().numpy() > 0.5 for part in (seen.batch.source, seen.batch.target))
        alone = (edited.sum(axis=1) == 1) & (edited & (labels != wanted) & known(seen)).any(axis=1)
        state.append(
            **place(seen),
            counts=alone,
            present=(labels & edited).any(axis=1),
            hit=hits(decisions(seen, "edited"), wanted, edited),
            free=hits(decisions(seen, "source"), wanted, edited),
        )

    def sums(self, state: Rows) -> np.ndarray:
        counts, present, hit, free = (state.column(name) for name in ("counts", "present", "hit", "free"))
        rows = np.zeros((len(counts), 6))
        rows[:, ABSENT] = np.where(present, 0, [np.ones(len(hit)), hit, free]).T
        rows[:, PRESENT] = np.where(present, [np.ones(len(hit)), hit, free], 0).T
        return np.where(counts[:, None], rows, np.nan)

    def made(self, sums: np.ndarray) -> np.ndarray:
        numbers = figures(sums)
        room = numbers["ceiling"] - numbers["floor"]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(room > 0, 100.0 * (numbers["tarr"] - numbers["floor"]) / room, np.nan)

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        refuse_unequal(state.column("edit"))
        sums = of_edits(self.sums(state), state.column("edit"))
        whole = ~np.isnan(self.made(sums))
        if not whole.any():
            return {
                self.name: Undefined(
                    "wanted edits that reverse one attribute which the judge knows, of faces with and "
                    "without it, and a judge that is right more often than wrong"
                )
            }
        numbers = figures(sums[whole])
        beside = {
            f"{self.name}.{key}": float(numbers[key].mean()) for key in ("floor", "ceiling", "balanced")
        }
        return {self.name: self.value(state), **beside}


def figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Percent, each (...), from sums (..., 6); NaN where no face was without, or with, the attribute."""
    absent, present = sums[..., ABSENT], sums[..., PRESENT]
    number = absent[..., 0] + present[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        add, remove = (100.0 * part[..., 1] / part[..., 0] for part in (absent, present))
        wrong_absent, wrong_present = (100.0 * part[..., 2] / part[..., 0] for part in (absent, present))
        share = present[..., 0] / number
        return {
            "tarr": share * remove + (1 - share) * add,
            "floor": share * wrong_present + (1 - share) * wrong_absent,
            "ceiling": share * (100 - wrong_absent) + (1 - share) * (100 - wrong_present),
            "balanced": (add + remove) / 2,
        }
