"""What a method costs at one size: parameters, operations, memory and time of a single edited face.

MACs are multiply-accumulates of convolutions and matrix products; FLOPs are twice as many. Normalisation,
resampling and pointwise arithmetic are not counted, as is usual. Memory and time are measured, not predicted.
"""

from __future__ import annotations

import functools
import gc
import os
import platform
import statistics
import time
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from .contracts import EditBatch, Editor

WARM_UP, WARM_UP_CAP, SETTLED = 10, 100, 0.02  # iterations, iterations, change of the median
ITERATIONS = 200
FEWEST = 5  # timed iterations, however slow the method
Run = Callable[[], Any]


def measure(
    editor: Editor,
    resolution: int,
    attributes: Sequence[str],
    device: str = "cpu",
    *,
    seconds: float = 10.0,
    iterations: int = ITERATIONS,
) -> dict[str, Any]:
    """Cost of one face of `resolution`² pixels under a single flip, batch 1; bytes and seconds.

    `seconds` bounds the timed iterations, and half of it the warm-up; how many were timed is in `latency`.

    parameters, buffers      numbers in unique tensors reachable from the editor
    weights_bytes            bytes of their storages, shared ones once
    macs, flops              of convolutions, matrix products and attention; flops = 2·macs
    peak_activation_bytes    most bytes of living tensors besides weights, the input included; a lower bound
                             of what the process needs, since operators' scratch memory is not seen
    latency                  median, mean, min, p5, p90, p95 of n iterations, all their `seconds`, number of
                             warm-up runs, `cpu_mean`: the process's own time, to tell a busy machine
    cuda                     on a GPU: peaks of allocated and reserved bytes, and of the very first pass
    """
    batch = sample_batch(resolution, attributes, device)

    def run() -> None:
        editor.edit(batch)

    weights = reachable_tensors(editor)
    found: dict[str, Any] = {
        "resolution": resolution,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **weight_counts(weights),
    }
    cold = _cuda_peak(run, device)
    found["flops"] = count_flops(run)
    found["macs"] = found["flops"] // 2
    found["peak_activation_bytes"] = batch.images.nbytes + peak_activation_bytes(run, weights)
    found["latency"] = latency(run, device, seconds=seconds, iterations=iterations)
    if cold:
        found["cuda"] = {**_cuda_peak(run, device), "cold_peak_allocated_bytes": cold["peak_allocated_bytes"]}
    return found


def sample_batch(resolution: int, attributes: Sequence[str], device: str) -> EditBatch:
    """One picture from a formula, with its first attribute to be switched on."""
    line = torch.linspace(-1, 1, resolution)
    picture = torch.stack(
        [line[None] * line[:, None], line[:, None].expand(-1, resolution), line.expand(resolution, -1)]
    )
    source = torch.zeros(1, len(attributes))
    target, edited = source.clone(), source.bool()
    target[:, :1], edited[:, :1] = 1, True
    return EditBatch(
        images=picture[None].to(device),
        source=source.to(device),
        target=target.to(device),
        edited=edited.to(device),
        strength=torch.ones(1, device=device),
        seeds=torch.zeros(1, dtype=torch.int64, device=device),
        attributes=tuple(attributes),
    )


# ---- weights --------------------------------------------------------------------------------------


def weight_counts(weights: Iterable[Tensor]) -> dict[str, int]:
    """Numbers in parameters and in other tensors (tied ones once), and bytes of their storages."""
    unique = {_identity(tensor): tensor for tensor in weights}
    storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage() for tensor in unique.values()}
    trained = [tensor.numel() for tensor in unique.values() if isinstance(tensor, nn.Parameter)]
    return {
        "parameters": sum(trained),
        "buffers": sum(tensor.numel() for tensor in unique.values()) - sum(trained),
        "weights_bytes": sum(storage.nbytes() for storage in storages.values()),
    }


def _identity(tensor: Tensor) -> tuple[Any, ...]:
    """Equal for tensors that show the same memory in the same way."""
    return (tensor.untyped_storage()._cdata, tensor.storage_offset(), tensor.shape, tensor.stride())


def reachable_tensors(editor: object) -> list[Tensor]:
    """Every tensor that the editor holds: in networks, containers, closures and objects of its own."""
    return list(_tensors(editor, set()))


def _tensors(thing: Any, seen: set[int]) -> Iterator[Tensor]:
    waiting = [thing]
    while waiting:
        current = waiting.pop()
        if id(current) in seen or isinstance(current, (str, bytes, int, float, type, types.ModuleType)):
            continue
        seen.add(id(current))
        if isinstance(current, Tensor):
            yield current
        else:
            waiting += reversed(_parts(current))


