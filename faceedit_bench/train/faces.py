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
from ..data import gathered
from ..data.gathered import EachTime
from ..data.jpeg_on_gpu import OnGpu
from ..data.photographs import Photographs
from ..data.reading import AS_THEY_LIE, Reading
from ..data.upload import NextBatch
from ..errors import BadDataset, UnknownName
from .recipe import Recipe, Settings, TrainBatch


@dataclass(frozen=True)
class TrainingFaces:
    """Pictures and labels side by side."""

    images: np.ndarray | EachTime  # (N, 3, H, W) uint8, RGB; may be a memory map, or decoded when indexed
    labels: np.ndarray  # (N, A) uint8 in {0, 1}
    attributes: tuple[str, ...]  # names of the A columns
    digest: str  # of the data set they come from
    name: str = "faces"
    conflicts: str = "none"  # conflict rule of the labels, for sample sheets
    regions: np.ndarray | EachTime | None = None  # (N, H, W) uint8, parts of the face, where they are known
    on_device: bool = False  # pictures are to lie on the device, all of them
    reading: Reading = AS_THEY_LIE  # how they were read

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[1] != 3 or self.images.dtype != np.uint8:
            found = f"{self.images.shape} {self.images.dtype}"
            raise BadDataset(f"{self.name}: wanted images (N, 3, H, W) uint8, found {found}")
        if len(self.images) == 0:
            raise BadDataset(f"{self.name}: no faces to train on")
        if self.labels.shape != (len(self.images), len(self.attributes)):
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
        cls,
        samples: Samples,
        attributes: Sequence[str] = (),
        *,
        name: str = "faces",
        conflicts: str = "none",
        reading: Reading = AS_THEY_LIE,
        on_gpu: OnGpu | None = None,
    ) -> TrainingFaces:
        """All of a data set with the label columns `attributes` in that order; () takes all columns.

        `reading` says where pictures are kept; `on_gpu` decodes those of files.
        """
        has = tuple(samples.attributes)
        wanted = tuple(attributes) or has
        for attribute in wanted:
            if attribute not in has:
                raise UnknownName(f"attribute of {name}", attribute, has)
        columns = [has.index(attribute) for attribute in wanted]
        images, labels, regions = _packed(samples, reading.cache, on_gpu)
        if labels.ndim != 2 or labels.shape[1] != len(has):
            raise BadDataset(f"{name}: training needs labels; these pictures have none")
        digest = samples.digest()
        return cls(
            images,
            labels[:, columns],
            wanted,
            digest,
            name=name,
            conflicts=conflicts,
            regions=regions,
            on_device=reading.cache == "device",
            reading=reading,
        )


