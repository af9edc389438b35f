"""How an edit moves attributes that it was not asked for: weighted by the data's own couplings, and signed.

In CelebA's labels a moustache goes with Male and No_Beard, and a judge that learned from them sees it so. Two
figures say more than plain leakage:

    leakage_normalised_a = Σ_b (1 − |r_ab|)·F[a,b] / Σ_b (1 − |r_ab|)     b: attributes that were to stay
    S[a,b] = mean_i ( p_b(edited_i) − p_b(source_i) ) · (±1: a is switched on or off)

F[a,b]: share of faces of which edit a changed the judge's decision on b. r_ab: correlation of the labels over
the faces of the run, so that what the data couple fully counts nothing. p_b: the judge's probability. The
weights are ours; no paper prints them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import decisions, known, probabilities
from .leakage import free_attributes
from .states import Rows, edit_means, exact_mean, place

if TYPE_CHECKING:
    from ..contracts import Observation

MOVED = "moved/"  # prefix of the columns of single attributes


def correlations(labels: np.ndarray) -> np.ndarray:
    """(A, A) absolute correlations of labels (N, A) in {0, 1}; 0 for a label that never changes."""
    centred = labels - labels.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(length > 0, length, 1)
    return np.abs(unit.T @ unit)


class NormalisedLeakage:
    """Percent, per edit and averaged over edits.

    leakage_normalised              leakage in which attributes count the less, the more the labels of this
                                    run's faces couple them with what was edited
    leakage_normalised.selectivity  of all decisions that changed, the share that was asked for
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        batch, names = seen.batch, known(seen)
        state.append(
            **place(seen),
            labels=batch.source.cpu().numpy() > 0.5,
            edited=batch.edited.cpu().numpy().astype(bool),
            flipped=(decisions(seen, "source") != decisions(seen, "edited")) & names,
            free=free_attributes(batch) & names,
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        edited, flipped, free = (state.column(name) for name in ("edited", "flipped", "free"))
        _, first = np.unique(state.column("sample"), return_index=True)
        coupled = correlations(state.column("labels")[first].astype(np.float64))
        # (N, A): 1 − the strongest coupling with what the edit asks for
        weights = free * (1 - np.where(edited[:, :, None], coupled, 0).max(axis=1))
        total = weights.sum(axis=1)
        leaked = (weights * flipped).sum(axis=1) / np.where(total > 0, total, np.nan)
        return {"leakage_normalised": 100.0 * leaked}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        edits = state.column("edit")
        nothing = Undefined("the attributes judge knows no attribute that was to stay")
        shares = [self._selectivity(state, edits == edit) for edit in np.unique(edits)]
        defined = [share for share in shares if share is not None]
        beside = {"leakage_normalised.selectivity": exact_mean(np.array(defined))} if defined else {}
        return {"leakage_normalised": nothing, **edit_means(self.per_sample(state), edits), **beside}

    def _selectivity(self, state: Rows, rows: np.ndarray) -> float | None:
        flipped = state.column("flipped")[rows]
        changed = int(flipped.sum())
        return 100.0 * int((flipped & state.column("edited")[rows]).sum()) / changed if changed else None


class Shift:
    """How far the judge's probabilities moved, in [0, 1].

    shift              of the attributes that were to stay, to either side: mean over them and over faces
    shift/<attribute>  one row of the matrix S, signed: above 0 it comes with the edited attribute, below 0
                       it goes; of edits of one attribute, left out where several edits are averaged
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        batch, names = seen.batch, known(seen)
        moved = probabilities(seen, "edited").astype(np.float64) - probabilities(seen, "source")  # (B, A)
        edited, target = batch.edited.cpu().numpy().astype(bool), batch.target.cpu().numpy() > 0.5
        free = free_attributes(batch) & names
        count = free.sum(axis=1)
        way = np.where(edited.sum(axis=1) == 1, np.where((edited & target).any(axis=1), 1.0, -1.0), np.nan)
        columns = {MOVED + name: way * moved[:, i] for i, name in enumerate(batch.attributes) if names[i]}
        state.append(
            **place(seen),
            distance=np.where(free, np.abs(moved), 0).sum(axis=1) / np.where(count, count, np.nan),
            **columns,
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        distance = {"shift": state.column("distance")}
        if len(np.unique(state.column("edit"))) > 1:
            return distance
        columns = [name for name in state.names if name.startswith(MOVED)]
        return distance | {f"shift/{name.removeprefix(MOVED)}": state.column(name) for name in columns}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        nothing = Undefined("the attributes judge knows no attribute that was to stay")
        return {"shift": nothing, **edit_means(self.per_sample(state), state.column("edit"))}