def _parts(thing: Any) -> list[Any]:
    """What a thing holds."""
    if isinstance(thing, Mapping):
        return list(thing.values())
    if isinstance(thing, (list, tuple, set, frozenset)):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, types.MethodType):
        return [thing.__self__]
    if isinstance(thing, types.FunctionType):
        return [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (an empty cell raises)
    except ValueError:
        return False
    return True


# ---- operations -----------------------------------------------------------------------------------


def count_flops(run: Run) -> int:
    """FLOPs of one run by PyTorch's dispatcher-level counter.

    Fused attention escapes that counter, so attention is run here as the matrix products it stands for.
    """
    counter, fast = FlopCounterMode(display=False), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops()


# ---- memory ---------------------------------------------------------------------------------------


def peak_activation_bytes(run: Run, known: Iterable[Tensor] = ()) -> int:
    """Most bytes of living tensors made during one run; storages of `known` tensors do not count."""
    with torch.no_grad(), LivingStorages(known) as living:
        run()
    return living.peak


class LivingStorages(TorchDispatchMode):
    """Counts each storage once, from the operation that first returns it until it is freed."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.bytes = self.peak = 0
        self._known = [tensor.untyped_storage() for tensor in known]  # held, so that no address is used again
        self._alive = {storage._cdata for storage in self._known}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        with self:  # in inference mode composite operations arrive whole; look inside them
            result = func.decompose(*args, **(kwargs or {}))
        if result is NotImplemented:
            result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._count(leaf.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._alive:
            return
        self._alive.add(storage._cdata)
        self.bytes += storage.nbytes()
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self._release, storage._cdata, storage.nbytes()).atexit = False

    def _release(self, address: int, size: int) -> None:
        self._alive.discard(address)
        self.bytes -= size


def _cuda_peak(run: Run, device: str) -> dict[str, int]:
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


# ---- time -----------------------------------------------------------------------------------------


def latency(run: Run, device: str, *, seconds: float, iterations: int = ITERATIONS) -> dict[str, Any]:
    """Seconds of single runs after warming up; on a GPU between events on the stream, each alone."""
    time_once = _cuda_timer(device) if torch.device(device).type == "cuda" else _wall_timer
    with torch.inference_mode():
        warm_up = _warm_up(run, time_once, seconds / 2)
        taken: list[float] = []
        begun, begun_cpu = time.perf_counter(), time.process_time()
        while len(taken) < iterations and (len(taken) < FEWEST or time.perf_counter() - begun < seconds):
            taken.append(time_once(run))
        wall, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    ordered = sorted(taken)
    return {
        "median": statistics.median(ordered),
        "mean": statistics.fmean(ordered),
        "min": ordered[0],
        **{f"p{percent}": percentile(ordered, percent) for percent in (5, 90, 95)},
        "n": len(taken),
        "warm_up": warm_up,
        "wall_mean": wall / len(taken),
        "cpu_mean": cpu / len(taken),
        "seconds": taken,
    }


def _warm_up(run: Run, time_once: Callable[[Run], float], seconds: float) -> int:
    """Run until the median of ten runs is within 2 % of that of the ten before; number of runs.

    At most a hundred, and after the first ten no longer than `seconds`.
    """
    taken: list[float] = []
    begun = time.perf_counter()
    while len(taken) < WARM_UP_CAP:
        taken.append(time_once(run))
        if len(taken) >= 2 * WARM_UP:
            before, now = (
                statistics.median(part) for part in (taken[-2 * WARM_UP : -WARM_UP], taken[-WARM_UP:])
            )
            if abs(now - before) < SETTLED * before:
                break
        if len(taken) >= WARM_UP and time.perf_counter() - begun > seconds:
            break
    return len(taken)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Linear interpolation between the two nearest of an ascending sequence."""
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _wall_timer(run: Run) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def _cuda_timer(device: str) -> Callable[[Run], float]:
    def time_once(run: Run) -> float:
        with torch.cuda.device(device):
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            start.record()
            run()
            stop.record()
            torch.cuda.synchronize()
        return start.elapsed_time(stop) / 1e3

    return time_once


def device_name(device: str) -> str:
    """The GPU's name, or the processor's as the system gives it, with the number of its cores."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return next(iter(names), platform.processor() or platform.machine() or "CPU")
