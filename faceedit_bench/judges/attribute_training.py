"""Training the attributes judge of photographs.

All attributes of the data set are trained, the thirteen are kept. Faces come in random crops (of every data
set handed in), at random sizes, turned, lit and compressed a little, so that outputs of editors of any size
are in range; hue is left alone, since hair and skin are told by it.
"""

from __future__ import annotations

import copy
import io
import itertools
import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..contracts import THIRTEEN, Samples, View
from ..errors import BadDataset, TrainingFailed
from .attribute_network import AttributeJudge
from .fit import seeded
from .pictures import from_bytes
from .view import look

Say = Callable[[str], None]
SIDES = (96, 128, 178, 256)  # pixels a face may have had before the judge's own resizing


@dataclass(frozen=True)
class Settings:
    """How the judge is trained."""

    backbone: str = "resnet50"  # of timm
    epochs: float = 12.0
    batch: int = 256  # faces per step
    head_rate: float = 3e-4  # AdamW's peak learning rate
    backbone_rate: float = 1e-4
    decay: float = 0.05  # weight decay
    warm_up: float = 1.0  # epochs
    smoothing: float = 0.02  # of the labels
    average: float = 0.9998  # of the weights, per step; less at the beginning
    seed: int = 0
    device: str = "cpu"
    workers: int = 0  # processes that read pictures


# ---- faces ----------------------------------------------------------------------------------------


class Faces(Dataset[tuple[Tensor, Tensor]]):
    """Faces of one or several crops of the same pictures, each time one crop at random.

    Item i: (3, S, S) uint8 and (A,) float32 labels. What is random depends on the seed, the item and the
    epoch alone, so the number of reading processes changes nothing.
    """

    def __init__(self, crops: Sequence[Samples], seed: int, left_out: Collection[str] = ()) -> None:
        self.crops, self.seed, self.epoch = crops, seed, 0
        same_faces(crops)
        drop = set(left_out)
        dropped = {i for i, name in enumerate(_ids(crops[0]) if drop else ()) if name in drop}
        self.rows = [i for i in range(len(crops[0])) if i not in dropped]
        self.left_out = len(dropped)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng([self.seed, self.epoch, self.rows[index]])
        sample = self.crops[int(generator.integers(len(self.crops)))][self.rows[index]]
        image = sample.image
        if generator.random() < 0.2:
            image = compressed(image, int(generator.integers(60, 101)))
        return torch.from_numpy(np.array(image)), torch.tensor(sample.labels, dtype=torch.float32)


def _ids(samples: Samples) -> list[str]:
    """Those that the data set lists, else those of its pictures, which are read for it."""
    listed: list[str] | None = getattr(samples, "ids", None)
    return listed if listed is not None else [samples[i].id for i in range(len(samples))]


def same_faces(crops: Sequence[Samples]) -> None:
    """All crops show the same faces, with labels that name the thirteen."""
    lengths, names = {len(crop) for crop in crops}, {crop.attributes for crop in crops}
    if len(lengths) > 1 or len(names) > 1:
        raise BadDataset(
            f"several --data must be crops of the same faces; found {sorted(lengths)} faces and "
            f"{len(names)} lists of attributes"
        )
    missing = [name for name in THIRTEEN if name not in crops[0].attributes]
    if missing:
        raise BadDataset(f"an attributes judge needs labels of {', '.join(missing)}, which these data lack")


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """(3, H, W) uint8 after JPEG."""
    stored = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(stored, "JPEG", quality=quality)
    with Image.open(stored) as picture:
        return np.asarray(picture.convert("RGB")).transpose(2, 0, 1)


