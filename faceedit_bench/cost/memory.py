"""Memory of one run: living tensors by place, the CUDA allocator's peaks, the process's."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Run = Callable[[], Any]
GRANULE = 512  # bytes: the CUDA caching allocator rounds every block up to a multiple
ALLOCATED = "allocated"  # the level of the caching allocator, next to those of the places


def peak_activation_bytes(run: Run, known: Iterable[Tensor] = ()) -> int:
    """Most bytes of living tensors made during one run; storages of `known` tensors do not count."""
    return living_storages(run, known).total


def living_storages(run: Run, known: Iterable[Tensor] = (), given: Iterable[Tensor] = ()) -> LivingStorages:
    """What lived during one run. `given` tensors, such as its input, live from the start and count."""
    with torch.no_grad(), LivingStorages(known) as living:
        living.count(*given)
        run()
    return living


class Levels:
    """Bytes that live now, and the most that ever did, by place."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()

    def add(self, place: str, size: int) -> None:
        self.now[place] += size
        self.peak[place] = max(self.peak[place], self.now[place])


class LivingStorages(TorchDispatchMode):
    """Counts each storage once, from the operation that first returns it until it is freed."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.levels = Levels()  # of "cpu", "cuda", …, "all", and of the CUDA allocator
        self._known = [tensor.untyped_storage() for tensor in known]  # held, so that no address is used again
        self._alive = {storage._cdata for storage in self._known}

    @property
    def total(self) -> int:
        """Most bytes at one moment, wherever."""
        return self.levels.peak["all"]

    def peak_on(self, device: str) -> int:
        """Most bytes at one moment on devices of this kind."""
        return self.levels.peak[torch.device(device).type]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = self.compute(func, args, kwargs or {})
        if func.namespace == "prim":
            return result
        if isinstance(result, Tensor):
            self.count(result)
        else:
            self.count(*(leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)))
        return result

    def compute(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The operation's result."""
        if func.namespace != "prim":
            with self:  # in inference mode composite operations arrive whole; look inside them
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        return func(*args, **kwargs)

    def place(self, tensor: Tensor) -> str:
        """The kind of device that the tensor lies on."""
        return tensor.device.type

    def count(self, *tensors: Tensor) -> None:
        """Their storages live from now on until they are freed."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            if storage._cdata in self._alive:
                continue
            self._alive.add(storage._cdata)
            place, size = self.place(tensor), storage.nbytes()
            self._move(place, size, 1)
            weakref.finalize(storage, self._release, storage._cdata, place, size).atexit = False

    def _release(self, address: int, place: str, size: int) -> None:
        self._alive.discard(address)
        self._move(place, size, -1)

    def _move(self, place: str, size: int, sign: int) -> None:
        self.levels.add(place, sign * size)
        self.levels.add("all", sign * size)
        if place == "cuda":
            self.levels.add(ALLOCATED, sign * rounded(size))


def rounded(size: int) -> int:
    """Bytes that the CUDA allocator takes for a block of `size` bytes."""
    return -(-size // GRANULE) * GRANULE


# ---- the framework's and the process's own figures ------------------------------------------------


def cuda_peak(run: Run, device: str) -> dict[str, int]:
    """Peaks of the caching allocator in one pass, weights included; nothing on other devices."""
    if torch.device(device).type != "cuda":
        return {}
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    with torch.inference_mode():
        run()
    torch.cuda.synchronize(device)
    return {
        "peak_allocated_bytes": torch.cuda.max_memory_allocated(device),
        "peak_reserved_bytes": torch.cuda.max_memory_reserved(device),
    }


def process_peak(run: Run) -> dict[str, int]:
    """Resident memory of this process before one pass, and its peak during it.

    Says something about the pass only in a process that has not run it before: freed pages are used again.
    `is_reset` tells whether the peak is this pass's or that of the process's whole life.
    """
    gc.collect()
    is_reset = _forget_peak()
    before = resident_bytes()
    with torch.inference_mode():
        run()
    return {"resident_bytes": before, "peak_resident_bytes": peak_resident_bytes(), "is_reset": is_reset}


def _forget_peak() -> bool:
    """Lower Linux's high-water mark of this process to what it holds now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_resident_bytes() -> int:
    """The most this process has held."""
    if (found := _status("VmHWM")) is not None:
        return found
    import resource  # there is none on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """What this process holds now; its peak where the system does not tell."""
    found = _status("VmRSS")
    return peak_resident_bytes() if found is None else found


def _status(field: str) -> int | None:
    """A field of Linux's /proc/self/status, which counts in KiB."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)
