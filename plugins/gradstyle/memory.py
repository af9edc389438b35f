"""Keeps what was computed of the latest pictures, so that another edit of them need not do it again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Inverted:
    """Of a batch of pictures."""

    codes: Tensor  # W+ (B, n_latent, w_dim)
    residuals: tuple[Tensor, ...]  # F (B, c, h, w) for each place

    @property
    def size(self) -> int:
        """Bytes."""
        return self.codes.nbytes + sum(residual.nbytes for residual in self.residuals)


class Memory:
    """Batches of pictures and what is known of them; the least recently used are forgotten first.

    A batch is known only as a whole and bit for bit, so that remembering cannot change a result.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit  # bytes in all
        self.used = 0
        self._kept: OrderedDict[tuple[object, ...], tuple[Tensor, Inverted]] = OrderedDict()

    def find(self, pictures: Tensor) -> Inverted | None:
        if not has_numbers(pictures):
            return None
        key = fingerprint(pictures)
        found = self._kept.get(key)
        if found is None or not torch.equal(found[0], pictures):
            return None
        self._kept.move_to_end(key)
        return found[1]

    def keep(self, pictures: Tensor, inverted: Inverted) -> None:
        """Unless it is more than the limit by itself."""
        size = pictures.nbytes + inverted.size
        if size > self.limit or not has_numbers(pictures):
            return
        key = fingerprint(pictures)
        self._drop(key)
        while self.used + size > self.limit:
            self._drop(next(iter(self._kept)))
        self._kept[key] = (pictures.clone(), inverted)  # a caller may change his own
        self.used += size

    def clear(self) -> None:
        self._kept.clear()
        self.used = 0

    def find_or(self, pictures: Tensor, make: Callable[[], Inverted]) -> Inverted:
        """What is known, or is made and kept."""
        found = self.find(pictures)
        if found is None:
            found = make()
            self.keep(pictures, found)
        return found

    def _drop(self, key: tuple[object, ...]) -> None:
        if key in self._kept:
            pictures, inverted = self._kept.pop(key)
            self.used -= pictures.nbytes + inverted.size


def has_numbers(tensor: Tensor) -> bool:
    """Whether it is an ordinary tensor; others may have a shape only, as where a cost is predicted."""
    return type(tensor) is Tensor and not tensor.is_meta


def fingerprint(pictures: Tensor) -> tuple[object, ...]:
    """Equal for equal float32 pictures; others are seldom equal and are compared."""
    bits = pictures.contiguous().view(torch.int32)
    return (*pictures.shape, str(pictures.device), int(bits.sum(dtype=torch.int64)))
