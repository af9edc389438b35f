"""What judges answered, checked once: finite, one row per face, with the sample named where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import BrokenPromise

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation


def answers(seen: Observation, role: str, image: str) -> np.ndarray:
    """(B, D) float32 answers of the judge that plays `role` on the "edited", "source" or "truth" pictures."""
    return _checked(seen.judge(role, image), seen, role, image)


def comparisons(seen: Observation, role: str, against: str) -> np.ndarray:
    """(B, D) float32 answers of a judge of pairs on the edited and the "source" or "truth" pictures."""
    return _checked(seen.compare(role, against), seen, role, f"edited and {against}")


def _checked(answered: Tensor, seen: Observation, role: str, image: str) -> np.ndarray:
    found = answered.detach().float().cpu().numpy()
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
    """(B, A) float32 in [0, 1]: how sure the attributes judge is of each attribute."""
    found = answers(seen, role, image)
    names = seen.batch.attributes
    if found.shape[1] != len(names):
        raise BrokenPromise(
            f"the {role!r} judge answered {found.shape[1]} columns; the suite has {len(names)} attributes"
        )
    if found.size and (found.min() < 0 or found.max() > 1):
        raise BrokenPromise(
            f"the {role!r} judge answered values from {found.min():.3g} to {found.max():.3g}; "
            "wanted probabilities in [0, 1]"
        )
    return found


def decisions(seen: Observation, image: str, role: str = "attributes") -> np.ndarray:
    """(B, A) bool: the attributes judge's decisions, probability above one half."""
    return probabilities(seen, image, role) > 0.5
