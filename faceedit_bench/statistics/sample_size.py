"""How many faces separate two methods that are measured on the same faces.

The difference of two means over n faces is nearly normal with standard error σ/√n, σ the standard deviation
over faces of the difference. A true difference δ is found at two-sided level α with power 1 − β from

    n = ((z(1 − α/2) + z(1 − β)) · σ / δ)²

on (Lachin, "Introduction to sample size determination and power analysis for clinical trials", Controlled
Clinical Trials 2, 1981, section 2, for one sample of differences). For two methods of equal spread s over
faces whose numbers correlate with ρ, σ² = 2 s² (1 − ρ).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

LEVEL, POWER = 0.95, 0.8
SMALLEST = 10  # faces below which nothing here is nearly normal


def faces_needed(sigma: float, difference: float, level: float = LEVEL, power: float = POWER) -> int:
    """Faces from which on `difference` is found with probability `power`, by a `level` interval."""
    return max(SMALLEST, math.ceil((_reach(level, power) * sigma / difference) ** 2))


def smallest_difference(sigma: float, faces: int, level: float = LEVEL, power: float = POWER) -> float:
    """The difference that so many faces find with probability `power`."""
    return _reach(level, power) * sigma / math.sqrt(faces)


def _reach(level: float, power: float) -> float:
    """z(1 − α/2) + z(1 − β): 2.80 for 95 % and 80 %."""
    normal = NormalDist()
    return normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)


def of_faces(values: np.ndarray, faces: np.ndarray, edits: np.ndarray) -> np.ndarray:
    """(F,) what each face adds to the mean over edits of the mean over defined values (N,); NaN: undefined.

    The variance of that mean is the variance of these over F: all edits of a face stand together. With every
    value defined it is the face's mean over edits, less the mean of all faces (linearisation of a ratio,
    Cochran, Sampling Techniques 1977, section 6.3).
    """
    members, face_of = np.unique(faces, return_inverse=True)
    defined = ~np.isnan(values)
    groups = np.unique(edits[defined])
    found = np.zeros(len(members))
    for edit in groups:
        rows = defined & (edits == edit)
        moved = values[rows] - values[rows].mean()
        found += np.bincount(face_of[rows], moved, len(members)) * len(members) / (len(groups) * rows.sum())
    return found


def spread(of_face: np.ndarray) -> float:
    """Standard deviation over faces (F,)."""
    return float(of_face.std(ddof=1))


def correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Of two methods' numbers over the same faces (F,); None where one of them does not vary."""
    if spread(one) == 0 or spread(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
