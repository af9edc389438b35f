"""Observations made by hand: small pictures, and judges whose answers the test writes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from faceedit_bench.contracts import EditBatch
from faceedit_bench.suite import Edit


@dataclass
class Seen:
    """What the engine's Observation offers."""

    batch: EditBatch
    samples: Tensor
    edit: Edit
    edit_index: int
    source: Tensor
    edited: Tensor
    truth: Tensor | None = None
    regions: Tensor | None = None
    told: Mapping[tuple[str, str], Tensor] = field(default_factory=dict)
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # role -> names of the judge's columns
    reconstruction: Tensor | None = None
    shared: dict[str, Any] = field(default_factory=dict)

    def judge(self, role: str, image: str = "edited", points: str = "") -> Tensor:
        return self.told[role, image]

    def compare(self, role: str, against: str = "source", image: str = "edited") -> Tensor:
        return self.told[role, f"{image} against {against}"]

    def outputs(self, role: str) -> tuple[str, ...]:
        return self.named.get(role, ())


def pictures(number: int, side: int = 16, seed: int = 0) -> Tensor:
    """(number, 3, side, side) uint8 noise."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (number, 3, side, side), generator=generator, dtype=torch.uint8)


def features(number: int, width: int, seed: int = 0) -> Tensor:
    """(number, width) float32 features with a mean and unequal scales."""
    generator = torch.Generator().manual_seed(seed)
    scale = torch.linspace(0.5, 2.0, width)
    return torch.randn(number, width, generator=generator) * scale + 1


def seen(
    source: Tensor,
    edited: Tensor,
    *,
    labels: Sequence[Sequence[int]] = (),
    flips: Sequence[str] = (),
    target: Sequence[Sequence[int]] | None = None,
    attributes: Sequence[str] = (),
    edit_index: int = 0,
    first_sample: int = 0,
    truth: Tensor | None = None,
    told: Mapping[tuple[str, str], Tensor] | None = None,
    reconstruction: Tensor | None = None,
    named: Mapping[str, tuple[str, ...]] | None = None,
) -> Seen:
    """An observation of `len(source)` faces; without `target` exactly the flips are reversed."""
    number = len(source)
    before = torch.tensor(labels, dtype=torch.float32).reshape(number, len(attributes))
    asked = torch.tensor([name in flips for name in attributes], dtype=torch.bool).expand(number, -1)
    after = torch.where(asked, 1 - before, before) if target is None else torch.tensor(target).float()
    batch = EditBatch(
        images=source.float() / 127.5 - 1,
        source=before,
        target=after,
        edited=asked,
        strength=torch.ones(number),
        seeds=torch.arange(number),
        attributes=tuple(attributes),
    )
    samples = torch.arange(first_sample, first_sample + number)
    edit = Edit("+".join(flips) or "reconstruction", tuple(flips))
    known = (truth, None, told or {}, named or {}, reconstruction)
    return Seen(batch, samples, edit, edit_index, source, edited, *known)


def state_of(metric: Any, *observations: Seen) -> Any:
    """The state after these observations, as shard 0."""
    state = metric.empty()
    for observation in observations:
        metric.update(state, observation)
    state.shards = range(0, 1)
    return state


def score(metric: Any, *observations: Seen) -> dict[str, float]:
    return metric.finish(state_of(metric, *observations))
