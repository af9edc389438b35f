"""ID: is it still the same person? Cosine similarity of face embeddings before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .answers import answers
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from ..contracts import Observation


def cosine_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(B,) cosines of the rows of two (B, D) arrays, float64; 0 where an embedding is all zero."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    length = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(length > 0, length, 1.0)


class Identity:
    """Mean cosine similarity of the identity judge's embeddings of source and edited picture, at best 1."""

    def __init__(self, name: str = "id", role: str = "identity") -> None:
        self.name, self.role = name, role

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        before, after = answers(seen, self.role, "source"), answers(seen, self.role, "edited")
        state.append(**place(seen), cosine=cosine_similarity(before, after))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return {self.name: state.column("cosine")}

    def finish(self, state: Rows) -> dict[str, float]:
        return edit_means(self.per_sample(state), state.column("edit"))
