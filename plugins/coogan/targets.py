"""What training asks for: label vectors of other faces, or one attribute reversed as a test does."""

from __future__ import annotations

import torch
from torch import Tensor

from faceedit_bench.api import THIRTEEN

COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair")
CLEARS = {
    "Bald": ("Bangs", *COLOURS),
    "Bangs": ("Bald",),
    **{colour: ("Bald", *(other for other in COLOURS if other != colour)) for colour in COLOURS},
}
"""Attribute switched on -> attributes it clears, for faces that are bald or have a hair colour, not both."""


def permuted(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(B, A) -> (B, A): labels of another face of the batch, as in the paper."""
    return labels[torch.randperm(len(labels), generator=generator)]


def flipped(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 13) -> (B, 13): one attribute per row reversed, conflicts cleared."""
    rows = torch.arange(len(labels))
    column = torch.randint(labels.shape[1], (len(labels),), generator=generator)
    target = labels.clone()
    target[rows, column] = 1 - target[rows, column]
    switched_on = target[rows, column][:, None]  # (B, 1)
    return target * (1 - switched_on * _conflicts().to(labels)[column])


def mixed(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Rows of `permuted` and `flipped` in equal shares, so that training meets what a test asks for."""
    asks_one = torch.rand(len(labels), 1, generator=generator) < 0.5
    return torch.where(asks_one.to(labels.device), flipped(labels, generator), permuted(labels, generator))


def _conflicts() -> Tensor:
    """(13, 13): 1 where switching on the row's attribute clears the column's."""
    return torch.tensor([[float(other in CLEARS.get(name, ())) for other in THIRTEEN] for name in THIRTEEN])
