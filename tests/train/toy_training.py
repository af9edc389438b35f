"""The smallest training there is: an editor and a critic of one layer each on pictures of 8 pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from faceedit_bench.train import (
    Phase,
    Recipe,
    Settings,
    TrainBatch,
    TrainingFaces,
    critic_loss,
    editor_loss,
    gradient_penalty,
)

ATTRIBUTES = ("Eyeglasses", "Male")


class Painter(nn.Module):
    """(B, 3, H, W), (B, A) -> (B, 3, H, W): a convolution over picture and label maps, with a batch norm."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3 + len(ATTRIBUTES), 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.1)

    def forward(self, images, change):
        maps = change[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.tanh(self.norm(self.drop(self.mix(torch.cat([images, maps], dim=1)))))


def critic():
    return nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(4 * 16, 1))


def criticise(networks, batch: TrainBatch):
    fake = networks["editor"](batch.images, batch.change).detach()
    scores = critic_loss(networks["critic"](batch.images), networks["critic"](fake))
    penalty = gradient_penalty(networks["critic"], batch.images, fake, batch.generator)
    return {"adversarial": scores, "penalty": 10 * penalty}


def paint(networks, batch: TrainBatch):
    editor = networks["editor"]
    fake = editor(batch.images, batch.change)
    same = editor(batch.images, torch.zeros_like(batch.source))
    return {
        "adversarial": editor_loss(networks["critic"](fake)),
        "reconstruction": 10 * (same - batch.images).abs().mean(),
    }


def preview(networks, batch):
    return networks["editor"](batch.images, batch.change)


def recipe(name="toy", seed=0, every=2, **changes):
    """Critic each step, editor each second step."""
    torch.manual_seed(seed)
    return Recipe(
        name=name,
        networks={"editor": Painter(), "critic": critic()},
        phases=(Phase("critic", "critic", criticise), Phase("editor", "editor", paint, every=every)),
        exported=("editor",),
        **changes,
    )


def faces(count=20, size=8, seed=0):
    random = np.random.default_rng(seed)
    return TrainingFaces(
        images=random.integers(0, 256, (count, 3, size, size), dtype=np.uint8),
        labels=random.integers(0, 2, (count, len(ATTRIBUTES)), dtype=np.uint8),
        attributes=ATTRIBUTES,
        digest=f"random-{count}-{size}-{seed}",
    )


def settings(steps=10, **changes):
    return Settings(**{"steps": steps, "batch_size": 4, "sample_every": 0, "save_every": 1000, **changes})