def _packed(
    samples: Samples, cache: str, on_gpu: OnGpu | None
) -> tuple[np.ndarray | EachTime, np.ndarray, np.ndarray | EachTime | None]:
    """(N, 3, H, W) uint8, (N, A) and regions (N, H, W): as the data set keeps them, or one by one."""
    if isinstance(samples, Photographs):
        pictures, parts = gathered.images(samples, on_gpu), gathered.regions(samples)
        if cache == "none":
            return pictures, samples.labels, parts
        whole = None if parts is None else gathered.read_all(parts, samples)
        return gathered.read_all(pictures, samples), samples.labels, whole
    images, labels = getattr(samples, "images", None), getattr(samples, "labels", None)
    if images is not None and labels is not None:
        images = np.array(images) if cache == "host" else images
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
        if recipe.labels == "needed" and not faces.attributes:
            raise BadDataset(
                f"stage {recipe.name!r} learns from labels, of which {faces.name} has none; see --data"
            )
        self.groups = [np.arange(len(faces))]
        if recipe.balanced is not None:
            self.groups = with_and_without(faces, recipe.balanced)
        self.settings = settings
        self.device = device
        self.key = (settings.seed, recipe.name)
        self.format = torch.channels_last if settings.channels_last else torch.contiguous_format
        self.kept: torch.Tensor | None = None  # (N, 3, H, W) uint8 on the device
        if faces.on_device:
            self.kept = torch.from_numpy(np.array(faces.images[:])).to(device)
        self.next = NextBatch(self._mirrored, device) if device.type == "cuda" and self.kept is None else None
        self._order = (-1, np.empty(0, np.int64))  # epoch and its rows

    def batch(self, number: int, step: int) -> TrainBatch:
        """Batch `number` (from 0) of the stream."""
        rows = self._rows_of(number)
        generator = seeded(*self.key, "batch", number)
        mirrored = self._to_mirror(generator)
        regions = None if self.regions is None else self.regions[rows]  # (B, H, W) uint8, a copy
        if regions is not None:
            regions[mirrored] = regions[mirrored, :, ::-1]
        source = torch.from_numpy(self.faces.labels[rows]).float()  # (B, A)
        target = self._target(source, generator)
        return TrainBatch(
            images=self._as_seen(self._pictures(number, mirrored)),
            source=source.to(self.device),
            target=target.to(self.device, torch.float32),
            generator=generator,
            step=step,
            regions=None if regions is None else torch.from_numpy(regions).to(self.device, torch.int64),
        )

    def _to_mirror(self, generator: torch.Generator) -> np.ndarray:
        """Places in a batch, about half of them; the first that its generator gives."""
        if not self.settings.flip:
            return np.zeros(0, np.int64)
        chosen = torch.rand(self.settings.batch_size, generator=generator) < 0.5
        return torch.nonzero(chosen).flatten().numpy()

    def _pictures(self, number: int, mirrored: np.ndarray) -> torch.Tensor:
        """(B, 3, H, W) uint8 of a batch; on a GPU the next one is begun."""
        if self.kept is not None:
            there = self.kept[torch.from_numpy(self._rows_of(number)).to(self.device)]
            places = torch.from_numpy(mirrored).to(self.device)
            there[places] = there[places].flip(-1)
            return there
        ready = None if self.next is None else self.next.take(number)
        if self.next is not None:
            self.next.begin(number + 1)
        return torch.from_numpy(self._mirrored(number)) if ready is None else ready

    def _mirrored(self, number: int) -> np.ndarray:
        """(B, 3, H, W) uint8 of a batch, from its number alone."""
        images = self.faces.images[self._rows_of(number)]  # a copy
        places = self._to_mirror(seeded(*self.key, "batch", number))
        images[places] = images[places, :, :, ::-1]
        return images

    def _rows_of(self, number: int) -> np.ndarray:
        size = self.settings.batch_size
        return self.rows(number * size, size)

    def _as_seen(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) uint8 on the CPU to float32 in [-1, 1] on the device."""
        there = images.to(self.device).contiguous(memory_format=self.format)
        return torch.div(there, 127.5).sub_(1)

    def rows(self, start: int, size: int) -> np.ndarray:
        """(size,) indices at positions [start, start + size) of the endless stream of epochs.

        An epoch has every face once; of two groups by turns, those of the smaller one as often as it takes.
        """
        count = len(self.groups) * max(map(len, self.groups))
        parts = []
        while size > 0:
            epoch, first = divmod(start, count)
            parts.append(self._epoch_order(epoch)[first : first + size])
            start, size = start + len(parts[-1]), size - len(parts[-1])
        return np.concatenate(parts)

    def _epoch_order(self, epoch: int) -> np.ndarray:
        known = self._order  # one tuple, since a thread reads ahead
        if known[0] != epoch:
            generator, longest = seeded(*self.key, "epoch", epoch), max(map(len, self.groups))
            drawn = [shuffled(group, longest, generator) for group in self.groups]
            known = self._order = epoch, np.stack(drawn, 1).flatten()
        return known[1]

    def _target(self, source: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The recipe's targets, or the labels of the batch permuted; a batch of one asks another face."""
        if self.targets is not None:
            return self.targets(source, generator)
        if len(source) > 1:
            return source[torch.randperm(len(source), generator=generator)]
        other = int(torch.randint(len(self.faces), (1,), generator=generator))
        return torch.from_numpy(self.faces.labels[[other]]).float()


def with_and_without(faces: TrainingFaces, column: int) -> list[np.ndarray]:
    """Rows of the faces that have an attribute, and of those that do not."""
    has = faces.labels[:, column] > 0
    groups = [np.flatnonzero(has), np.flatnonzero(~has)]
    for group, kind in zip(groups, ("with", "without"), strict=True):
        if len(group) == 0:
            raise BadDataset(
                f"{faces.name}: batches are to hold faces with and without {faces.attributes[column]} in "
                f"equal numbers, and none of the {len(faces)} is {kind} it; take more faces, or "
                "--option balanced=false"
            )
    return groups


def shuffled(group: np.ndarray, count: int, generator: torch.Generator) -> np.ndarray:
    """(count,) of a group in random order; once all were taken, in another."""
    times = -(-count // len(group))
    orders = [torch.randperm(len(group), generator=generator).numpy() for _ in range(times)]
    return group[np.concatenate(orders)[:count]]


def seeded(*key: int | str) -> torch.Generator:
    """A CPU generator whose stream depends on all of the key."""
    return torch.Generator().manual_seed(seed_of(*key))


def seed_of(*key: int | str) -> int:
    """63 bits from sha256 of the key: near keys give unrelated seeds."""
    return int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:8]) >> 1
