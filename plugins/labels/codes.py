"""Labels in {0, 1} as the numbers that a generator is fed.

AttGAN's released code maps a label a to (2a − 1)·0.5 and multiplies the edited entry by its test strength:
±0.5 becomes ±1 at strength 2. STGAN subtracts the source code from that: −1, 0 or +1 in training, ±1.5 for
the edited entry at strength 2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from faceedit_bench.api import EditBatch


def signed(labels: Tensor, scale: float = 0.5) -> Tensor:
    """{0, 1} -> {−scale, +scale}."""
    return (2 * labels - 1) * scale


def target_code(batch: EditBatch, strength: float, scale: float = 0.5) -> Tensor:
    """(B, A) signed targets; those that were asked for are multiplied by `strength`.

    `batch.strength` moves an asked entry along the line from the source's code (0) to the edit's (1).
    Entries that the conflict rule changed keep their plain code.
    """
    source, target = signed(batch.source, scale), signed(batch.target, scale)
    asked = source + batch.strength[:, None] * (strength * target - source)
    return torch.where(batch.edited, asked, target)


def difference(batch: EditBatch, strength: float) -> Tensor:
    """(B, A) target code − source code: 0 where nothing changes."""
    return target_code(batch, strength) - signed(batch.source)


def change(source: Tensor, target: Tensor) -> Tensor:
    """(B, A) labels -> the difference that training tells: −1, 0 or +1."""
    return target - source
