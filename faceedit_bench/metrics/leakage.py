"""Leakage: how often an edit changed attributes that it should have left alone.

    F[a,b] = mean_i 1[ c_b(edited_i) ≠ c_b(source_i) ]          R[b]: the same of the reconstruction
    leakage_a = mean_{b≠a} F[a,b]                               leakage_excess_a = mean_{b≠a} (F[a,b] − R[b])

c: the judge's decision. A method that cannot reproduce a face changes decisions before it edits anything; the
excess is what its edits add to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import decisions, known
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from ..contracts import EditBatch, Observation

FLIPPED = "flipped/"  # prefix of the columns that say whether the judge's decision on an attribute changed
NOISE = "reconstruction/"  # before that, of the reconstruction's


def leaked_share(flipped: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(B,) share of the free attributes whose decision changed, NaN where none is free; both (B, A) bool."""
    count = free.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (flipped & free).sum(axis=1) / np.where(count, count, np.nan)


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
        batch = seen.batch
        flipped = decisions(seen, "source", self.role) != decisions(seen, "edited", self.role)  # (B, A)
        names = known(seen, self.role)
        free = free_attributes(batch) & names
        columns = {FLIPPED + name: flipped[:, i] for i, name in enumerate(batch.attributes) if names[i]}
        state.append(**place(seen), leaked=leaked_share(flipped, free), **columns)

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


class LeakageExcess:
    """Percent, of the decisions on attributes that were to stay; 0 for the reconstruction itself.

    leakage_excess                  leakage less that of the reconstruction, face by face; below 0 where
                                    the edited pictures are nearer the source than the reconstruction
    leakage_excess.reconstruction   what was subtracted: how often the reconstruction changed these decisions
    leakage_excess/<attribute>      one row of F − R, all samples; left out where several edits are averaged

    Undefined in a suite that asks for no reconstruction.
    """

    name = "leakage_excess"

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        names = known(seen)
        flipped = decisions(seen, "source") != decisions(seen, "edited")  # (B, A)
        columns = {FLIPPED + name: flipped[:, i] for i, name in enumerate(seen.batch.attributes) if names[i]}
        state.append(**place(seen), free=free_attributes(seen.batch)[:, names], **columns)

    def beside(self, state: Rows, reconstruction: Rows) -> Rows:
        """The state with what the reconstruction of the same faces changed."""
        samples, wanted = reconstruction.column("sample"), state.column("sample")
        order = np.argsort(samples)
        rows = order[np.searchsorted(samples, wanted, sorter=order)]
        assert np.array_equal(samples[rows], wanted), "every edit of a run scores the same faces"
        noise = {
            NOISE + name: reconstruction.column(name)[rows]
            for name in reconstruction.names
            if name.startswith(FLIPPED)
        }
        return Rows.from_arrays({**state.to_arrays(), **noise})

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        names = [name for name in state.names if name.startswith(FLIPPED)]
        if not names or NOISE + names[0] not in state.names:
            return {}
        free = state.column("free")
        flipped, noise = (
            np.stack([state.column(prefix + name) for name in names], axis=1) for prefix in ("", NOISE)
        )
        subtracted = leaked_share(noise, free)
        shares = {
            self.name: 100.0 * (leaked_share(flipped, free) - subtracted),
            f"{self.name}.reconstruction": 100.0 * subtracted,
        }
        if len(np.unique(state.column("edit"))) > 1:
            return shares
        rows = 100.0 * (flipped.astype(np.float64) - noise)
        return shares | {
            f"{self.name}/{name.removeprefix(FLIPPED)}": rows[:, i] for i, name in enumerate(names)
        }

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        nothing = Undefined("the suite asks for no reconstruction, or its judge knows no attribute to stay")
        return {self.name: nothing, **edit_means(self.per_sample(state), state.column("edit"))}
