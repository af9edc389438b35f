"""What an augmentation experiment does, as data: faces, edits, recogniser, tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..errors import BadConfig, UnknownName

PAIRINGS = ("targets", "view2")


@dataclass(frozen=True)
class TestSet:
    """Faces of people whom the recogniser has never met, and which pairs of them are judged."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  (read by pydantic)
    __test__ = False  # pytest: not a test

    dataset: str
    split: str
    pairs: str = (
        "targets"  # "targets": one picture of each person against all others; "view2": LFW's pairs.txt
    )
    count: int = 0  # pictures; 0 takes the whole split


@dataclass(frozen=True)
class Protocol:
    """Everything here is part of an experiment's identity."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    name: str
    summary: str
    dataset: str  # the people of training; a data set that knows who is who
    split: str
    tests: tuple[TestSet, ...]
    attributes: tuple[str, ...]  # each makes an arm: training with edits of it
    count: int = 0  # pictures of training; 0 takes the whole split
    resolution: int = 128  # pixels per side of what methods edit
    size: int = 128  # pixels per side of what the recogniser sees

    # the recogniser: hyper-parameters are not published, these are our reading
    width: int = 64  # channels of ResNet-18's first layer
    epochs: float = 30  # of the training pictures, in every arm
    batch: int = 128
    lr: float = 0.1  # of SGD; divided by 10 after a half and after three quarters of the steps
    momentum: float = 0.9
    decay: float = 5e-4  # weight decay

    # the report
    fars: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4)  # false accept rates at which true accepts are told
    replicates: int = 1000  # of the bootstrap over test people
    seed: int = 1
    threads: int = 1  # of the CPU; part of the numerics

    def __post_init__(self) -> None:
        for key in ("resolution", "size", "width", "batch", "replicates", "threads"):
            if getattr(self, key) < 1:
                raise BadConfig(f"protocol: {key} must be at least 1, found {getattr(self, key)}")
        for key in ("epochs", "lr"):
            if not 0 < getattr(self, key) < float("inf"):
                raise BadConfig(f"protocol: {key} must be above 0, found {getattr(self, key)}")
        if self.size > self.resolution:
            raise BadConfig(
                f"protocol: the recogniser cannot see more than there is: size {self.size} px of pictures of "
                f"{self.resolution} px; lower size, or raise resolution"
            )
        if wrong := [far for far in self.fars if not 0 < far < 1]:
            raise BadConfig(f"protocol: fars must lie between 0 and 1, found {wrong}")
        if not self.tests:
            raise BadConfig("protocol: no tests; name at least one set of test people")
        for test in self.tests:
            if test.pairs not in PAIRINGS:
                raise UnknownName("pairs of a test", test.pairs, PAIRINGS)
        for key, names in (
            ("attributes", self.attributes),
            ("tests", [f"{test.dataset} {test.split}" for test in self.tests]),
        ):
            if len(set(names)) < len(names) or not names:
                raise BadConfig(
                    f"protocol: {key} wants at least one, each once; found {', '.join(names) or 'none'}"
                )

    def steps(self, pictures: int) -> int:
        """Optimiser steps of every arm: so many epochs of the pictures as they are."""
        return max(1, round(self.epochs * pictures / self.batch))


SMALL = Protocol(
    name="small",
    summary="drawn people at 64 px, a narrow ResNet-18: minutes on one core",
    dataset="drawn-people",
    split="train",
    count=1600,
    tests=(TestSet("drawn-people", "test", count=2400),),
    attributes=("Eyeglasses",),
    size=64,
    width=16,
    epochs=40,
    batch=64,
)
PAPER = Protocol(
    name="paper",
    summary="CelebA split by person, LFW view 2, ResNet-18: as in the paper, with your photographs",
    dataset="celeba",
    split="people-train",
    tests=(TestSet("celeba", "people-test"), TestSet("lfw", "pairs", pairs="view2")),
    attributes=("Eyeglasses", "Mouth_Slightly_Open", "Smiling", "No_Beard"),
    replicates=200,
)
PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in (SMALL, PAPER)}


def load(name: str, overrides: Sequence[str] = (), attributes: Sequence[str] = ()) -> Protocol:
    """A protocol by name or by the path of a TOML file; `overrides` are the `key=value` of --set."""
    if name.endswith(".toml"):
        found = config.load(Protocol, Path(name), overrides)
    elif name in PROTOCOLS:
        values = config.parse_overrides(overrides)
        found = config.fill(Protocol, values, where="--set", base=PROTOCOLS[name])
    else:
        raise UnknownName("protocol", name, PROTOCOLS, extra="; or give the path of a .toml file")
    return dataclasses.replace(found, attributes=tuple(attributes)) if attributes else found
