"""Leakage: how often an edit changed attributes that it should have left alone.

    F[a,b] = mean_i 1[ c_b(edited_i) ≠ c_b(source_i) ]          leakage_a = mean_{b≠a} F[a,b]

c: the judge's decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .answers import decisions, known
from .states import Rows, edit_means, mean_over, place

if TYPE_CHECKING:
    from ..contracts import EditBatch, Observation

Columns = dict[str, np.ndarray]

FLIPPED = "flipped/"  # prefix of the columns that say whether the judge's decision on an attribute changed


def flips(seen: Observation, role: str = "attributes") -> np.ndarray:
    """(B, A) bool: where the judge's decision changed from source to edited picture; of attributes that it
    does not know, nowhere."""
    return (decisions(seen, "source", role) != decisions(seen, "edited", role)) & known(seen, role)


def columns_of(values: np.ndarray, seen: Observation, prefix: str, role: str = "attributes") -> Columns:
    """Values (B, A) as one column (B,) for each attribute that the judge knows."""
    names = known(seen, role)
    return {prefix + name: values[:, i] for i, name in enumerate(seen.batch.attributes) if names[i]}


def free_attributes(batch: EditBatch) -> np.ndarray:
    """(B, A) bool: what was to stay: neither edited nor cleared by the conflict rule."""
    return ((batch.target == batch.source) & ~batch.edited.bool()).cpu().numpy()


class Leakage:
    """Percent of decisions of the attributes judge that changed from source to edited picture.

    leakage              mean over the attributes that were to stay: not edited, and not cleared by the
                         conflict rule (a face that turns bald loses its hair colour; that is no leakage)
    leakage/<attribute>  one row of the matrix F: how often this edit changed that attribute, all samples,
                         the edited attribute included; left out where several edits are averaged

    Attributes that the judge does not know count nowhere. Judge is compared with judge, so label noise does
    not enter; a judge's own coupling of attributes does. `leakage_second` are the numbers of another judge.
    """

    def __init__(self, name: str = "leakage", role: str = "attributes") -> None:
        self.name, self.role = name, role

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        flipped = flips(seen, self.role)
        free = free_attributes(seen.batch) & known(seen, self.role)
        columns = columns_of(flipped, seen, FLIPPED, self.role)
        state.append(**place(seen), leaked=mean_over(flipped, free), **columns)

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        shares = {self.name: 100.0 * state.column("leaked")}
        if len(np.unique(state.column("edit"))) > 1:
            return shares
        matrix_row = {
            f"{self.name}/{name.removeprefix(FLIPPED)}": 100.0 * state.column(name)
            for name in state.names
            if name.startswith(FLIPPED)
        }
        return {**shares, **matrix_row}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))

    def is_rate(self, key: str) -> bool:
        """Matrix entries are shares of faces; their mean over attributes is not."""
        return "/" in key
