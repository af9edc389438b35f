"""KID, kernel distance of feature distributions (Bińkowski et al., "Demystifying MMD GANs", 2018).

    KID = 1/(m(m−1)) Σ_{i≠j} k(x_i, x_j) + 1/(n(n−1)) Σ_{i≠j} k(y_i, y_j) − 2/(mn) Σ_{i,j} k(x_i, y_j)
    k(u, v) = (uᵀv / D + 1)³

the unbiased estimate of the squared maximum mean discrepancy, over all pairs, in float64. It may come out
below 0 where the distributions are alike, and is not clipped.
"""

from __future__ import annotations

import numpy as np
import torch

from .two_samples import TwoSamples

BLOCK = 1024  # rows of the kernel matrix held at once
SMALLEST = 50  # pictures below which the estimate says nothing
SUBSETS, SUBSET = 100, 1000  # of torch-fidelity: how many, and pictures in each
SEED = 2020  # of torch-fidelity


def kernel_distance(edited: np.ndarray, source: np.ndarray) -> float:
    """The estimate over all pairs of (M, D) and (N, D) features, each of at least two samples."""
    x, y = torch.from_numpy(edited).double(), torch.from_numpy(source).double()
    m, n = len(x), len(y)
    within = (_kernel_sum(x, x) - _diagonal_sum(x)) / (m * (m - 1))
    within += (_kernel_sum(y, y) - _diagonal_sum(y)) / (n * (n - 1))
    return within - 2 * _kernel_sum(x, y) / (m * n)


def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(M, N) values of the cubic polynomial kernel."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def _kernel_sum(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(torch.stack([kernel(rows, y).sum() for rows in x.split(BLOCK)]).sum())


def _diagonal_sum(x: torch.Tensor) -> float:
    return float((((x * x).sum(dim=1) / x.shape[1] + 1) ** 3).sum())


def subset_distances(
    edited: np.ndarray,
    source: np.ndarray,
    *,
    subsets: int = SUBSETS,
    size: int = SUBSET,
    seed: int = SEED,
) -> np.ndarray:
    """(subsets,) estimates on random subsets without replacement, drawn as torch-fidelity draws them."""
    generator = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        first = edited[generator.choice(len(edited), size, replace=False)]
        second = source[generator.choice(len(source), size, replace=False)]
        values.append(kernel_distance(first, second))
    return np.array(values)


class Kid(TwoSamples):
    """KID of the pictures of each edit against their source pictures, mean over edits.

    <name>               over all pairs; raw, often printed ×10³
    <name>.subsets       mean of 100 subsets of 1000 pictures, for comparison with other programs: what
                         torch-fidelity prints
    <name>.subsets_std   their population standard deviation, which is no error of the mean
    """

    def __init__(self, name: str, role: str) -> None:
        self.of_subsets = f"{name}.subsets", f"{name}.subsets_std"
        others = dict.fromkeys(self.of_subsets, (kernel_distance, SUBSET))  # from so many on; see `compared`
        super().__init__(name, role, kernel_distance, SMALLEST, others)

    def compared(self, source: np.ndarray, edited: np.ndarray) -> dict[str, float]:
        """The subsets are drawn once for both of their numbers."""
        found = {self.name: kernel_distance(edited, source)} if len(source) >= SMALLEST else {}
        if len(source) >= SUBSET:
            values = subset_distances(edited, source)
            found |= zip(self.of_subsets, (float(values.mean()), float(values.std())), strict=True)
        return found
