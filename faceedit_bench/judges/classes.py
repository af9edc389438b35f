"""Training `classes-demo`: which of 40 kinds of people is drawn (hair × Male × Young × Eyeglasses).

The inception score asks a classifier whether a picture shows one kind of thing clearly and whether all kinds
occur. ImageNet's kinds say nothing about drawn faces; these do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from ..suite import THIRTEEN
from .augment import as_edited
from .fit import Course, Settings, answers, chosen, fit, seeded
from .networks import ClassNetwork
from .pictures import Pictures, from_bytes

SETTINGS = Settings(steps=900)
SMOOTHING = 0.05  # of the labels, so that the score does not saturate


def kinds(labels: Tensor) -> Tensor:
    """(N, 13) labels -> (N,) index into KINDS."""
    column = {name: labels[:, a].long() for a, name in enumerate(THIRTEEN)}
    hair = torch.stack([column[name] for name in ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair")], 1)
    kind = torch.where(hair.any(1), hair.argmax(1), 4)
    for name in ("Male", "Young", "Eyeglasses"):
        kind = 2 * kind + column[name]
    return kind


def train(pictures: Pictures, settings: Settings, say: Callable[[str], None]) -> tuple[nn.Module, Course]:
    """A classifier of kinds of people, and what its training took."""
    with seeded(settings.seed):
        network = ClassNetwork().to(settings.device)
    wanted = kinds(pictures.labels)

    def loss(generator: Generator, step: int) -> Tensor:
        rows = chosen(len(pictures.images), settings.batch, generator)
        faces = as_edited(from_bytes(pictures.images[rows].to(settings.device)), generator)
        return F.cross_entropy(network(faces), wanted[rows].to(settings.device), label_smoothing=SMOOTHING)

    course = fit(network, loss, settings, say=say)
    return network, course


def gates(network: nn.Module, test: Pictures, device: str = "cpu") -> dict[str, Any]:
    """Accuracy in % on test faces as they are and on all single flips (`testing_order`)."""
    right = (answers(network, test.images, device).argmax(1) == kinds(test.labels)).float().view(15, -1) * 100
    return {
        "accuracy": round(float(torch.cat([right[0], right[14]]).mean()), 2),
        "accuracy_on_flips": round(float(right[1:14].mean()), 2),
    }
