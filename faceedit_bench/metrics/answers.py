"""What judges answered, checked once: finite, one row per face, with the sample named where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..contracts import Undefined
from ..errors import BrokenPromise

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation


Made = TypeVar("Made")


def answers(seen: Observation, role: str, image: str, points: str = "") -> np.ndarray:
    """(B, D) answers of the judge that plays `role` on the "edited", "source", "truth" or "reconstruction"
    pictures."""
    answered = seen.judge(role, image, points) if points else seen.judge(role, image)
    return _checked(answered, seen, role, image)


def comparisons(seen: Observation, role: str, against: str, image: str = "edited") -> np.ndarray:
    """(B, D) answers of a judge of pairs on the "edited" or "reconstruction" pictures and the "source" or
    "truth" ones."""
    return _checked(seen.compare(role, against, image), seen, role, f"{image} and {against}")


def once(seen: Observation, what: str, make: Callable[[], Made]) -> Made:
    """What `make` gives, made by the first metric of a batch that asks for it and kept for the others."""
    if what not in seen.shared:
        seen.shared[what] = make()
    made: Made = seen.shared[what]
    return made


def _checked(answered: Tensor, seen: Observation, role: str, image: str) -> np.ndarray:
    found = answered.detach().cpu().numpy()
    samples = [int(sample) for sample in seen.samples]
    if found.ndim != 2 or len(found) != len(samples):
        raise BrokenPromise(
            f"the {role!r} judge answered {found.shape} for {len(samples)} faces; wanted ({len(samples)}, D)"
        )
    broken = [sample for sample, row in zip(samples, found, strict=True) if not np.isfinite(row).all()]
    if broken:
        raise BrokenPromise(
            f"the {role!r} judge answered NaN or infinity for sample {', '.join(map(str, broken))} "
            f"({image} picture of edit {seen.edit.name!r}); look at that picture and at the judge's weights"
        )
    return found


def probabilities(seen: Observation, image: str, role: str = "attributes") -> np.ndarray:
    """(B, A) in [0, 1]: how sure the attributes judge is of each of the suite's attributes.

    A judge's columns are found by their names; NaN stands for an attribute that it does not know.
    """
    found = answers(seen, role, image)
    if found.size and (found.min() < 0 or found.max() > 1):
        raise BrokenPromise(
            f"the {role!r} judge answered values from {found.min():.3g} to {found.max():.3g}; "
            "wanted probabilities in [0, 1]"
        )
    names, outputs = seen.batch.attributes, seen.outputs(role) or seen.batch.attributes
    if found.shape[1] != len(outputs):
        raise BrokenPromise(
            f"the {role!r} judge answered {found.shape[1]} columns; wanted {len(outputs)}: "
            f"{', '.join(outputs)}"
        )
    columns = [outputs.index(name) if name in outputs else -1 for name in names]
    with_unknown = np.concatenate([found, np.full((len(found), 1), np.nan, np.float32)], axis=1)
    return with_unknown[:, columns]


def decisions(seen: Observation, image: str, role: str = "attributes") -> np.ndarray:
    """(B, A) bool: the attributes judge's decisions, probability above one half; look at `known` too."""
    return probabilities(seen, image, role) > 0.5


def known(seen: Observation, role: str = "attributes") -> np.ndarray:
    """(A,) bool: which of the suite's attributes the judge knows."""
    outputs = seen.outputs(role)
    return np.array([not outputs or name in outputs for name in seen.batch.attributes], dtype=bool)


def unknown(role: str) -> Undefined:
    """In place of a score of an edit that asks for what the judge does not know."""
    return Undefined(f"the {role} judge does not know what this edit asks for")
