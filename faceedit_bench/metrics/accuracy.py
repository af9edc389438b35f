"""Attribute editing accuracy and preservation error, as CooGAN, STGAN and AttGAN print them.

    accuracy_a = 100 · mean_i 1[ c_a(x_i^(a)) = t_{i,a} ]                 c: the judge's decision
    err_a      = 100 · mean_i mean_{b≠a} 1[ c_b(x_i^(a)) ≠ y_{i,b} ]      y: the labels before the edit

Two things of the suite change these numbers a lot and belong to them: the strength of its edits (STGAN's
printed accuracies double the flipped component) and its conflict rule (setting a hair colour clears the
others). With strength 1 and no rule, accuracy is TARR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .answers import decisions
from .states import Rows, edit_means, place
from .tarr import hits, refuse_unequal

if TYPE_CHECKING:
    from ..contracts import Observation


def error_share(decided: np.ndarray, labels: np.ndarray, edited: np.ndarray) -> np.ndarray:
    """(B,) share of the attributes that were not edited whose decision is not the label; all (B, A) bool.

    NaN where every attribute was edited.
    """
    others = ~edited
    count = others.sum(axis=1)
    return ((decided != labels) & others).sum(axis=1) / np.where(count, count, np.nan)


class Accuracy:
    """Percent, per edit and averaged over edits.

    accuracy             the judge sees every attribute that was asked for
    accuracy.err         of the other attributes, those that it does not see as labelled before the edit, also
                         where the conflict rule changed them: STGAN's "Err"
    accuracy.err_target  the same against the labels that the conflict rule asks for
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        batch, after = seen.batch, decisions(seen, "edited")  # (B, A)
        edited = batch.edited.cpu().numpy().astype(bool)
        labels, target = (part.cpu().numpy() > 0.5 for part in (batch.source, batch.target))
        state.append(
            **place(seen),
            hit=hits(after, target, edited),
            err=error_share(after, labels, edited),
            err_target=error_share(after, target, edited),
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {
            "accuracy": 100.0 * state.column("hit"),
            "accuracy.err": 100.0 * state.column("err"),
            "accuracy.err_target": 100.0 * state.column("err_target"),
        }

    def finish(self, state: Rows) -> dict[str, float]:
        refuse_unequal(state.column("edit"))
        return edit_means(self.per_sample(state), state.column("edit"))

    def is_rate(self, key: str) -> bool:
        """Only accuracy is a share of faces; an error is a share of a face's attributes."""
        return key == "accuracy"
