"""ID: is it still the same person? Cosine similarity of face embeddings before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contracts import LANDMARKS, Undefined
from .answers import answers
from .states import Rows, edit_means, place

if TYPE_CHECKING:
    from ..contracts import Observation


SURE = 0.8  # a finder's confidence from which on there is a face: facexlib's threshold


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


def _found(answered: np.ndarray) -> np.ndarray:
    """(B,) bool: where a finder is sure enough, and its five points do not all lie in one place."""
    points = answered[:, 1:].reshape(len(answered), 5, 2)
    return (answered[:, 0] >= SURE) & (points != points[:, :1]).any(axis=(1, 2))


class DetectedIdentity:
    """The same where each picture is aligned by the face that a finder sees in it.

    The mean is over pairs in which both pictures show a face; `.strict` counts the others as 0, since methods
    that destroy faces would gain by them; `.n_failed` is how many they are.
    """

    def __init__(self, name: str = "id_detected", role: str = "identity") -> None:
        self.name, self.role = name, role

    def empty(self) -> Rows:
        return Rows()

    def update(self, state: Rows, seen: Observation) -> None:
        before, after = (answers(seen, self.role, image, LANDMARKS) for image in ("source", "edited"))
        first, then = (_found(answers(seen, LANDMARKS, image)) for image in ("source", "edited"))
        state.append(**place(seen), cosine=cosine_similarity(before, after), found=first & then)

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        cosine, found = state.column("cosine"), state.column("found")
        return {
            self.name: np.where(found, cosine, np.nan),
            f"{self.name}.strict": np.where(found, cosine, 0.0),
        }

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        found = state.column("found")
        means: dict[str, float | Undefined] = {**edit_means(self.per_sample(state), state.column("edit"))}
        if not found.any():
            means[self.name] = Undefined(f"no face was found in any of {len(found)} pairs of pictures")
        return {self.name: means.pop(self.name), **means, f"{self.name}.n_failed": float((~found).sum())}
