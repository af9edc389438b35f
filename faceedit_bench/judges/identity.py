"""Training `identity-demo`: supervised contrastive learning (Khosla et al., 2020) over drawn people.

Each person appears six times in a batch: in several scenes, as they are, with one label reversed, and with
labels that follow no custom. A person edited is the same person, so all six belong together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..suite import THIRTEEN
from .augment import as_edited
from .fit import Course, Settings, answers, chosen, fit, seeded
from .networks import IdentityNetwork
from .pictures import Pictures, from_bytes
from .specs import WIDTH

SETTINGS = Settings(steps=1500, batch=240, rate=3e-3)
TEMPERATURE = 0.07  # τ, section 5 of the paper: 0.1 is its choice for classes of objects
FALSE_ACCEPTS = 1e-3


def train(pictures: Pictures, settings: Settings, say: Callable[[str], None]) -> tuple[nn.Module, Course]:
    """An identity judge, and what its training took."""
    with seeded(settings.seed):
        network = IdentityNetwork().to(settings.device)
    people = int(pictures.people.max()) + 1
    views = len(pictures.images) // people  # pictures of one person lie `people` apart

    def loss(generator: Generator, step: int) -> Tensor:
        who = chosen(people, settings.batch // views, generator)
        rows = (who[None] + people * torch.arange(views)[:, None]).flatten()
        faces = as_edited(from_bytes(pictures.images[rows].to(settings.device)), generator, mirror=False)
        return contrast(network(faces), who.repeat(views).to(settings.device))

    course = fit(network, loss, settings, say=say)
    return network, course


def contrast(embeddings: Tensor, who: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """Supervised contrastive loss, equation 2: (B, D) of unit length, (B,) -> mean over the batch.

    Every picture must find the other pictures of its person among all others.
    """
    itself = torch.eye(len(who), dtype=torch.bool, device=who.device)
    likeness = (embeddings @ embeddings.T / temperature).masked_fill(itself, -1e9)
    same = (who[:, None] == who[None]) & ~itself
    return -((likeness.log_softmax(1) * same).sum(1) / same.sum(1)).mean()


def gates(network: nn.Module, test: Pictures, device: str = "cpu") -> dict[str, Any]:
    """Verification in %: true accepts where one in a thousand different people is accepted.

    Same: a person's source picture and the picture with one label reversed. Different: one person's source
    and another's picture with that label reversed. Pictures are those of `testing_order`.
    """
    cosines = _cosines(answers(network, test.images, device).view(15, -1, WIDTH))  # (14, P, P)
    flips, elsewhere = cosines[:13], cosines[13]
    same, other = torch.eye(flips.shape[1], dtype=torch.bool), flips.shape[1] * (flips.shape[1] - 1)
    threshold = accept_above(flips[:, ~same], FALSE_ACCEPTS)
    accepted = flips[:, same] > threshold  # (13, P)
    alone = accept_above(elsewhere[~same], FALSE_ACCEPTS)
    per_flip = accepted.float().mean(1) * 100
    return {
        "tar_at_far_1e-3": round(float(per_flip.mean()), 2),
        "tar_per_flip": {name: round(float(v), 2) for name, v in zip(THIRTEEN, per_flip, strict=True)},
        "tar_other_scene": round(float((elsewhere[same] > alone).float().mean() * 100), 2),
        "threshold": round(threshold, 4),
        "cosine_same_mean": round(float(flips[:, same].mean()), 4),
        "cosine_other_mean": round(float(flips[:, ~same].mean()), 4),
        "pairs": {"same": accepted.numel(), "different": 13 * other},
    }


def _cosines(embeddings: Tensor) -> Tensor:
    """(15, P, D) unit vectors -> (14, P, P): every source against every other kind of picture."""
    return torch.einsum("id,kjd->kij", embeddings[0], embeddings[1:])


def accept_above(others: Tensor, rate: float) -> float:
    """The threshold that at most a share `rate` of these cosines of different people exceeds."""
    ranked = others.flatten().sort(descending=True).values
    return float(ranked[int(rate * len(ranked))])
