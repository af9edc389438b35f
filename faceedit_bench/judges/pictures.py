"""Drawn faces for training and testing the demo judges: who, with which labels, in which scene.

The artist (`faceedit_bench.data.drawn`) is handed in, so that judges do not depend on data sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..contracts import View
from ..suite import THIRTEEN, target_labels
from .view import look

TRAIN, TEST = 1_000_000, 3_000_000  # first identity seed of each split of the drawn faces
RULE = "drawn"  # conflict rule of drawn labels (faceedit_bench.suite.CONFLICTS)
DRAWN = 128  # pixels per side of what is drawn, before a view makes it smaller
CHUNK = 50  # faces drawn at a time


@dataclass(frozen=True)
class Artist:
    """Who draws: the two functions of the renderer, and a digest that names its version."""

    draw: Callable[..., Any]  # (seeds, labels, size, *, scenes) -> .images (B, 3, size, size) uint8
    labels: Callable[[Any], Tensor]  # (seeds) -> (B, 13) uint8
    digest: str


@dataclass(frozen=True)
class Order:
    """N pictures to draw."""

    seeds: Tensor  # (N,) int64: identity
    labels: Tensor  # (N, 13) uint8
    scenes: Tensor  # (N,) int64: pose, light and backdrop

    def digest(self) -> str:
        """sha256 of what was ordered."""
        parts = (self.seeds, self.labels, self.scenes)
        return hashlib.sha256(b"".join(part.numpy().tobytes() for part in parts)).hexdigest()


@dataclass(frozen=True)
class Pictures:
    """An order, drawn."""

    images: Tensor  # (N, 3, S, S) uint8, as a judge's view shows them
    labels: Tensor  # (N, 13) float32 in {0, 1}
    people: Tensor  # (N,) int64: 0 for the first identity, and so on


def training_order(artist: Artist, people: int) -> Order:
    """Six pictures of each train identity in six scenes: two as they are, two with one label reversed and two
    with labels that follow no custom.

    Editors draw bearded women; a judge that met none would look at the hair to find the beard.
    """
    seeds = torch.arange(TRAIN, TRAIN + people)
    own = artist.labels(seeds)  # (P, 13)
    columns = [(2 * torch.arange(people) + view) % len(THIRTEEN) for view in range(2)]
    flips = [flipped(own, column) for column in columns]
    free = [uncorrelated(people, view) for view in range(2)]
    labels = (own, own, *flips, *free)
    return _joined([Order(seeds, each, seeds + view * people) for view, each in enumerate(labels)])


def testing_order(artist: Artist, people: int) -> Order:
    """Each test identity as it is, then with each of the 13 attributes reversed alone, in its own scene; then
    as it is in another scene: (15 · people) pictures, people innermost."""
    seeds = torch.arange(TEST, TEST + people)
    own = artist.labels(seeds)
    flips = [flipped(own, torch.full((people,), column)) for column in range(len(THIRTEEN))]
    elsewhere = Order(seeds, own, seeds + 1_000_000)
    return _joined([*(Order(seeds, each, seeds) for each in (own, *flips)), elsewhere])


def flipped(labels: Tensor, columns: Tensor) -> Tensor:
    """(N, 13) labels with one column reversed per row, (N,), under the conflict rule."""
    rows = [
        target_labels(row, (THIRTEEN[column],), THIRTEEN, RULE)[0]
        for row, column in zip(labels.tolist(), columns.tolist(), strict=True)
    ]
    return torch.tensor(rows, dtype=torch.uint8)


def uncorrelated(count: int, seed: int) -> Tensor:
    """(count, 13) labels by coin: one of five kinds of hair, the rest heads or tails, no bald fringe."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (count, len(THIRTEEN)), generator=generator, dtype=torch.uint8)
    hair = torch.randint(5, (count, 1), generator=generator)
    kinds = [THIRTEEN.index(name) for name in ("Bald", "Black_Hair", "Blond_Hair", "Brown_Hair")]
    labels[:, kinds] = (hair == torch.arange(4)).to(torch.uint8)
    labels[:, THIRTEEN.index("Bangs")] *= 1 - labels[:, kinds[0]]
    return labels


def _joined(orders: list[Order]) -> Order:
    return Order(
        torch.cat([order.seeds for order in orders]),
        torch.cat([order.labels for order in orders]),
        torch.cat([order.scenes for order in orders]),
    )


def paint(
    artist: Artist,
    order: Order,
    view: View,
    *,
    cache: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Pictures:
    """Draw an order and keep what a view shows of it; `cache` is a folder in which to draw only once."""
    kept = cache / f"{artist.digest[:12]}-{order.digest()[:12]}-{view.size}.npy" if cache else None
    if kept is not None and kept.exists():
        seen = np.load(kept)
    else:
        seen = _drawn(artist, order, view, say)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, seen)
    return Pictures(torch.from_numpy(seen), order.labels.float(), order.seeds - order.seeds.min())


def _drawn(artist: Artist, order: Order, view: View, say: Callable[[str], None]) -> np.ndarray:
    """(N, 3, S, S) uint8."""
    total = len(order.seeds)
    seen = np.empty((total, 3, view.size, view.size), dtype=np.uint8)
    for start in range(0, total, CHUNK):
        part = slice(start, start + CHUNK)
        drawing = artist.draw(order.seeds[part], order.labels[part], DRAWN, scenes=order.scenes[part])
        seen[part] = to_bytes(look(from_bytes(drawing.images), view)).numpy()
        if (start // CHUNK) % 20 == 0:
            say(f"drawing {start}/{total} faces")
    return seen


def from_bytes(images: Tensor) -> Tensor:
    """uint8 -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def to_bytes(images: Tensor) -> Tensor:
    """[-1, 1] -> uint8, rounded to nearest."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
