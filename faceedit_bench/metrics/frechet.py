"""Fréchet distance of feature distributions: ssFID on self-supervised features, FID on a classifier's.

FD = ‖μ1 − μ2‖² + tr Σ1 + tr Σ2 − 2·tr (Σ1 Σ2)^½  (Heusel et al. 2017), covariances with divisor n − 1, all in
float64 whatever the features came in. No general matrix square root and no added ε: see `overlap`.
Linear algebra runs in PyTorch, so `torch.set_num_threads` governs it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from .both_pictures import BothPictures, OfEdit
from .states import exact_mean

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Undefined
    from .intervals import Bounds


SINGULAR = 1e-10  # of the largest variance: a pivot below it may be rounding only
TOLERANCE = 1e-6  # of the two traces: a distance this little below 0 is rounding
HALVES, FEW_HALVES = 20, 4  # subsamples of the spread; few where each needs an eigendecomposition
SMALLEST_SPREAD = 10  # samples below which no spread is given


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of two sets of features (N1, D) and (N2, D), each of at least two samples."""
    first, second = _checked(a), _checked(b)
    shift = first.mean(dim=0) - second.mean(dim=0)
    factor_a, factor_b = _factor(first), _factor(second)
    traces = float(factor_a.square().sum() + factor_b.square().sum())
    return _settled(float(shift @ shift) + traces - 2 * overlap(factor_a, factor_b), traces)


@dataclass(frozen=True)
class Gaussian:
    """What distances to a set of features need of it, where it has more samples than features."""

    mean: Tensor  # (D,)
    covariance: Tensor  # (D, D)
    root: Tensor  # (D, D), L with L·Lᵀ = covariance


def gaussian(features: np.ndarray) -> Gaussian:
    """Made once for every set that is compared with these features (N, D)."""
    mean, covariance = _moments(features)
    return Gaussian(mean, covariance, _root(covariance))


def distance_to(reference: Gaussian, features: np.ndarray) -> float:
    """Fréchet distance of features (N, D) to a set that is given by its Gaussian."""
    mean, covariance = _moments(features)
    shift, traces = mean - reference.mean, float(covariance.trace() + reference.covariance.trace())
    common = _overlap_with(reference.root, covariance)
    return _settled(float(shift @ shift) + traces - 2 * common, traces)


def _moments(features: np.ndarray) -> tuple[Tensor, Tensor]:
    """Mean (D,) and covariance (D, D)."""
    centred = _checked(features)  # a copy in float64, which is centred in place
    mean = centred.mean(dim=0)
    centred -= mean
    return mean, centred.T @ centred / (len(centred) - 1)


def frechet_from_moments(
    mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray
) -> float:
    """Fréchet distance of two Gaussians given by means (D,) and covariances (D, D)."""
    shift = torch.from_numpy(mean_a).double() - torch.from_numpy(mean_b).double()
    first, second = torch.from_numpy(cov_a).double(), torch.from_numpy(cov_b).double()
    traces = float(first.trace() + second.trace())
    return _settled(float(shift @ shift) + traces - 2 * _overlap_of_covariances(first, second), traces)


def overlap(a: Tensor, b: Tensor) -> float:
    """tr (Σ1 Σ2)^½ for Σ1 = aᵀa, Σ2 = bᵀb with a (N1, D), b (N2, D).

    With no more samples than dimensions on either side, the covariance is singular and squaring its small
    eigenvalues would lose them; there the trace is the sum of the singular values of a·bᵀ, exact to rounding.
    """
    width = a.shape[1]
    if min(len(a), len(b)) > width:
        return _overlap_of_covariances(a.T @ a, b.T @ b)
    a, b = (torch.linalg.qr(factor).R if len(factor) > width else factor for factor in (a, b))
    return float(torch.linalg.svdvals(a @ b.T).sum())


def _overlap_of_covariances(first: Tensor, second: Tensor) -> float:
    """The same from covariances (D, D)."""
    return _overlap_with(_root(first), second)


