"""Training `identity-demo`: CosFace (Wang et al., 2018) over drawn people in several scenes and under single flips.

A person edited is the same person, so pictures with a label reversed belong to their source's class.
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
from .networks import IdentityNetwork
from .pictures import Pictures, from_bytes
from .specs import WIDTH

SETTINGS = Settings(steps=3000)
SCALE = 20.0  # s of CosFace
MARGIN = 0.20  # m of CosFace
FALSE_ACCEPTS = 1e-3


def train(pictures: Pictures, settings: Settings, say: Callable[[str], None]) -> tuple[nn.Module, Course]:
    """An identity judge, and what its training took. The classes' weights are thrown away."""
    with seeded(settings.seed):
        network = IdentityNetwork().to(settings.device)
        people = nn.Linear(WIDTH, int(pictures.people.max()) + 1, bias=False).to(settings.device)

    def loss(generator: Generator, step: int) -> Tensor:
        rows = chosen(len(pictures.images), settings.batch, generator)
        faces = as_edited(from_bytes(pictures.images[rows].to(settings.device)), generator, mirror=False)
        cosines = network(faces) @ F.normalize(people.weight, dim=1).T  # (B, P)
        who = pictures.people[rows].to(settings.device)
        ease = min(1.0, 3 * step / settings.steps)  # the margin grows over the first third
        return cosface(cosines, who, margin=MARGIN * ease)

    course = fit(nn.ModuleList([network, people]), loss, settings, say=say)
    return network, course


def cosface(cosines: Tensor, who: Tensor, *, scale: float = SCALE, margin: float = MARGIN) -> Tensor:
    """Cross entropy of scale · (cosine − margin at the right person), equation 4 of the paper; (B, P), (B,)."""
    return F.cross_entropy(scale * (cosines - margin * F.one_hot(who, cosines.shape[1])), who)


def gates(network: nn.Module, test: Pictures, device: str = "cpu") -> dict[str, Any]:
    """Verification in %: true accepts where one in a thousand different people is accepted.

    Same: a person's source picture and the picture with one label reversed. Different: one person's source and
    another's picture with that label reversed. Pictures are those of `testing_order`.
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
