"""LPIPS 0.1 (Zhang et al., "The Unreasonable Effectiveness of Deep Features", 2018) of a reconstruction.

    d(x, x₀) = Σ_l 1/(H_l·W_l) Σ_{h,w} ‖ w_l ⊙ (ŷ_{hw}^l − ŷ_{0hw}^l) ‖²     (equation 1)

with features ŷ of layer l of unit length over channels and learned weights w_l ≥ 0. The judge computes it;
AlexNet's and VGG's are two metrics. On edited pictures it would reward doing nothing, so only the
reconstruction is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .answers import comparisons
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from ..contracts import Observation


class Lpips:
    """Mean over pictures of the distance to the source; 0 for identical pictures."""

    def __init__(self, name: str, role: str) -> None:
        self.name, self.role = name, role

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        state.append(**place(seen), distance=comparisons(seen, self.role, "source")[:, 0].astype(np.float64))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {self.name: state.column("distance")}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))
