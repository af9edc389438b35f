"""What a method promised, checked: BrokenPromise says which method, which edit, which sample."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import Tensor

from .contracts import EditBatch
from .errors import BrokenPromise

RANGE_SLACK = 1e-3  # a method may leave [-1, 1] by rounding, not more
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # of what explains; it becomes part of a file's name


def check_promise(result: Any, asked: EditBatch, *, method: str, edit: str, ids: Sequence[str]) -> None:
    """Same shape, dtype, device and range, and numbers."""
    name, where = method, f"edit {edit!r}"
    if not isinstance(result, Tensor):
        raise BrokenPromise(f"{name}, {where}: wanted a tensor, found {type(result).__name__}")
    wanted = asked.images
    if result.shape != wanted.shape:
        raise BrokenPromise(
            f"{name}, {where}: returned {tuple(result.shape)}; must keep {tuple(wanted.shape)}"
        )
    if (result.dtype, result.device) != (wanted.dtype, wanted.device):
        raise BrokenPromise(
            f"{name}, {where}: returned {result.dtype} on {result.device}; "
            f"must keep {wanted.dtype} on {wanted.device}"
        )
    least, most = result.aminmax()  # NaN where there is one
    if bool(least >= -1 - RANGE_SLACK) and bool(most <= 1 + RANGE_SLACK):
        return
    rows = result.reshape(len(ids), -1)
    broken = ~rows.isfinite().all(1)
    what = "returned NaN or infinity"
    if not broken.any():
        broken = rows.abs().amax(1) > 1 + RANGE_SLACK
        what = f"left the range [-1, 1] (up to {rows.abs().max():.3g})"
    first = ids[int(broken.nonzero()[0])]
    raise BrokenPromise(
        f"{name}, {where}, sample {first!r}: {what} ({int(broken.sum())} of {len(ids)} samples)"
    )


def check_explanation(
    shows: Any, asked: EditBatch, where: str, taken: Collection[str] = ()
) -> dict[str, Tensor]:
    """What `explain` returned, by name, each (B, 3, H, W) uint8 on the CPU, grey where it has one channel.

    Names in `taken` are those of other pictures.
    """
    if not isinstance(shows, Mapping):
        found = type(shows).__name__
        raise BrokenPromise(f"{where}: explain must return names with tensors, found {found}")
    for key, picture in shows.items():
        what = f"{where}: explain's {key!r}"
        if not (isinstance(key, str) and NAME.fullmatch(key) and key not in taken):
            other = "".join(f", and not {name!r}" for name in taken)
            raise BrokenPromise(
                f"{what} becomes part of a file's name; wanted letters, digits, - and _{other}"
            )
        if not isinstance(picture, Tensor):
            raise BrokenPromise(f"{what}: wanted a tensor, found {type(picture).__name__}")
        count, _, *size = asked.images.shape
        wanted = [(count, channels, *size) for channels in (1, 3)]
        if tuple(picture.shape) not in wanted:
            raise BrokenPromise(f"{what}: wanted {wanted[0]} or {wanted[1]}, found {tuple(picture.shape)}")
        if not bool(((picture >= 0) & (picture <= 1)).all()):  # NaN is neither
            raise BrokenPromise(f"{what}: wanted numbers from 0 to 1")
    return {key: _grey_levels(picture) for key, picture in shows.items()}


def _grey_levels(picture: Tensor) -> Tensor:
    return (picture.float() * 255).round().byte().expand(-1, 3, -1, -1).cpu()
