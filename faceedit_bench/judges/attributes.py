"""Training `attributes-demo`: binary cross entropy on train faces as editors leave pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from ..suite import THIRTEEN
from .augment import as_edited
from .fit import Course, Settings, answers, chosen, fit, seeded
from .networks import AttributeNetwork
from .pictures import Pictures, from_bytes

SETTINGS = Settings(steps=1800)
SMOOTHING = 0.01  # of the labels: answers stay off 0 and 1


def train(pictures: Pictures, settings: Settings, say: Callable[[str], None]) -> tuple[nn.Module, Course]:
    """An attribute judge, and what its training took."""
    with seeded(settings.seed):
        network = AttributeNetwork(len(THIRTEEN)).to(settings.device)

    def loss(generator: Generator, step: int) -> Tensor:
        rows = chosen(len(pictures.images), settings.batch, generator)
        faces = as_edited(from_bytes(pictures.images[rows].to(settings.device)), generator)
        wanted = pictures.labels[rows].to(settings.device) * (1 - 2 * SMOOTHING) + SMOOTHING
        return F.binary_cross_entropy_with_logits(network.logits(faces), wanted)

    course = fit(network, loss, settings, say=say)
    return network, course


def gates(network: nn.Module, test: Pictures, device: str = "cpu") -> dict[str, Any]:
    """Accuracy in % on test faces as they are, on all single flips, and the hit rate of each exact flip.

    `hit` is the ceiling of TARR: how often the judge sees attribute a reversed where it was reversed exactly.
    Pictures are those of `testing_order`.
    """
    right = (answers(network, test.images, device) > 0.5) == (test.labels > 0.5)  # (15·P, 13)
    right = right.float().view(15, -1, len(THIRTEEN)) * 100
    plain = torch.cat([right[0], right[14]]).mean(0)
    hits = torch.stack([right[1 + a, :, a].mean() for a in range(len(THIRTEEN))])
    return {
        "accuracy": _named(plain),
        "accuracy_mean": round(float(plain.mean()), 2),
        "accuracy_on_flips": _named(right[1:14].mean((0, 1))),
        "accuracy_on_flips_mean": round(float(right[1:14].mean()), 2),
        "hit": _named(hits),
        "hit_mean": round(float(hits.mean()), 2),
    }


def _named(values: Tensor) -> dict[str, float]:
    return {name: round(float(value), 2) for name, value in zip(THIRTEEN, values, strict=True)}
