"""Drawn people, several pictures of each: who is who is known, and what a perfect edit would give.

The embedded data set `drawn-faces` shows everyone once. Here the same people come in eight scenes, and what
a person changes from day to day (glasses, an open mouth, bangs, a man's beard) changes in a quarter of the
pictures. Splits are those of `drawn-faces`: methods trained on its train split have met no test people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..contracts import DatasetSpec, Sample, Samples
from ..data import drawn
from ..data.drawn_faces import FIRST_SEED, MOST
from ..errors import BadDataset, UnknownName

NAME = "drawn-people"
VERSION = "1"
PICTURES = 8  # of a person
USUAL = 200  # people of a split
CHANGEABLE = ("Bangs", "Eyeglasses", "Mouth_Slightly_Open", "No_Beard")
CHANGES = 0.25  # share of the pictures in which a person has one of them the other way


class DrawnPeople:
    """Pictures of the first people of a split, one person after the other (contracts.Samples)."""

    attributes: tuple[str, ...] = drawn.ATTRIBUTES

    def __init__(self, first: int, count: int, resolution: int) -> None:
        self.first, self.count, self.resolution = first, count, resolution
        people = torch.arange(first, first + -(-count // PICTURES))
        self.seeds = people.repeat_interleave(PICTURES)[:count]  # (N,)
        self.labels = torch.cat([days(int(person)) for person in people])[:count]  # (N, 13) uint8

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        person, picture = int(self.seeds[index]), index % PICTURES
        image = self._draw(index, self.labels[index])
        return Sample(f"{person}-{picture}", image, self.labels[index].numpy(), identity=str(person))

    def truth(self, index: int, target: Sequence[int]) -> np.ndarray:
        """(3, H, W) uint8: the same person in the same scene with exactly the labels `target`."""
        return self._draw(index, torch.tensor([int(value) for value in target], dtype=torch.uint8))

    def digest(self) -> str:
        """sha256 of what is drawn; every pixel follows from it and the renderer's version."""
        told = (VERSION, drawn.VERSION, self.first, self.count, self.resolution)
        return hashlib.sha256(repr(told).encode() + self.labels.numpy().tobytes()).hexdigest()

    def _draw(self, index: int, labels: Tensor) -> np.ndarray:
        person = self.seeds[index : index + 1]
        scene = person * PICTURES + index % PICTURES
        return drawn.draw(person, labels[None], self.resolution, scenes=scene).images[0].numpy()


def days(person: int) -> Tensor:
    """(PICTURES, 13) uint8 labels of a person's pictures."""
    labels = drawn.labels([person]).repeat(PICTURES, 1)
    has = dict(zip(drawn.ATTRIBUTES, labels[0].tolist(), strict=True))
    chance = torch.rand(PICTURES, len(CHANGEABLE), generator=torch.Generator().manual_seed(person))
    for number, name in enumerate(CHANGEABLE):
        if (name == "Bangs" and has["Bald"]) or (name == "No_Beard" and not has["Male"]):
            continue
        labels[:, drawn.ATTRIBUTES.index(name)] ^= (chance[:, number] < CHANGES).to(torch.uint8)
    return labels


def open_drawn_people(root: Path | None, split: str, resolution: int, count: int) -> Samples:
    """The first `count` pictures of a split (0: of 200 people); each is drawn when it is asked for."""
    if root is not None:
        raise BadDataset(f"{NAME} is embedded and reads no folder; leave {root} out")
    if split not in FIRST_SEED:
        raise UnknownName(f"split of {NAME}", split, FIRST_SEED)
    count = count or USUAL * PICTURES
    if not 1 <= count <= MOST or resolution < 16:
        raise BadDataset(
            f"{NAME}: wanted 1 to {MOST} pictures of at least 16 px, found {count} of {resolution} px"
        )
    return DrawnPeople(FIRST_SEED[split], count, resolution)


SPEC = DatasetSpec(
    name=NAME,
    version=VERSION,
    summary="drawn people, eight pictures of each",
    attributes=drawn.ATTRIBUTES,
    splits=tuple(FIRST_SEED),
    open=open_drawn_people,
    provides=("labels", "truth"),
    faces="drawn",
    conflicts="drawn",
)