def _root(covariance: Tensor) -> Tensor:
    """L (D, D) with L·Lᵀ = covariance: Cholesky's, or a symmetric eigensolver's where it is near singular."""
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if not failed and bool(factor.diagonal().square().min() > SINGULAR * covariance.diagonal().max()):
        return factor
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp(min=0).sqrt()


def _overlap_with(root: Tensor, covariance: Tensor) -> float:
    """tr (L·Lᵀ·Σ)^½: the sum of the roots of the eigenvalues of Lᵀ·Σ·L."""
    return float(torch.linalg.eigvalsh(root.T @ covariance @ root).clamp(min=0).sqrt().sum())


def _factor(features: Tensor) -> Tensor:
    """A with AᵀA = covariance: centred features over √(n − 1)."""
    return (features - features.mean(dim=0)) / (len(features) - 1) ** 0.5


def _checked(features: np.ndarray) -> Tensor:
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"a Fréchet distance needs features (N, D) of at least 2 samples, found {features.shape}"
        )
    broken = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(broken):
        raise ValueError(f"features of row {', '.join(map(str, broken))} are not finite")
    return torch.from_numpy(features.astype(np.float64))


def _settled(distance: float, traces: float) -> float:
    """Rounding below zero is zero; anything further below is a fault of the arithmetic."""
    if distance < -TOLERANCE * traces:
        raise ArithmeticError(
            f"Fréchet distance {distance:.3g} below zero by more than rounding ({traces:.3g})"
        )
    return max(distance, 0.0)


class Frechet(BothPictures):
    """Fréchet distance between the edited and the source pictures of the same samples, mean over edits.

    <name>                  per edit against the source pictures (SeCGAN 4.4); over edits the mean of these,
                            not the distance of the pooled pictures. Left out for fewer than two samples.
    <name>.rank_deficient   1 where an edit has no more samples than features: the covariance is singular and
                            the value far from what many samples would give. Compare equal numbers only.

    A method that returns its input scores exactly 0; always show TARR beside it.
    """

    def __init__(self, name: str, role: str) -> None:
        self.name, self.role = name, role
        self._sources: dict[bytes, Gaussian] = {}  # of every edit the same pictures, and the same halves
        self._looking = threading.Lock()  # edits may be compared at once: the first makes it for all

    def compared(self, source: np.ndarray, edited: np.ndarray) -> dict[str, float]:
        return {self.name: self.distance(source, edited)} if len(source) >= 2 else {}

    def distance(self, source: np.ndarray, edited: np.ndarray) -> float:
        if len(source) <= source.shape[1]:
            return frechet_distance(edited, source)
        return distance_to(self._gaussian(source), edited)

    def _gaussian(self, source: np.ndarray) -> Gaussian:
        """Of these features, known by their content."""
        content = hashlib.sha256(np.ascontiguousarray(source).data).digest()
        with self._looking:
            found = self._sources.pop(content, None) or gaussian(source)
            while len(self._sources) > FEW_HALVES:
                del self._sources[next(iter(self._sources))]
            self._sources[content] = found
        return found

    def how_many_halves(self, pictures: int, width: int) -> int:
        if pictures < SMALLEST_SPREAD:
            return 0
        return (
            HALVES if pictures <= 2 * width else FEW_HALVES
        )  # many: a half has no more samples than features

    def over_edits(self, each: Sequence[OfEdit]) -> dict[str, float | Undefined]:
        if not each or not all(one.numbers for one in each):
            return {}
        deficient = any(one.pictures <= one.width for one in each)
        mean = exact_mean(np.array([one.numbers[self.name] for one in each]))
        return {self.name: mean, f"{self.name}.rank_deficient": float(deficient)}

    def bounds(self, value: float, halves: np.ndarray) -> Bounds:
        low, high = super().bounds(value, halves)
        return max(0.0, low), high
