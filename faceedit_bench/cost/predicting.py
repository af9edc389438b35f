"""Cost without running: parameters, operations and memory on tensors that are not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from ..contracts import EditBatch
from ..device import of_pictures
from ..errors import BadConfig, BrokenPromise, FaceEditError
from .holdings import reachable_networks, reachable_tensors, weight_counts
from .memory import ALLOCATED, rounded
from .pretence import Pretence, Unweighted, remember_calls
from .sample import labels_of
from .subject import Subject, check_size, explained


def predict(asked: Subject, size: int, device: str = "cuda", *, count: int = 1) -> dict[str, Any]:
    """Cost of one pass over `count` pictures of `size`² px, on a device that need not be there.

    The keys that `measure` has too mean the same. Bytes are those of tensors: a lower bound of what the
    framework takes, since operators' scratch memory is not seen. In addition:

    peak_total_bytes   weights and activations together, on the device
    peak_host_bytes    on a GPU: most bytes of tensors that the method keeps on the host meanwhile
    allocated_bytes    on a GPU: the total as PyTorch's allocator counts it, in blocks of 512 bytes
    """
    check_size(asked, size)
    try:
        return _predict(asked, size, device, count)
    except FaceEditError:
        raise
    except Exception as error:  # whatever a plugin may raise
        if _reads_numbers(error):
            raise BadConfig(
                f"{asked.name}: its course depends on numbers in large tensors ({explained(error)}), and a "
                "prediction has none; measure it with --measured"
            ) from error
        raise BadConfig(f"{asked.name} cannot edit {size} px: {explained(error)}") from error


def _reads_numbers(error: Exception) -> bool:
    """Whether a fake tensor was asked for its content."""
    if isinstance(error, (DataDependentOutputException, DynamicOutputShapeException)):
        return True
    return isinstance(error, RuntimeError) and "not supported for tensor subclasses" in str(error)


def _predict(asked: Subject, size: int, device: str, count: int) -> dict[str, Any]:
    choice, batch = asked.choice(), _asked_of(asked, count)
    with Pretence(device).begun() as loading:
        editor = asked.spec.load(asked.options, Unweighted(loading, choice.files if choice else ()))
        weights = reachable_tensors(editor)
        counts = weight_counts(weights)
    with Pretence(device, [*weights, *labels_of(batch)], loading.fake).begun() as pretence:
        pictures = pretence.picture(count, size, of_pictures(editor, device))
        batch = replace(batch, images=pictures)
        pretence.count(batch.images)
        remember_calls(reachable_networks(editor), pretence)
        result = editor.edit(batch)
        if result.shape != batch.images.shape:
            raise BrokenPromise(
                f"{asked.name} returned {tuple(result.shape)}; must keep {tuple(batch.images.shape)}"
            )
    peak = pretence.peak_on(device)
    found = {
        "mode": "predicted",
        "resolution": size,
        "batch": count,
        "device": device,
        "torch": torch.__version__,
        **counts,
        "flops": pretence.flops,
        "macs": pretence.flops // 2,
        "peak_activation_bytes": peak,
        "peak_total_bytes": counts["weights_bytes"] + peak,
    }
    if torch.device(device).type != "cpu":
        storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage() for tensor in weights}
        blocks = sum(rounded(storage.nbytes()) for storage in storages.values())
        found["peak_host_bytes"] = pretence.peak_on("cpu")
        found["allocated_bytes"] = blocks + pretence.levels.peak[ALLOCATED]
    return found


def _asked_of(asked: Subject, count: int) -> EditBatch:
    """As `sample_batch`, its small tensors real; the pictures are still missing."""
    source = torch.zeros(count, len(asked.attributes))
    target, edited = source.clone(), source.bool()
    target[:, :1], edited[:, :1] = 1, True
    return EditBatch(
        images=torch.empty(0),
        source=source,
        target=target,
        edited=edited,
        strength=torch.ones(count),
        seeds=torch.arange(count),
        attributes=asked.attributes,
    )


def takes(asked: Subject, device: str = "cuda") -> list[int]:
    """Sizes that a method can edit: those it declares, else the powers of two of which a prediction works."""
    if asked.spec.resolutions:
        return list(asked.spec.resolutions)
    working = []
    for size in (8, 16, 32, 64, 128, 256, 512, 1024):
        try:
            predict(asked, size, device)
        except FaceEditError:
            continue
        working.append(size)
    return working
