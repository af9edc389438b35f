"""Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020) of features.

A set's manifold is the union of balls about its samples, each reaching to the sample's k-th nearest other
sample; with k = 3 as in the paper and in torch-fidelity:

    precision = share of edited pictures inside the manifold of the source pictures (equation 2)
    recall    = share of source pictures inside the manifold of the edited pictures

and with k = 5 and balls without their rims, as in clovaai's code and dgm-eval:

    density  = 1/k · mean number of source balls that hold an edited picture: outliers' balls count little
    coverage = share of source balls that hold an edited picture

Edited pictures descend from the very source pictures they are compared with, so an editor that does little
scores 1: show them beside TARR. Distances are squared, in float64.
"""

from __future__ import annotations

import numpy as np
import torch

from .two_samples import TwoSamples

NEIGHBOURS = 3  # k of precision and recall
WIDER = 5  # k of density and coverage
BLOCK = 1024  # rows of the distance matrix held at once


def precision(edited: np.ndarray, source: np.ndarray) -> float:
    """Share of (M, D) edited features inside the manifold of (N, D) source features."""
    return share_inside(edited, source)


def recall(edited: np.ndarray, source: np.ndarray) -> float:
    """Share of (N, D) source features inside the manifold of (M, D) edited features."""
    return share_inside(source, edited)


def density(edited: np.ndarray, source: np.ndarray, k: int = WIDER) -> float:
    """How often (M, D) edited features lie in balls of (N, D) source features, per k; may exceed 1."""
    x, y = torch.from_numpy(edited).double(), torch.from_numpy(source).double()
    reach = radii(y, k)
    return sum(int((squared_distances(rows, y) < reach).sum()) for rows in x.split(BLOCK)) / (k * len(x))


def coverage(edited: np.ndarray, source: np.ndarray, k: int = WIDER) -> float:
    """Share of (N, D) source features whose ball holds at least one of (M, D) edited features."""
    x, y = torch.from_numpy(edited).double(), torch.from_numpy(source).double()
    nearest = torch.cat([squared_distances(rows, x).min(dim=1).values for rows in y.split(BLOCK)])
    return float((nearest < radii(y, k)).double().mean())


def share_inside(points: np.ndarray, manifold: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Share of points that lie in the ball of at least one sample of the manifold; on its rim counts."""
    x, y = torch.from_numpy(points).double(), torch.from_numpy(manifold).double()
    reach = radii(y, k)
    inside = torch.cat([(squared_distances(rows, y) <= reach).any(dim=1) for rows in x.split(BLOCK)])
    return float(inside.double().mean())


def radii(y: torch.Tensor, k: int = NEIGHBOURS) -> torch.Tensor:
    """(N,) squared distance of each sample to its k-th nearest other sample."""
    if len(y) <= k:
        raise ValueError(f"the {k}-th neighbour needs more than {k} samples, found {len(y)}")
    found = []
    for start in range(0, len(y), BLOCK):
        rows = squared_distances(y[start : start + BLOCK], y)
        own = torch.arange(len(rows))
        rows[own, own + start] = torch.inf  # a sample is not its own neighbour
        found.append(rows.kthvalue(k, dim=1).values)
    return torch.cat(found)


def squared_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(M, N), never below 0."""
    lengths = (x * x).sum(dim=1)[:, None] + (y * y).sum(dim=1)
    return torch.addmm(lengths, x, y.T, alpha=-2).clamp_min_(0)


KINDS = {
    "precision": (precision, NEIGHBOURS + 1),
    "recall": (recall, NEIGHBOURS + 1),
    "density": (density, 2 * (WIDER + 1)),
    "coverage": (coverage, 2 * (WIDER + 1)),
}
"""Name -> comparison, and pictures from which on it is defined: in halves of ten, or of as many, there are
enough neighbours."""


def manifold_share(name: str, role: str) -> TwoSamples:
    """Per edit, mean over edits; `name` is one of KINDS."""
    comparison, smallest = KINDS[name]
    return TwoSamples(name, role, comparison, smallest)
