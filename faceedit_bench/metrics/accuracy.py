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

from ..contracts import Undefined
from .answers import decisions, known, unknown
from .states import Rows, edit_means, mean_over, place
from .tarr import hits, refuse_unequal

if TYPE_CHECKING:
    from ..contracts import Observation


def error_share(decided: np.ndarray, labels: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """(B,) share of the attributes that were not left out whose decision is not the label; all (B, A) bool.

    NaN where every attribute was left out.
    """
    return mean_over(decided != labels, ~left_out)


class Accuracy:
    """Percent of edits of which the judge sees every attribute that was asked for, per edit and averaged."""

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        edited = seen.batch.edited.cpu().numpy().astype(bool)
        hit = hits(decisions(seen, "edited"), seen.batch.target.cpu().numpy() > 0.5, edited)
        state.append(**place(seen), hit=np.where((edited & ~known(seen)).any(axis=1), np.nan, hit))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {"accuracy": 100.0 * state.column("hit")}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        refuse_unequal(state.column("edit"))
        return {"accuracy": unknown("attributes"), **edit_means(self.per_sample(state), state.column("edit"))}

    def is_rate(self, key: str) -> bool:
        """A share of faces."""
        return True


class PreservationError:
    """Percent, per edit and averaged over edits.

    err_stgan         of the attributes that were not asked for, those that the judge does not see as labelled
                      before the edit, also where the conflict rule changed them: STGAN's "Err"
    err_stgan.target  the same against the labels that the conflict rule asks for
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        batch, after = seen.batch, decisions(seen, "edited")  # (B, A)
        left_out = batch.edited.cpu().numpy().astype(bool) | ~known(seen)
        labels, target = (part.cpu().numpy() > 0.5 for part in (batch.source, batch.target))
        state.append(
            **place(seen),
            err=error_share(after, labels, left_out),
            err_target=error_share(after, target, left_out),
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {
            "err_stgan": 100.0 * state.column("err"),
            "err_stgan.target": 100.0 * state.column("err_target"),
        }

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        refuse_unequal(state.column("edit"))
        nothing = Undefined("the attributes judge knows no attribute beside those that were asked for")
        return {"err_stgan": nothing, **edit_means(self.per_sample(state), state.column("edit"))}
