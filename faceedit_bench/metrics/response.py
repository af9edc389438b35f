"""Response: how far an edit moved what was asked, in the eyes of the attributes judge.

Identity is kept by editing little. Beside the response, ID of two methods can be compared at equal effect,
whatever scale their strengths have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Undefined
from .answers import probabilities
from .states import Rows, edit_means, mean_over, place

if TYPE_CHECKING:
    from ..contracts import Observation


def moved(before: np.ndarray, after: np.ndarray, target: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(B,) mean over the asked attributes of the change of probability towards the target, in [−1, 1].

    NaN where nothing is asked. All arguments (B, A): probabilities, probabilities, {0, 1}, bool.
    """
    return mean_over((after.astype(np.float64) - before) * (2 * target - 1), asked)


class Response:
    """Mean change of the judge's probability of what was asked, over faces whose label was the other one.

    1: every face was surely without it and is surely with it. 0: nothing happened. Below 0: the wrong way.
    """

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        batch = seen.batch
        target, source = batch.target.cpu().numpy(), batch.source.cpu().numpy()
        asked = batch.edited.cpu().numpy().astype(bool) & (target != source)
        before, after = probabilities(seen, "source"), probabilities(seen, "edited")
        state.append(**place(seen), moved=moved(before, after, target, asked))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {"response": state.column("moved")}

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        nothing = Undefined("no face was asked for a change that the attributes judge knows")
        return {"response": nothing, **edit_means(self.per_sample(state), state.column("edit"))}
