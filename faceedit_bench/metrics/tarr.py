"""TARR, target attribute recognition rate: how often the judge sees what was asked for.

SeCGAN (Sun et al., "SeCGAN: Parallel Conditional Generative Adversarial Networks for Face Editing via
Semantic Consistency"), section 4.4: reverse one label per translation, ask an external classifier, average
over attributes. Floor and ceiling are the rows of the methods `copy` and `truth`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ResultsError
from .answers import decisions, known, unknown
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from ..contracts import Observation, Undefined

SEVERAL, ALREADY, UNKNOWN = -1, -2, -3
"""In place of a label: several attributes are asked; they are so already; the judge does not know one."""
UNEQUAL = 0.005  # edits may differ in number of samples by this share before their mean is refused


def hits(decided: np.ndarray, wanted: np.ndarray, edited: np.ndarray) -> np.ndarray:
    """(B,) bool: every edited attribute is decided as wanted. All arguments (B, A) bool."""
    return ((decided == wanted) | ~edited).all(axis=1)


class Tarr:
    """Percent of edits that the attributes judge recognises, per edit and averaged over edits.

    tarr         decision on the edited picture = the label asked for
    tarr.flip    decision on the edited picture ≠ decision on the source (free of label noise)
    tarr.add     tarr where the attribute was absent;  tarr.remove: where it was present
                 (left out where there is no such sample, and for edits of several attributes)

    Faces whose labels are what an edit sets already count in none of them: there is nothing to recognise.
    An edit that asks for what the judge does not know is undefined; the mean over edits is over the others.
    `tarr_second` and so on are the same numbers by another judge.
    """

    def __init__(self, name: str = "tarr", role: str = "attributes") -> None:
        self.name, self.role = name, role

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        before, after = (decisions(seen, image, self.role) for image in ("source", "edited"))  # (B, A)
        edited = seen.batch.edited.cpu().numpy().astype(bool)
        labels = seen.batch.source.cpu().numpy() > 0.5
        wanted = seen.batch.target.cpu().numpy() > 0.5
        changed = (edited & (labels != wanted)).any(axis=1)
        alone = edited.sum(axis=1) == 1
        label = np.where(changed, np.where(alone, (labels & edited).any(axis=1), SEVERAL), ALREADY)
        label = np.where((edited & ~known(seen, self.role)).any(axis=1), UNKNOWN, label)
        state.append(
            **place(seen),
            hit=hits(after, wanted, edited),
            flip=hits(after, ~before, edited),
            label=label.astype(np.int8),
        )

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        label = state.column("label")
        nothing = (label == ALREADY) | (label == UNKNOWN)
        hit = np.where(nothing, np.nan, 100.0 * state.column("hit"))
        return {
            self.name: hit,
            f"{self.name}.flip": np.where(nothing, np.nan, 100.0 * state.column("flip")),
            f"{self.name}.add": np.where(label == 0, hit, np.nan),
            f"{self.name}.remove": np.where(label == 1, hit, np.nan),
        }

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        refuse_unequal(state.column("edit"))
        if (state.column("label") == UNKNOWN).all():
            return {self.name: unknown(self.role)}
        return {**edit_means(self.per_sample(state), state.column("edit"))}

    def is_rate(self, key: str) -> bool:
        """Every figure is a share of successes."""
        return True


def refuse_unequal(edits: np.ndarray) -> None:
    """A mean over edits that were not tried on the same faces is not TARR."""
    numbers, counts = np.unique(edits, return_counts=True)
    if counts.max() - counts.min() > UNEQUAL * counts.max():
        few, many = numbers[counts.argmin()], numbers[counts.argmax()]
        raise ResultsError(
            f"edit {few} has {counts.min()} samples and edit {many} has {counts.max()}; "
            "TARR averages edits of the same faces: finish the run, or score the edits apart"
        )
