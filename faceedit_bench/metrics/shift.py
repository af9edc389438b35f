"""Which way an edit moves the attributes that it was not asked for, and how far.

    S[a,b] = mean_i ( p_b(edited_i) − p_b(source_i) ) · (±1: a is switched on or off)

p_b: the judge's probability of attribute b.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import known, probabilities
from .leakage import columns_of, free_attributes
from .states import Rows, edit_means, mean_over, place

if TYPE_CHECKING:
    from ..contracts import EditBatch, Observation

MOVED = "moved/"  # prefix of the columns of single attributes


def moves(seen: Observation) -> np.ndarray:
    """(B, A) float64: change of the judge's probabilities from source to edited picture."""
    return probabilities(seen, "edited").astype(np.float64) - probabilities(seen, "source")


def way(batch: EditBatch) -> np.ndarray:
    """(B,) 1 where one attribute is switched on, −1 where it is switched off; NaN for none or several."""
    edited, target = batch.edited.cpu().numpy().astype(bool), batch.target.cpu().numpy() > 0.5
    return np.where(edited.sum(axis=1) == 1, np.where((edited & target).any(axis=1), 1.0, -1.0), np.nan)


class Shift:
    """How far the judge's probabilities moved, in [0, 1].

    shift              of the attributes that were to stay, to either side: mean over them and over faces
    shift/<attribute>  one row of the matrix S, signed: above 0 it comes with the edited attribute, below 0
                       it goes; of edits of one attribute, left out where several edits are averaged
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        moved, free = moves(seen), free_attributes(seen.batch) & known(seen)
        columns = columns_of(way(seen.batch)[:, None] * moved, seen, MOVED)
        state.append(**place(seen), distance=mean_over(np.abs(moved), free), **columns)

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        distance = {"shift": state.column("distance")}
        if len(np.unique(state.column("edit"))) > 1:
            return distance
        columns = [name for name in state.names if name.startswith(MOVED)]
        return distance | {f"shift/{name.removeprefix(MOVED)}": state.column(name) for name in columns}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        nothing = Undefined("the attributes judge knows no attribute that was to stay")
        return {"shift": nothing, **edit_means(self.per_sample(state), state.column("edit"))}
