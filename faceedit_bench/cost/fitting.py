"""What fits into a given memory: a patch batch, or up to which size."""

from __future__ import annotations

import re
from typing import Any

from ..errors import BadConfig, FaceEditError
from .predicting import predict
from .subject import Subject

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
STEP = 64  # pixels between the sizes that are tried
PROBE = 2048  # px: patch batches are tried on a picture of at most this size; 256 patches of 128 px
MOST_PATCHES = 4096  # per call
AT_FIRST = 8  # patches: a few may change nothing, where another step's peak hides theirs


def parse_bytes(text: str) -> int:
    """`1GB`, `900 MiB`, `1.5GiB`."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)", text.strip())
    units = {unit.lower(): size for unit, size in UNITS.items()}
    if found is None or found[2].lower() not in units or float(found[1]) <= 0:
        raise BadConfig(f"--memory {text!r}: wanted a number and one of {', '.join(UNITS)}, such as 1GB")
    return int(float(found[1]) * units[found[2].lower()])


def fit(asked: Subject, size: int, limit: int, device: str = "cuda") -> dict[str, Any]:
    """Whether one picture of `size`² fits into `limit` bytes of tensors, weights included, and how.

    fits          whether it does, at the patch batch below where there is one
    patch_batch   the most patches per call that fit, a power of two; None for methods without patches
    total_bytes   what that takes
    largest_size  where it does not fit: the largest size that does, in steps of 64 px; None if none
    """
    if asked.patch_batch is not None:
        count = most_patches(asked, min(size, PROBE), limit, device)
        while count:
            total = needed(asked.with_patch_batch(count), size, device)
            if total <= limit:
                return {"fits": True, "patch_batch": count, "total_bytes": total, "largest_size": size}
            count //= 2
        asked = asked.with_patch_batch(1)
    total = needed(asked, size, device)
    fits = total <= limit
    return {
        "fits": fits,
        "patch_batch": None,
        "total_bytes": total,
        "largest_size": size if fits else largest_size(asked, size, limit, device),
    }


def needed(asked: Subject, size: int, device: str) -> int:
    """Bytes of weights and activations on the device."""
    total: int = predict(asked, size, device)["peak_total_bytes"]
    return total


def most_patches(asked: Subject, size: int, limit: int, device: str) -> int:
    """The largest power of two that fits; 0 if one patch does not. No more than the picture has."""
    best, before, count = 0, -1, 1
    while count <= MOST_PATCHES:
        total = needed(asked.with_patch_batch(count), size, device)
        if total > limit:
            break
        if count > AT_FIRST and total == before:  # the picture has no more patches
            break
        best, before, count = count, total, 2 * count
    return best


def largest_size(asked: Subject, size: int, limit: int, device: str) -> int | None:
    """The largest size below `size` that fits: of those the method declares, else of multiples of 64."""
    sizes = [one for one in asked.spec.resolutions or range(STEP, size, STEP) if one < size]
    low, high = 0, len(sizes)  # those before `low` fit, those from `high` on do not
    while low < high:
        middle = (low + high) // 2
        if _fits(asked, sizes[middle], limit, device):
            low = middle + 1
        else:
            high = middle
    return sizes[low - 1] if low else None


def _fits(asked: Subject, size: int, limit: int, device: str) -> bool:
    try:
        return needed(asked, size, device) <= limit
    except FaceEditError:
        return False
