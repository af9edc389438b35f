"""What training asks for: label vectors of other faces, or one attribute reversed as a test does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from faceedit_bench.api import CONFLICTS

RULE = CONFLICTS["drawn"]  # faces are bald or have a hair colour; needed where labels are reversed by lot

Targets = Callable[[Tensor, torch.Generator], Tensor]


def targets(kind: str, attributes: tuple[str, ...]) -> Targets | None:
    """For a recipe: `permuted`, as in the papers, is the trainer's own rule (None); or `mixed`."""
    return None if kind == "permuted" else partial(mixed, conflicts=_conflicts(attributes))


def permuted(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(B, A) -> (B, A): labels of another face of the batch."""
    return labels[torch.randperm(len(labels), generator=generator)]


def flipped(labels: Tensor, generator: torch.Generator, conflicts: Tensor) -> Tensor:
    """(B, A) -> (B, A): one attribute per row reversed, conflicts cleared."""
    rows = torch.arange(len(labels))
    column = torch.randint(labels.shape[1], (len(labels),), generator=generator)
    target = labels.clone()
    target[rows, column] = 1 - target[rows, column]
    switched_on = target[rows, column][:, None]  # (B, 1)
    return target * (1 - switched_on * conflicts.to(labels)[column])


def mixed(labels: Tensor, generator: torch.Generator, conflicts: Tensor) -> Tensor:
    """Rows of `permuted` and `flipped` in equal shares, so that training meets what a test asks for."""
    asks_one = torch.rand(len(labels), 1, generator=generator) < 0.5
    return torch.where(
        asks_one.to(labels.device), flipped(labels, generator, conflicts), permuted(labels, generator)
    )


def _conflicts(attributes: tuple[str, ...]) -> Tensor:
    """(A, A): 1 where switching on the row's attribute clears the column's."""
    return torch.tensor([[float(other in RULE.get(name, ())) for other in attributes] for name in attributes])
