"""Training one recogniser. Arms differ in the version of a picture that they are shown, and in nothing else.

All arms start from the same weights and take the same pictures in the same batches. An arm with edits shows
a picture in one of its versions, in turns: after as many epochs as there are versions, each picture has
appeared once in each. Those epochs are one epoch of the paper's enlarged training set, and an arm whose edits
change nothing gives the bits of the arm without edits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ..errors import TrainingFailed
from ..train import checkpoint
from ..train.faces import seeded
from .pairs import numbered
from .pictures import Pictures
from .protocol import Protocol
from .recogniser import Recogniser, as_seen

SAVE_EVERY = 60.0  # seconds
DROPS = (0.5, 0.75)  # shares of the steps after which the rate is divided by ten
TOLD = 20  # losses kept of a training

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Arm:
    """A recogniser to train: its name and the versions of a picture that it is shown."""

    name: str
    versions: tuple[int, ...]


def arms(attributes: tuple[str, ...]) -> list[Arm]:
    """`none`, then for each attribute the picture as it is and both its edits (columns of edits.versions)."""
    edited = [Arm(name, (0, 1 + 2 * number, 2 + 2 * number)) for number, name in enumerate(attributes)]
    return [Arm("none", (0,)), *edited]


class Order:
    """Which pictures, and which version of each, batch after batch: a function of the seed alone."""

    def __init__(self, count: int, versions: tuple[int, ...], batch: int, seed: int) -> None:
        self.count, self.versions, self.size, self.seed = count, versions, batch, seed
        self._epoch, self._rows, self._shown = -1, np.empty(0, np.int64), np.empty(0, np.int64)

    def batch(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """(B,) rows and (B,) versions of batch `number`, counted from 0 through all epochs."""
        places = np.arange(number * self.size, (number + 1) * self.size)
        parts = [self._taken(int(epoch), places) for epoch in np.unique(places // self.count)]
        return np.concatenate([rows for rows, _ in parts]), np.concatenate([shown for _, shown in parts])

    def _taken(self, epoch: int, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if epoch != self._epoch:
            self._epoch, self._rows = epoch, self._shuffled(epoch)
            self._shown = self._versions(epoch)
        rows = self._rows[places[places // self.count == epoch] % self.count]
        return rows, self._shown[rows]

    def _shuffled(self, epoch: int) -> np.ndarray:
        return torch.randperm(self.count, generator=seeded(self.seed, "epoch", epoch)).numpy()

    def _versions(self, epoch: int) -> np.ndarray:
        """(N,) version of each picture in an epoch: a random start, then one after the other."""
        turn, place = divmod(epoch, len(self.versions))
        generator = seeded(self.seed, "versions", turn)
        start = torch.randint(len(self.versions), (self.count,), generator=generator).numpy()
        return np.array(self.versions)[(start + place) % len(self.versions)]


def train(
    arm: Arm,
    pictures: Pictures,
    protocol: Protocol,
    folder: Path,
    device: str,
    advance: Advance = lambda steps: None,
) -> tuple[Recogniser, dict[str, Any]]:
    """A recogniser of the people of `pictures`, and the course of its training.

    Goes on from the checkpoint in `folder`, with the bits of a training that was not stopped.
    """
    who = torch.from_numpy(numbered(pictures.people)).long()
    order = Order(len(pictures), arm.versions, protocol.batch, protocol.seed)
    steps = protocol.steps(len(pictures))
    network = started(int(who.max()) + 1, protocol).to(device)
    optimiser = torch.optim.SGD(
        network.parameters(), protocol.lr, protocol.momentum, weight_decay=protocol.decay
    )
    step, seconds, losses = resumed(folder, network, optimiser, device)
    advance(step)
    began = saved = time.monotonic()
    network.train()
    while step < steps:
        rows, versions = order.batch(step)
        for group in optimiser.param_groups:
            group["lr"] = protocol.lr * pace(step, steps)
        faces = as_seen(pictures.take(rows, versions), device)
        loss = F.cross_entropy(network(faces), who[rows].to(device))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        advance(1)
        if step % max(1, steps // TOLD) == 0:
            losses.append({"step": step, "loss": finite(float(loss.detach()), arm, step)})
        if time.monotonic() - saved > SAVE_EVERY and step < steps:
            saved = time.monotonic()
            save(folder, network, optimiser, step, seconds + saved - began, losses)
    course = {"steps": steps, "seconds": round(seconds + time.monotonic() - began, 1), "losses": losses}
    return network.eval(), course


def started(people: int, protocol: Protocol) -> Recogniser:
    """The network that every arm starts from; the process's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(protocol.seed)
        return Recogniser(people, protocol.width).to(memory_format=torch.channels_last)


def pace(step: int, steps: int) -> float:
    """Share of the learning rate: a tenth after each drop."""
    return 0.1 ** sum(step >= drop * steps for drop in DROPS)


def finite(loss: float, arm: Arm, step: int) -> float:
    """A loss that is still a number."""
    if not np.isfinite(loss):
        raise TrainingFailed(
            f"recogniser {arm.name!r}: the loss is {loss} at step {step}; lower lr with --set"
        )
    return loss


# ---- going on -------------------------------------------------------------------------------------


def save(
    folder: Path,
    network: Recogniser,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
    losses: list[dict[str, float]],
) -> None:
    """Everything that a later session needs."""
    checkpoint.save(
        folder,
        {
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "seconds": seconds,
            "losses": losses,
        },
    )


def resumed(
    folder: Path, network: Recogniser, optimiser: torch.optim.Optimizer, device: str
) -> tuple[int, float, list[dict[str, float]]]:
    """Step, seconds and losses of the checkpoint in `folder`, loaded; a new start without one."""
    found = checkpoint.load(folder, device)
    if found is None:
        return 0, 0.0, []
    network.load_state_dict(found["network"])
    optimiser.load_state_dict(found["optimiser"])
    return found["step"], found["seconds"], list(found["losses"])
