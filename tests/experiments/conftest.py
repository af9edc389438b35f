"""Experiments of seconds: few drawn people, a very narrow recogniser, a handful of steps."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from faceedit_bench.experiments.augmentation import augment
from faceedit_bench.experiments.drawn_people import PICTURES, DrawnPeople
from faceedit_bench.experiments.pictures import opened
from faceedit_bench.experiments.protocol import SMALL, Protocol, TestSet
from faceedit_bench.experiments.records import Outcome

sys.path.append(str(Path(__file__).parents[1] / "data"))  # celeba_tree

PEOPLE = 12  # in training and in the test, eight pictures each
TINY = dataclasses.replace(
    SMALL,
    count=8 * PEOPLE,
    tests=(TestSet("drawn-people", "test", count=8 * PEOPLE),),
    resolution=32,
    size=32,
    width=2,
    epochs=1.5,
    batch=16,
    replicates=20,
    fars=(0.1, 0.01, 1e-4),
)

Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def forgets_data_sets() -> None:
    """Every test opens its own."""
    opened.cache_clear()


_drawn: dict[tuple[int, int, int, bytes], np.ndarray] = {}  # drawing is most of a small experiment


@pytest.fixture(autouse=True)
def draws_everyone_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same picture in another test of this process is remembered."""
    draw = DrawnPeople._draw

    def remembered(self: DrawnPeople, index: int, labels: torch.Tensor) -> np.ndarray:
        key = (int(self.seeds[index]), index % PICTURES, self.resolution, labels.numpy().tobytes())
        if key not in _drawn:
            _drawn[key] = draw(self, index, labels)
        return _drawn[key]

    monkeypatch.setattr(DrawnPeople, "_draw", remembered)


@pytest.fixture
def tiny_protocol() -> Protocol:
    return TINY


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run(method, folder="results", **changes of the protocol)`."""

    def ask(method: str = "copy", folder: str = "results", workers: int = 1, **changes: Any) -> Outcome:
        protocol = dataclasses.replace(TINY, **changes)
        return augment(method, chosen=protocol, results=tmp_path / folder, workers=workers)

    return ask
