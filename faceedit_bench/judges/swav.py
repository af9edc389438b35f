"""Training `swav-demo`: features without labels by swapping cluster assignments (SwAV; Caron et al., 2020).

Two large crops of a face are assigned to prototypes with the Sinkhorn algorithm, evenly over the batch; every
crop must predict the assignment of the other large one. No label and no identity is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from ..suite import THIRTEEN
from .augment import crops, greyed, noisy, recoloured, softened
from .fit import Course, Settings, answers, chosen, fit, seeded
from .networks import SwavNetwork
from .pictures import Pictures, from_bytes
from .specs import WIDTH

SETTINGS = Settings(steps=1200)
PROTOTYPES = 96  # K; the paper takes 3000 for ImageNet
PROJECTION = 64  # width in which crops meet prototypes
TEMPERATURE = 0.1  # τ, section 4.1
SMOOTHNESS = 0.05  # ε of the Sinkhorn algorithm, section 4.1
ROUNDS = 3  # Sinkhorn iterations, section 3.1
FROZEN = 30  # first steps in which prototypes stay as they are, appendix A
LARGE, SMALL = (64, 2), (32, 3)  # side in pixels and number of crops, section 3.2


class Projection(nn.Module):
    """Projection head and prototypes: thrown away after the training."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Linear(WIDTH, PROJECTION)
        )
        self.prototypes = nn.Linear(PROJECTION, PROTOTYPES, bias=False)
        self.normalise()

    def forward(self, features: Tensor) -> Tensor:
        return self.prototypes(F.normalize(self.head(features), dim=1))  # (B, K) cosines

    @torch.no_grad()
    def normalise(self) -> None:
        """Prototypes live on the unit sphere."""
        self.prototypes.weight.copy_(F.normalize(self.prototypes.weight, dim=1))


def train(pictures: Pictures, settings: Settings, say: Callable[[str], None]) -> tuple[nn.Module, Course]:
    """A self-supervised encoder, and what its training took."""
    with seeded(settings.seed):
        network, projection = SwavNetwork().to(settings.device), Projection().to(settings.device)

    def loss(generator: Generator, step: int) -> Tensor:
        rows = chosen(len(pictures.images), settings.batch, generator)
        faces = from_bytes(pictures.images[rows].to(settings.device))
        large = [_crop(faces, generator, LARGE[0], (0.6, 1.0)) for _ in range(LARGE[1])]
        small = [_crop(faces, generator, SMALL[0], (0.3, 0.6)) for _ in range(SMALL[1])]
        features = torch.cat([network(torch.cat(large)), network(torch.cat(small))])
        projection.prototypes.requires_grad_(step >= FROZEN)
        return swapped_prediction(projection(features).view(LARGE[1] + SMALL[1], len(rows), PROTOTYPES))

    parts = nn.ModuleList([network, projection])
    course = fit(parts, loss, settings, after=projection.normalise, say=say)
    return network, course


def _crop(faces: Tensor, generator: Generator, size: int, zoom: tuple[float, float]) -> Tensor:
    """One distorted crop of every face: (B, 3, H, W) -> (B, 3, size, size)."""
    seen = crops(faces, generator, size=size, zoom=zoom, shift=1 - zoom[1] + 0.15, mirror=True)
    seen = greyed(recoloured(seen, generator, amount=0.5), generator, share=0.2)
    return noisy(softened(seen, generator), generator, most=0.05)


def swapped_prediction(scores: Tensor) -> Tensor:
    """Cross entropy between the assignment of each large crop and the predictions of all others, equation 2.

    `scores` (crops, B, K): cosines of every crop with the prototypes, the LARGE[1] large crops first.
    """
    predictions = (scores / TEMPERATURE).log_softmax(-1)
    terms = []
    for large in range(LARGE[1]):
        codes = assign(scores[large].detach())
        terms += [-(codes * predictions[crop]).sum(1).mean() for crop in range(len(scores)) if crop != large]
    return torch.stack(terms).mean()


@torch.no_grad()
def assign(scores: Tensor, *, smoothness: float = SMOOTHNESS, rounds: int = ROUNDS) -> Tensor:
    """Soft codes (B, K) whose rows sum to 1 and whose columns share the batch (Sinkhorn; section 3.1)."""
    codes = (scores / smoothness - (scores / smoothness).max()).double().exp()
    for _ in range(rounds):
        codes = codes / codes.sum(0, keepdim=True).clamp_min(1e-30) / codes.shape[1]  # columns: B/K each
        codes = codes / codes.sum(1, keepdim=True).clamp_min(1e-30) / codes.shape[0]  # rows: one code each
    return (codes * codes.shape[0]).to(scores.dtype)


def gates(network: nn.Module, test: Pictures, device: str = "cpu") -> dict[str, Any]:
    """How well a ridge regression on the features tells the 13 attributes apart, balanced accuracy in %.

    Fitted on the even test people and read on the odd ones; beside it the same probe on the untrained
    network.
    """
    with seeded(SETTINGS.seed):
        untrained = SwavNetwork().to(device).eval()
    even = test.people % 2 == 0
    return {
        "probe": _probe(answers(network, test.images, device), test.labels, even),
        "probe_untrained": _probe(answers(untrained, test.images, device), test.labels, even),
    }


def _probe(features: Tensor, labels: Tensor, fitted: Tensor) -> float:
    """Mean over attributes of the balanced accuracy of a ridge regression."""
    features = features.double()
    features = (features - features[fitted].mean(0)) / features[fitted].std(0).clamp_min(1e-6)
    known = torch.cat([features, torch.ones(len(features), 1, dtype=torch.float64)], 1)
    x, rows = known[fitted], labels[fitted].double()
    weight = (1 / rows.mean(0).clamp(1e-3, 1 - 1e-3), 1 / (1 - rows.mean(0)).clamp(1e-3, 1 - 1e-3))
    accuracies = []
    for a in range(len(THIRTEEN)):
        balance = torch.where(rows[:, a] > 0.5, weight[0][a], weight[1][a])[:, None]
        gram = x.T @ (balance * x) + 1.0 * torch.eye(x.shape[1], dtype=torch.float64)
        plane = torch.linalg.solve(gram, x.T @ (balance[:, 0] * (2 * rows[:, a] - 1)))
        seen, truth = known[~fitted] @ plane > 0, labels[~fitted, a] > 0.5
        accuracies.append((seen[truth].double().mean() + (~seen[~truth]).double().mean()) / 2)
    return round(float(torch.stack(accuracies).mean() * 100), 2)
