"""Training the attributes judge of photographs, and measuring it on faces it has not seen.

All attributes of the data set are trained, the thirteen are kept. Faces come in random crops (of every data
set handed in), at random sizes, turned, lit and compressed a little, so that outputs of editors of any size
are in range; hue is left alone, since hair and skin are told by it.
"""

from __future__ import annotations

import copy
import io
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
BINS = 15  # of the calibration error


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
        ids = (crops[0][i].id for i in range(len(crops[0]))) if drop else iter(())
        dropped = {i for i, name in enumerate(ids) if name in drop}
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


def train(
    faces: Faces,
    settings: Settings,
    view: View,
    *,
    start: Callable[[nn.Module], None] = lambda backbone: None,
    say: Say = lambda line: None,
) -> tuple[AttributeJudge, dict[str, Any]]:
    """The averaged network with thirteen outputs, and what its training took.

    `start` fills the backbone with weights, where there are any; without it training starts from nothing. On
    a CPU the same seed gives the same bits.
    """
    names = faces.crops[0].attributes
    begun = time.monotonic()
    with seeded(settings.seed):  # also for dropout
        network = AttributeJudge(settings.backbone, len(names))
        start(network.backbone)
        averaged, took = _fit(network.to(settings.device), faces, settings, view, say)
    kept = thirteen(averaged.to("cpu"), names, settings.backbone)
    return kept, {**took, "seconds": round(time.monotonic() - begun)}


def _fit(
    network: AttributeJudge, faces: Faces, settings: Settings, view: View, say: Say
) -> tuple[AttributeJudge, dict[str, Any]]:
    """The averaged network after all steps."""
    network.to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).eval().requires_grad_(False)
    optimizer = _optimizer(network, settings)
    generator = torch.Generator().manual_seed(settings.seed)
    per_epoch = max(1, len(faces) // settings.batch)
    steps, warm_up = max(1, round(settings.epochs * per_epoch)), settings.warm_up * per_epoch
    recent = math.nan
    for step, (images, labels) in enumerate(_batches(faces, settings, steps)):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * pace(step, steps, warm_up)
        seen = varied(images.to(settings.device), generator, view)
        loss = _loss(network, seen, labels.to(settings.device), settings)
        if not loss.isfinite():
            raise TrainingFailed(f"step {step}: the loss is {float(loss)}; lower the learning rates")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        follow(averaged, network, min(settings.average, (1 + step) / (10 + step)))
        value = float(loss.detach())
        recent = value if step == 0 else 0.98 * recent + 0.02 * value
        if (step + 1) % max(1, steps // 50) == 0:
            say(f"step {step + 1}/{steps}  loss {recent:.4f}")
    return averaged, {"steps": steps, "loss": round(recent, 4)}


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


def _batches(faces: Faces, settings: Settings, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """`steps` batches, epoch after epoch, every face once an epoch."""
    generator = torch.Generator().manual_seed(settings.seed)
    size, done = min(settings.batch, len(faces)), 0
    while done < steps:
        loader = DataLoader(
            faces,
            batch_size=size,
            shuffle=True,
            drop_last=True,
            generator=generator,
            num_workers=settings.workers,
            pin_memory=settings.device.startswith("cuda"),
        )
        for batch in loader:
            if done == steps:
                return
            yield batch
            done += 1
        faces.epoch += 1


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


# ---- gates ----------------------------------------------------------------------------------------


@torch.inference_mode()
def answers(
    network: nn.Module, test: Samples, view: View, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 13) probabilities and (N, 13) labels of every test face, as it is."""
    rows = [test.attributes.index(name) for name in THIRTEEN]
    network.to(settings.device)
    found, labels = [], []
    for start in range(0, len(test), settings.batch):
        samples = [test[i] for i in range(start, min(start + settings.batch, len(test)))]
        images = torch.from_numpy(np.stack([sample.image for sample in samples])).to(settings.device)
        found.append(network(look(from_bytes(images), view)).float().cpu().numpy())
        labels.append(np.stack([sample.labels[rows] for sample in samples]))
    return np.concatenate(found), np.concatenate(labels)


def gates(found: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Per attribute in %: accuracy, its mean; how often present and absent ones are seen; calibration error.

    Accuracies of present and absent attributes give the floor and the ceiling of TARR under this judge.
    """
    present, seen = labels > 0.5, found > 0.5
    right = seen == present
    with np.errstate(invalid="ignore"):
        by_label = [
            np.where(rows.any(0), (right & rows).sum(0) / np.maximum(rows.sum(0), 1), np.nan)
            for rows in (present, ~present)
        ]
    return {
        "faces": len(found),
        "accuracy_mean": round(float(100 * right.mean()), 2),
        "accuracy": _named(100 * right.mean(0)),
        "present_seen": _named(100 * by_label[0]),
        "absent_seen": _named(100 * by_label[1]),
        "calibration_error": _named(
            100 * np.array([calibration_error(*pair) for pair in _pairs(found, present)])
        ),
    }


def _pairs(found: np.ndarray, present: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from zip(found.T, present.T, strict=True)


def calibration_error(probability: np.ndarray, present: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error (Guo et al., 2017): |how often − how sure|, bins weighted by their faces."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(present[place == b].mean() - probability[place == b].mean()) * (place == b).mean()
        for b in np.unique(place)
    ]
    return float(sum(gaps))


def _named(values: np.ndarray) -> dict[str, float | None]:
    """Undefined ones (no such face) are None."""
    return {
        name: None if np.isnan(value) else round(float(value), 2)
        for name, value in zip(THIRTEEN, values, strict=True)
    }
