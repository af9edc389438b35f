"""The one training loop of the demo judges: AdamW, a warm-up and a cosine; same seed, same bits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn


@dataclass(frozen=True)
class Settings:
    """How long and how fast a judge is trained."""

    steps: int
    batch: int = 128  # pictures per step
    rate: float = 2e-3  # AdamW's peak learning rate
    decay: float = 0.02  # weight decay
    warm_up: int = 30  # steps
    people: int = 1500  # train identities, six pictures each
    seed: int = 0
    minutes: float | None = None  # stop after this long at the latest
    device: str = "cpu"


@dataclass(frozen=True)
class Course:
    """What a training took."""

    steps: int
    seconds: float
    loss: float  # mean of the last 50 steps

    def facts(self) -> dict[str, Any]:
        return {"steps": self.steps, "seconds": round(self.seconds), "loss": round(self.loss, 4)}


def fit(
    parts: nn.Module,
    loss: Callable[[Generator, int], Tensor],
    settings: Settings,
    *,
    after: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = lambda line: None,
) -> Course:
    """Minimise `loss(generator, step)` over the parameters of `parts`; `after` runs behind every step.

    The cosine follows the steps or the clock, whichever is further, so a training cut short by `minutes`
    still ends with small steps; only one that is not cut short gives the same bits again.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(parts.parameters(), lr=settings.rate, weight_decay=settings.decay)
    started, step = time.monotonic(), 0
    recent: list[float] = []
    parts.train().to(memory_format=torch.channels_last)  # convolutions of few channels run a third faster
    while step < settings.steps:
        clock = (time.monotonic() - started) / (60 * settings.minutes) if settings.minutes else 0.0
        if clock >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * pace(step, settings, clock)
        value = loss(generator, step)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        after()
        step += 1
        recent = [*recent[-49:], float(value.detach())]
        if step % max(1, settings.steps // 10) == 0:
            say(f"step {step}/{settings.steps}  loss {sum(recent) / len(recent):.4f}")
    parts.eval()
    return Course(step, time.monotonic() - started, sum(recent) / max(1, len(recent)))


def pace(step: int, settings: Settings, clock: float = 0.0) -> float:
    """Share of the peak rate: linear warm-up times a cosine to nearly nothing."""
    done = min(1.0, max(step / settings.steps, clock))
    return min(1.0, (step + 1) / settings.warm_up) * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def chosen(total: int, count: int, generator: Generator) -> Tensor:
    """(count,) indices of different pictures, on the CPU."""
    return torch.randperm(total, generator=generator)[:count]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Networks made inside start from this seed; the process's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def answers(judge: Callable[[Tensor], Tensor], images: Tensor, device: str = "cpu") -> Tensor:
    """(N, D) answers on (N, 3, S, S) uint8, in batches, on the CPU."""
    from .pictures import from_bytes

    with torch.inference_mode():
        return torch.cat([judge(from_bytes(part.to(device))).cpu() for part in images.split(200)])
