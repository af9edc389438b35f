"""Pictures on their way to the device of a method: sent while others are edited, or sent once and kept there.

Only 8-bit pixels travel; the device looks up their values in [-1, 1] in a table that the CPU made, so that a
method sees the same bits on every way (a GPU divides by a constant differently).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..contracts import Samples
from ..errors import FaceEditError

READERS = 8  # threads that decode a batch
Key = TypeVar("Key")


class Upload:
    """`upload(positions, source)`: (B, 3, S, S) float32 in [-1, 1] on the device.

    With `keeps`, a face is sent once and stays: after the first edit the whole split lies on the device.
    On a GPU the next batch is read by threads while this one is edited; unless it is kept, it is pinned and
    sent on a stream of its own, too. `samples` should remember what was read for some batches.
    """

    def __init__(self, samples: Samples, device: str, values: Tensor, *, keeps: bool) -> None:
        self.samples, self.device, self.keeps = samples, torch.device(device), keeps
        self.values = values.to(self.device)  # (256,) float32: of each 8-bit pixel
        self.kept: Tensor | None = None  # (N, 3, S, S) uint8
        self.there = np.zeros(len(samples), bool)
        self.readers = ThreadPoolExecutor(READERS)
        self.next: NextBatch[tuple[int, ...]] | None = None
        if self.device.type == "cuda":
            self.next = NextBatch(self._read, self.device, sends=not keeps)

    def __call__(self, positions: Sequence[int], source: Tensor) -> Tensor:
        """`source` (B, 3, S, S) uint8 on the CPU are the pictures at these positions of the data set."""
        wanted = list(positions)
        pixels = self._from_kept(wanted, source) if self.keeps else self._sent(wanted, source)
        if self.next is not None:
            first = wanted[-1] + 1
            following = range(first, min(first + len(wanted), len(self.samples)))
            self.next.begin(tuple(position for position in following if not self.there[position]))
        return self.values[pixels.to(torch.int32)]

    def _from_kept(self, positions: list[int], source: Tensor) -> Tensor:
        if self.kept is None:
            shape = (len(self.samples), *source.shape[1:])
            self.kept = torch.empty(shape, dtype=torch.uint8, device=self.device)
        new = [place for place, position in enumerate(positions) if not self.there[position]]
        if new:
            rows = [positions[place] for place in new]
            self.kept[torch.tensor(rows, device=self.device)] = source[new].to(self.device)
            self.there[rows] = True
        return self.kept[torch.tensor(positions, device=self.device)]

    def _sent(self, positions: list[int], source: Tensor) -> Tensor:
        ready = None if self.next is None else self.next.take(tuple(positions))
        return source.to(self.device) if ready is None else ready

    def _read(self, positions: tuple[int, ...]) -> np.ndarray | None:
        """(B, 3, S, S) uint8; None where a face cannot be read, as the engine will find out itself."""
        try:
            found = self.readers.map(lambda position: self.samples[position].image, positions)
            return np.stack(list(found)) if positions else None
        except FaceEditError:
            return None


class NextBatch(Generic[Key]):
    """The batch after the present one, read by a thread and sent on a stream of its own. For GPUs only."""

    def __init__(
        self, read: Callable[[Key], np.ndarray | None], device: torch.device, *, sends: bool = True
    ) -> None:
        self.read, self.device = read, device
        self.stream = torch.cuda.Stream(device) if sends else None
        self.turn = ThreadPoolExecutor(1)
        self.begun: tuple[Key, Future[tuple[Tensor, torch.cuda.Event] | None]] | None = None

    def begin(self, key: Key) -> None:
        """Start on the batch of this key."""
        self.begun = key, self.turn.submit(self._send, key)

    def take(self, key: Key) -> Tensor | None:
        """The batch of this key on the device, if it was begun and could be read."""
        begun, self.begun = self.begun, None
        found = begun[1].result() if begun is not None and begun[0] == key else None
        if found is None:
            return None
        pixels, event = found
        current = torch.cuda.current_stream(self.device)
        current.wait_event(event)
        pixels.record_stream(current)
        return pixels

    def _send(self, key: Key) -> tuple[Tensor, torch.cuda.Event] | None:
        pixels = self.read(key)
        if self.stream is None or pixels is None:
            return None
        with torch.cuda.stream(self.stream):
            there = torch.from_numpy(pixels).pin_memory().to(self.device, non_blocking=True)
            event = torch.cuda.Event()
            event.record()
        return there, event
