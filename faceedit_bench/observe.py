"""One batch seen by all metrics; each judge is asked at most once per kind of picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .contracts import EditBatch
from .suite import Edit

Judge = Callable[..., Tensor]  # of one batch of pictures (B, 3, H, W) in [-1, 1], or of two: (B, D)


@dataclass(frozen=True)
class Above:
    """A judge that takes the answers of another of the judges, which so looks once for both."""

    role: str  # of that other
    head: Callable[[Tensor], Tensor]  # (B, D of that other) -> (B, D)
    outputs: tuple[str, ...] = ()


WIDEST = 4096  # numbers per face: longer answers on source pictures (maps) are not kept for the next edit


def to_unit(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 -> `dtype` in [-1, 1]."""
    return images.to(dtype, copy=True).div_(127.5).sub_(1.0)


def to_bytes(images: Tensor) -> Tensor:
    """[-1, 1] -> uint8: clamp, scale, round to nearest even. Done once, before any judge.

    In rows, as pictures are read from files: a method may return channels last, by which judges' last bits
    would differ. Every step rounds as IEEE 754 says, so a GPU gives the same bytes.
    """
    rounded = images.clamp(-1.0, 1.0).mul_(127.5).add_(127.5).round_()
    return rounded.to(torch.uint8, memory_format=torch.contiguous_format)


@dataclass
class Observation:
    """What metrics see. Pictures are 8-bit, so scores equal those of saved PNGs."""

    batch: EditBatch  # in the suite's attribute order
    samples: Tensor  # (B,) int64: positions in the suite's sample list
    edit: Edit
    edit_index: int
    source: Tensor  # (B, 3, H, W) uint8
    edited: Tensor  # (B, 3, H, W) uint8
    truth: Tensor | None  # (B, 3, H, W) uint8
    regions: Tensor | None  # (B, H, W) uint8
    judges: Mapping[str, Judge | Above]
    device: str = "cpu"  # the judges'
    dtype: torch.dtype = torch.float32  # of what judges are shown and answer
    landmarks: Tensor | None = None  # (B, 5, 2) float32 points of the source pictures, in pixels
    remembered: MutableMapping[tuple[str, tuple[int, ...]], Tensor] = field(
        default_factory=dict
    )  # source answers, by role and positions
    reconstruction: Tensor | None = None  # (B, 3, H, W) uint8, where a metric needs it beside an edit
    shared: MutableMapping[str, Any] = field(default_factory=dict)  # among the metrics of this batch
    _answers: dict[tuple[str, str], Tensor] = field(default_factory=dict)
    _unit: dict[str, Tensor] = field(default_factory=dict)

    def judge(self, role: str, image: str = "edited", points: str = "") -> Tensor:
        """(B, D) answers of the judge of `role` on the "edited", "source", "truth" or "reconstruction"
        pictures.

        `points`: role of the judge that finds the faces to align, in each picture; "": those of the source.
        """
        key = (f"{role} at {points}" if points else role, image)
        if key not in self._answers:
            answer = self._source_answer if image == "source" else self._ask
            self._answers[key] = answer(role, image, points=points)
        return self._answers[key]

    def outputs(self, role: str) -> tuple[str, ...]:
        """Names of the D columns of the judge of `role`; () where they have none."""
        return getattr(self.judges[role], "outputs", ())

    def _source_answer(self, role: str, image: str, *, points: str) -> Tensor:
        """Source pictures come again under every edit, in the same batches: ask once."""
        place = (f"{role} at {points}" if points else role, tuple(self.samples.tolist()))
        if place in self.remembered:
            return self.remembered[place]
        answers = self._ask(role, image, points=points)
        if answers.shape[-1] <= WIDEST:
            self.remembered[place] = answers
        return answers

    def compare(self, role: str, against: str = "source", image: str = "edited") -> Tensor:
        """(B, D) answers of a judge of pairs on the "edited" or "reconstruction" pictures and the "source" or
        "truth" ones."""
        key = (role, f"{image} against {against}")
        if key not in self._answers:
            self._answers[key] = self._ask(role, image, against)
        return self._answers[key]

    def _ask(self, role: str, *images: str, points: str = "") -> Tensor:
        judge = self.judges[role]
        if isinstance(judge, Above):
            answers = judge.head(self.judge(judge.role, *images).to(self.device))
        else:
            asked = [self._pictures(image) for image in images]
            if getattr(judge, "aligns", False):
                asked.append(self._points(images[0], points))
            answers = judge(*asked)
        return answers.to("cpu", self.dtype)

    def _points(self, image: str, finder: str) -> Tensor:
        """(B, 5, 2) points on the judges' device, in pixels: those found in this picture by the judge of role
        `finder`; without one those of the source, whatever the picture."""
        if finder:
            shares = self.judge(finder, image)[:, 1:].view(-1, 5, 2)
            return (shares * self.source.shape[-1] - 0.5).to(self.device)
        assert self.landmarks is not None, "suites are checked for data with landmarks"
        return self.landmarks.to(self.device)

    def _pictures(self, image: str) -> Tensor:
        """(B, 3, H, W) in [-1, 1] on the judges' device, made once for all, so they must not change it."""
        if image not in self._unit:
            pictures = {
                "edited": self.edited,
                "source": self.source,
                "truth": self.truth,
                "reconstruction": self.reconstruction,
            }[image]
            assert pictures is not None, f"a metric asked for the {image}, which it did not say that it needs"
            self._unit[image] = to_unit(pictures.to(self.device), self.dtype)
        return self._unit[image]
