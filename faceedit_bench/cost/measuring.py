"""Cost of an editor that runs: parameters, operations, living tensors, time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ..contracts import Editor
from ..device import of_pictures
from .clock import ITERATIONS, latency
from .holdings import reachable_tensors, weight_counts
from .machine import device_name
from .memory import cuda_peak, living_storages
from .operations import count_flops
from .sample import edit_of, labels_of, sample_batch


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
    Nothing watches while time is taken.

    parameters, buffers      numbers in unique tensors reachable from the editor
    weights_bytes            bytes of their storages, shared ones once
    macs, flops              of convolutions, matrix products and attention; flops = 2·macs
    peak_activation_bytes    most bytes of living tensors on the device besides weights, the input included;
                             a lower bound of what is needed, since operators' scratch memory is not seen
    peak_host_bytes          on a GPU: most bytes of tensors that the method keeps on the host meanwhile
    latency                  median, mean, min, p5, p90, p95 of n iterations, all their `seconds`, number of
                             warm-up runs, `cpu_mean`: the process's own time, to tell a busy machine
    cuda                     on a GPU: peaks of allocated and reserved bytes, and of the very first pass
    """
    batch = sample_batch(resolution, attributes, device, home=of_pictures(editor, device))
    run = edit_of(editor, batch)
    weights = reachable_tensors(editor)
    found: dict[str, Any] = {
        "resolution": resolution,
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **weight_counts(weights),
    }
    cold = cuda_peak(run, device)
    found["flops"] = count_flops(run)
    found["macs"] = found["flops"] // 2
    living = living_storages(run, [*weights, *labels_of(batch)], [batch.images])
    found["peak_activation_bytes"] = living.peak_on(device)
    if cold:
        found["peak_host_bytes"] = living.peak_on("cpu")
    found["latency"] = latency(run, device, seconds=seconds, iterations=iterations)
    if cold:
        found["cuda"] = {**cuda_peak(run, device), "cold_peak_allocated_bytes": cold["peak_allocated_bytes"]}
    return found
