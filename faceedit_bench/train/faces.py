"""Faces to train on, packed in memory or in a memory map, and the order in which batches take them.

Nothing here has a state that a checkpoint would have to keep: batch n follows from the seed and n alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..contracts import Samples
from ..errors import BadDataset, UnknownName
from .recipe import Recipe, Settings, TrainBatch


@dataclass(frozen=True)
class TrainingFaces:
    """Pictures and labels side by side."""

    images: np.ndarray  # (N, 3, H, W) uint8, RGB; may be a memory map
    labels: np.ndarray  # (N, A) uint8 in {0, 1}
    attributes: tuple[str, ...]  # names of the A columns
    digest: str  # of the data set they come from
    name: str = "faces"
    conflicts: str = "none"  # conflict rule of the labels, for sample sheets
    regions: np.ndarray | None = None  # (N, H, W) uint8, parts of the face, where the data set knows them

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[1] != 3 or self.images.dtype != np.uint8:
            found = f"{self.images.shape} {self.images.dtype}"
            raise BadDataset(f"{self.name}: wanted images (N, 3, H, W) uint8, found {found}")
        if len(self.images) == 0:
            raise BadDataset(f"{self.name}: no faces to train on")
        if self.labels.shape != (len(self.images), len(self.attributes)) or not self.attributes:
            raise BadDataset(
                f"{self.name}: training needs a label for each of {len(self.images)} faces and "
                f"{len(self.attributes)} attributes, found labels of shape {self.labels.shape}"
            )
        wanted = (len(self.images), *self.images.shape[2:])
        if self.regions is not None and self.regions.shape != wanted:
            raise BadDataset(f"{self.name}: wanted regions {wanted}, found {self.regions.shape}")

    def __len__(self) -> int:
        return len(self.images)

    @classmethod
    def of(
        cls, samples: Samples, attributes: Sequence[str] = (), *, name: str = "faces", conflicts: str = "none"
    ) -> TrainingFaces:
        """All of a data set with the label columns `attributes` in that order; () takes all columns."""
        has = tuple(samples.attributes)
        wanted = tuple(attributes) or has
        for attribute in wanted:
            if attribute not in has:
                raise UnknownName(f"attribute of {name}", attribute, has)
        columns = [has.index(attribute) for attribute in wanted]
        images, labels, regions = _packed(samples)
        if labels.ndim != 2 or labels.shape[1] != len(has):
            raise BadDataset(f"{name}: training needs labels; these pictures have none")
        digest = samples.digest()
        return cls(
            images, labels[:, columns], wanted, digest, name=name, conflicts=conflicts, regions=regions
        )


def _packed(samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """(N, 3, H, W) uint8, (N, A) and regions (N, H, W): as the data set keeps them, or one by one."""
    images, labels = getattr(samples, "images", None), getattr(samples, "labels", None)
    if images is not None and labels is not None:
        return images, np.asarray(labels), getattr(samples, "regions", None)
    faces = [samples[index] for index in range(len(samples))]
    shapes = {face.image.shape for face in faces}
    if len(shapes) > 1:
        raise BadDataset(
            f"training needs pictures of one size, found {sorted(shapes)[0]} and {sorted(shapes)[-1]}"
        )
    if not faces:
        return np.zeros((0, 3, 1, 1), np.uint8), np.zeros((0, 0), np.uint8), None
    known = [face.regions for face in faces if face.regions is not None]
    return (
        np.stack([face.image for face in faces]),
        np.stack([face.labels for face in faces]),
        np.stack(known) if len(known) == len(faces) else None,
    )


class Batches:
    """The stream of batches of one training: faces in a new random order each epoch."""

    def __init__(
        self, faces: TrainingFaces, recipe: Recipe, settings: Settings, device: torch.device
    ) -> None:
        self.faces = faces
        self.targets = recipe.targets
        self.regions = faces.regions if recipe.regions != "unused" else None
        if recipe.regions == "needed" and self.regions is None:
            raise BadDataset(
                f"stage {recipe.name!r} learns from the parts of faces, which {faces.name} does not know; "
                'train it on data that provides "regions", such as drawn-faces, or leave it out: give the '
                "weights of its network with --weights-from and name another --stage"
            )
        self.settings = settings
        self.device = device
        self.key = (settings.seed, recipe.name)
        self.format = torch.channels_last if settings.channels_last else torch.contiguous_format
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def batch(self, number: int, step: int) -> TrainBatch:
        """Batch `number` (from 0) of the stream."""
        size = self.settings.batch_size
        rows = self.rows(number * size, size)
        generator = seeded(*self.key, "batch", number)
        images = self.faces.images[rows]  # (B, 3, H, W) uint8, a copy
        regions = None if self.regions is None else self.regions[rows]  # (B, H, W) uint8, a copy
        if self.settings.flip:
            for row in torch.nonzero(torch.rand(size, generator=generator) < 0.5).flatten():
                images[row] = images[row, :, :, ::-1]
                if regions is not None:
                    regions[row] = regions[row, :, ::-1]
        source = torch.from_numpy(self.faces.labels[rows]).float()  # (B, A)
        target = self._target(source, generator)
        return TrainBatch(
            images=self._as_seen(torch.from_numpy(images)),
            source=source.to(self.device),
            target=target.to(self.device, torch.float32),
            generator=generator,
            step=step,
            regions=None if regions is None else torch.from_numpy(regions).to(self.device, torch.int64),
        )

    def _as_seen(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) uint8 on the CPU to float32 in [-1, 1] on the device."""
        there = images.to(self.device).contiguous(memory_format=self.format)
        return torch.div(there, 127.5).sub_(1)

    def rows(self, start: int, size: int) -> np.ndarray:
        """(size,) indices at positions [start, start + size) of the endless stream of epochs."""
        count = len(self.faces)
        parts = []
        while size > 0:
            epoch, first = divmod(start, count)
            parts.append(self._epoch_order(epoch)[first : first + size])
            start, size = start + len(parts[-1]), size - len(parts[-1])
        return np.concatenate(parts)

    def _epoch_order(self, epoch: int) -> np.ndarray:
        if epoch != self._epoch:
            generator = seeded(*self.key, "epoch", epoch)
            self._epoch, self._order = epoch, torch.randperm(len(self.faces), generator=generator).numpy()
        return self._order

    def _target(self, source: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The recipe's targets, or the labels of the batch permuted; a batch of one asks another face."""
        if self.targets is not None:
            return self.targets(source, generator)
        if len(source) > 1:
            return source[torch.randperm(len(source), generator=generator)]
        other = int(torch.randint(len(self.faces), (1,), generator=generator))
        return torch.from_numpy(self.faces.labels[[other]]).float()


def seeded(*key: int | str) -> torch.Generator:
    """A CPU generator whose stream depends on all of the key."""
    return torch.Generator().manual_seed(seed_of(*key))


def seed_of(*key: int | str) -> int:
    """63 bits from sha256 of the key: near keys give unrelated seeds."""
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:8]) >> 1