def varied(images: Tensor, generator: Generator, view: View) -> Tensor:
    """(B, 3, S, S) uint8 -> as the judge sees them: mirrored, turned by up to 5°, scaled by up to 5 %, lit by
    up to 10 %, taken to a random side and then to the view's."""
    faces = from_bytes(images)
    rows, device = len(faces), faces.device

    def between(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(rows, generator=generator)).to(device)

    angle, scale = between(-math.radians(5), math.radians(5)), between(0.95, 1.05)
    mirror = torch.where(torch.rand(rows, generator=generator) < 0.5, -1.0, 1.0).to(device)
    theta = torch.zeros(rows, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * scale * angle.cos(), -scale * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = mirror * scale * angle.sin(), scale * angle.cos()
    grid = F.affine_grid(theta, list(faces.shape), align_corners=False)
    faces = F.grid_sample(faces, grid, padding_mode="border", align_corners=False)
    light, contrast = between(-0.1, 0.1).view(-1, 1, 1, 1), between(0.9, 1.1).view(-1, 1, 1, 1)
    faces = (faces * contrast + light).clamp(-1, 1)
    side = SIDES[int(torch.randint(len(SIDES), (), generator=generator))]
    faces = F.interpolate(faces, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return look(faces, view)


# ---- training -------------------------------------------------------------------------------------


class Kept(Protocol):
    """Where an unfinished training waits for the same command to be given again."""

    def load(self) -> dict[str, Any] | None: ...
    def save(self, content: dict[str, Any]) -> None: ...


def train(
    faces: Faces,
    settings: Settings,
    view: View,
    *,
    start: Callable[[nn.Module], None] = lambda backbone: None,
    kept: Kept | None = None,
    say: Say = lambda line: None,
) -> tuple[AttributeJudge, dict[str, Any]]:
    """The averaged network with thirteen outputs, and what its training took.

    `start` fills the backbone with weights, where there are any; without it training starts from nothing. On
    a CPU the same seed gives the same bits, also if the training was ended and goes on from what was `kept`
    after its last whole epoch.
    """
    names = faces.crops[0].attributes
    with seeded(settings.seed):  # also for dropout
        network = AttributeJudge(settings.backbone, len(names))
        start(network.backbone)
        course = _Course(network.to(settings.device), faces, settings)
        if kept and (content := kept.load()):
            course.restore(content)
            say(f"going on after step {course.step}")
        while course.step < course.steps:
            course.epoch(view, say)
            if kept:
                kept.save(course.state())
    told = {"steps": course.steps, "loss": round(course.recent, 4), "seconds": round(course.seconds)}
    return thirteen(course.averaged.to("cpu"), names, settings.backbone), told


class _Course:
    """A training under way, with all that its next epoch depends on."""

    def __init__(self, network: AttributeJudge, faces: Faces, settings: Settings) -> None:
        self.network = network.to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(network).eval().requires_grad_(False)
        self.faces, self.settings = faces, settings
        self.optimizer = _optimizer(network, settings)
        self.views = torch.Generator().manual_seed(settings.seed)  # what `varied` draws
        self.order = torch.Generator().manual_seed(settings.seed)  # of the faces in an epoch
        per_epoch = max(1, len(faces) // settings.batch)
        self.steps, self.warm_up = max(1, round(settings.epochs * per_epoch)), settings.warm_up * per_epoch
        self.step, self.recent, self.seconds = 0, math.nan, 0.0

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "views": self.views.get_state(),
            "order": self.order.get_state(),
            "dropout": torch.get_rng_state(),
            "dropout_on_gpu": torch.cuda.get_rng_state(self.settings.device) if self._on_gpu else None,
            "epoch": self.faces.epoch,
            "step": self.step,
            "recent": self.recent,
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.views.set_state(state["views"])
        self.order.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        if self._on_gpu:
            torch.cuda.set_rng_state(state["dropout_on_gpu"], self.settings.device)
        self.faces.epoch, self.step = state["epoch"], state["step"]
        self.recent, self.seconds = state["recent"], state["seconds"]

    @property
    def _on_gpu(self) -> bool:
        return self.settings.device.startswith("cuda")

    def epoch(self, view: View, say: Say) -> None:
        """Every face once, or as many as the steps that are left."""
        begun = time.monotonic()
        for images, labels in itertools.islice(self._batches(), self.steps - self.step):
            value = self._one_step(images, labels, view)
            self.recent = value if self.step == 0 else 0.98 * self.recent + 0.02 * value
            self.step += 1
            if self.step % max(1, self.steps // 50) == 0:
                say(f"step {self.step}/{self.steps}  loss {self.recent:.4f}")
        self.faces.epoch += 1
        self.seconds += time.monotonic() - begun

    def _batches(self) -> DataLoader[tuple[Tensor, Tensor]]:
        return DataLoader(
            self.faces,
            batch_size=min(self.settings.batch, len(self.faces)),
            shuffle=True,
            drop_last=True,
            generator=self.order,
            num_workers=self.settings.workers,
            pin_memory=self._on_gpu,
        )

    def _one_step(self, images: Tensor, labels: Tensor, view: View) -> float:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * pace(self.step, self.steps, self.warm_up)
        seen = varied(images.to(settings.device), self.views, view)
        loss = _loss(self.network, seen, labels.to(settings.device), settings)
        if not loss.isfinite():
            raise TrainingFailed(f"step {self.step}: the loss is {float(loss)}; lower the learning rates")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        follow(self.averaged, self.network, min(settings.average, (1 + self.step) / (10 + self.step)))
        return float(loss.detach())


def _optimizer(network: AttributeJudge, settings: Settings) -> torch.optim.Optimizer:
    rates = [(network.backbone, settings.backbone_rate), (network.head, settings.head_rate)]
    groups = [{"params": list(part.parameters()), "lr": rate, "peak": rate} for part, rate in rates]
    return torch.optim.AdamW(groups, weight_decay=settings.decay)


def _loss(network: AttributeJudge, seen: Tensor, labels: Tensor, settings: Settings) -> Tensor:
    """Binary cross entropy with smoothed labels, mean over faces and attributes; bfloat16 on a GPU."""
    wanted = labels * (1 - settings.smoothing) + settings.smoothing / 2
    with torch.autocast("cuda", torch.bfloat16, enabled=settings.device.startswith("cuda")):
        logits = network.logits(seen.contiguous(memory_format=torch.channels_last))
    return F.binary_cross_entropy_with_logits(logits.float(), wanted)


def pace(step: int, steps: int, warm_up: float) -> float:
    """Share of the peak rate: linear warm-up, then a cosine to nothing."""
    if step < warm_up:
        return (step + 1) / max(1.0, warm_up)
    done = (step - warm_up) / max(1.0, steps - warm_up)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@torch.no_grad()
def follow(averaged: nn.Module, network: nn.Module, share: float) -> None:
    """Exponential average of the weights; what a norm counts is taken as it is."""
    for mine, theirs in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - share)
        else:
            mine.copy_(theirs)


def thirteen(network: AttributeJudge, names: Sequence[str], backbone: str) -> AttributeJudge:
    """The same judge with the outputs of the thirteen alone."""
    rows = [names.index(name) for name in THIRTEEN]
    kept = AttributeJudge(backbone)
    state = {key: value for key, value in network.state_dict().items() if not key.startswith("head.")}
    state |= {f"head.{key}": value[rows] for key, value in network.head.state_dict().items()}
    kept.load_state_dict(state)
    return kept.eval().requires_grad_(False)
