"""What an edit adds to what the method's reconstruction does to the same face already.

A method that cannot reproduce a face moves the judge before it edits anything. With F and S the matrices of
`leakage` and `shift`, and R the same of the reconstruction,

    leakage_excess_a = mean_{b≠a} (F[a,b] − R[b])
    shift_excess_a   = mean_{b≠a} mean_i ( |p_b(edited_i) − p_b(source_i)| − |p_b(again_i) − p_b(source_i)| )

b: attributes that were to stay; p: the judge's probability; again: the reconstruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..contracts import Undefined
from .answers import known
from .leakage import FLIPPED, Columns, columns_of, flips, free_attributes
from .shift import MOVED, moves, way
from .states import Rows, beside, edit_means, mean_over, place

if TYPE_CHECKING:
    from ..contracts import Observation

NOISE = "reconstruction/"  # before a column's name: that of the reconstruction


class Excess:
    """A number for each attribute of a picture, less that of the reconstruction of the same face.

    Undefined in a suite that asks for no reconstruction.
    """

    name: str
    prefix: str  # of the columns, one for each attribute
    scale: ClassVar[float] = 1.0

    def measured(self, seen: Observation) -> tuple[np.ndarray, Columns]:
        """(B, A) what is measured of each attribute, and further columns."""
        raise NotImplementedError

    def signs(self, state: Rows) -> np.ndarray:
        """(N,) with which a row of the matrix counts."""
        return np.ones(len(state))

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        values, further = self.measured(seen)
        state.append(
            **place(seen),
            free=free_attributes(seen.batch)[:, known(seen)],
            **further,
            **columns_of(values, seen, self.prefix),
        )

    def beside(self, state: Rows, reconstruction: Rows) -> Rows:
        """The state with what the reconstruction of the same faces changed."""
        return beside(state, reconstruction, self._columns(reconstruction), NOISE)

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        names = self._columns(state)
        if not names or NOISE + names[0] not in state.names:
            return {}
        free = state.column("free")
        values, noise = (
            np.stack([state.column(prefix + name) for name in names], axis=1).astype(np.float64)
            for prefix in ("", NOISE)
        )
        subtracted = mean_over(np.abs(noise), free)
        means = {
            self.name: self.scale * (mean_over(np.abs(values), free) - subtracted),
            f"{self.name}.reconstruction": self.scale * subtracted,
        }
        if len(np.unique(state.column("edit"))) > 1:
            return means
        row = self.scale * self.signs(state)[:, None] * (values - noise)
        return means | {
            f"{self.name}/{name.removeprefix(self.prefix)}": row[:, i] for i, name in enumerate(names)
        }

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        nothing = Undefined("the suite asks for no reconstruction, or its judge knows no attribute to stay")
        return {self.name: nothing, **edit_means(self.per_sample(state), state.column("edit"))}

    def _columns(self, state: Rows) -> list[str]:
        return [name for name in state.names if name.startswith(self.prefix)]


class LeakageExcess(Excess):
    """Percent, of the decisions on attributes that were to stay; 0 for the reconstruction itself.

    leakage_excess                  leakage less that of the reconstruction, face by face; below 0 where
                                    the edited pictures are nearer the source than the reconstruction
    leakage_excess.reconstruction   what was subtracted: how often the reconstruction changed these decisions
    leakage_excess/<attribute>      one row of F − R, all samples; left out where several edits are averaged
    """

    name, prefix, scale = "leakage_excess", FLIPPED, 100.0

    def measured(self, seen: Observation) -> tuple[np.ndarray, Columns]:
        return flips(seen), {}


class ShiftExcess(Excess):
    """How much further than the reconstruction's the judge's probabilities moved, in [−1, 1].

    shift_excess                  shift less that of the reconstruction, face by face
    shift_excess.reconstruction   what was subtracted
    shift_excess/<attribute>      one row of S − R, signed as `shift/<attribute>` is: from the reconstruction
                                  to the edited picture; of edits of one attribute, left out where several
                                  edits are averaged
    """

    name, prefix = "shift_excess", MOVED

    def measured(self, seen: Observation) -> tuple[np.ndarray, Columns]:
        return moves(seen), {"way": way(seen.batch)}

    def signs(self, state: Rows) -> np.ndarray:
        return state.column("way")
