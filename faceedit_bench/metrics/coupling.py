"""Leakage that the data's own couplings do not explain, and those couplings.

In CelebA's labels a moustache goes with Male and No_Beard, and a judge that learned from them sees it so:

    leakage_normalised_a = Σ_b (1 − |r_ab|)·F[a,b] / Σ_b (1 − |r_ab|)     b: attributes that were to stay

F[a,b]: share of faces of which edit a changed the judge's decision on b. r_ab: correlation of the labels over
the faces of the run, so that what the data couple fully counts nothing. The weights are ours; no paper prints
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import known
from .leakage import columns_of, flips, free_attributes
from .of_sums import Ratio, WithRatios
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from ..contracts import Observation


def correlations(labels: np.ndarray) -> np.ndarray:
    """(A, A) correlations of labels (N, A) in {0, 1}; 0 for a label that never changes."""
    centred = labels - labels.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(length > 0, length, 1)
    return unit.T @ unit


LABEL = "label/"  # prefix of the columns of single attributes


class NormalisedLeakage(WithRatios):
    """Percent, per edit and averaged over edits.

    leakage_normalised               leakage in which attributes count the less, the more the labels of this
                                     run's faces couple them with what was edited
    leakage_normalised.selectivity   of all decisions that changed, the share that was asked for
    leakage_normalised.coupling/<attribute>   100·r of these labels with those of the edited attribute, to
                                     stand next to its row of leakage; of edits of one attribute, left out
                                     where several edits are averaged and where a label never changes
    """

    def __init__(self) -> None:
        self.ratios = (Ratio("leakage_normalised.selectivity", asked_and_changed),)

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        batch = seen.batch
        labels = batch.source.cpu().numpy() > 0.5
        state.append(
            **place(seen),
            labels=labels,
            edited=batch.edited.cpu().numpy().astype(bool),
            flipped=flips(seen),
            free=free_attributes(batch) & known(seen),
            **columns_of(labels, seen, LABEL),
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        edited, flipped, free = (state.column(name) for name in ("edited", "flipped", "free"))
        _, first = np.unique(state.column("sample"), return_index=True)
        coupled = np.abs(correlations(state.column("labels")[first].astype(np.float64)))
        # (N, A): 1 − the strongest coupling with what the edit asks for
        weights = free * (1 - np.where(edited[:, :, None], coupled, 0).max(axis=1))
        total = weights.sum(axis=1)
        leaked = (weights * flipped).sum(axis=1) / np.where(total > 0, total, np.nan)
        return {"leakage_normalised": 100.0 * leaked}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        nothing = Undefined("the attributes judge knows no attribute that was to stay")
        return {
            "leakage_normalised": nothing,
            **edit_means(self.per_sample(state), state.column("edit")),
            **self.ratios_of(state),
            **couplings(state),
        }


def asked_and_changed(state: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Decisions that changed and were to, in percent, and all that changed; (N,) each."""
    flipped = state.column("flipped")
    return 100 * (flipped & state.column("edited")).sum(axis=1), flipped.sum(axis=1)


def couplings(state: Rows) -> dict[str, float]:
    """One row of the labels' correlations, in percent: with those of the one attribute of an edit."""
    edited = state.column("edited")
    if len(np.unique(state.column("edit"))) > 1 or (edited.sum(axis=1) != 1).any():
        return {}
    names = [name for name in state.names if name.startswith(LABEL)]
    own = (state.column("labels") & edited).any(axis=1)
    labels = np.stack([own, *(state.column(name) for name in names)], axis=1).astype(np.float64)
    changes = labels.std(axis=0) > 0
    return {
        f"leakage_normalised.coupling/{name.removeprefix(LABEL)}": 100.0 * float(r)
        for name, r, both in zip(names, correlations(labels)[0, 1:], changes[0] & changes[1:], strict=True)
        if both
    }
