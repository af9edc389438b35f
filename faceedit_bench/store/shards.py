"""The file of a finished shard: states of every metric, pictures, and which faces were left out."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ResultsError

if TYPE_CHECKING:
    import numpy as np

    from ..evaluate import ShardResult

PICTURES, UNUSABLE = "pictures", "unusable"  # arrays of a shard's file that are no metric's; those have a /


@dataclass(frozen=True)
class StoredShard:
    """What the file of a finished shard holds; see evaluate.ShardResult."""

    states: dict[str, dict[str, np.ndarray]]  # metric -> arrays of its state
    pictures: np.ndarray  # (K, 3, H, W) uint8
    explained: dict[str, np.ndarray]  # name -> (K, 3, H, W) uint8
    unusable: dict[int, tuple[str, str]]  # position -> id, reason


def read(
    path: Path, run: str, metrics: Collection[str] | None = None, *, lazily: bool = False
) -> StoredShard:
    """One finished shard of `run`, of all metrics or only of those named; damage is told, not skipped.

    `lazily`, what judges answered stays in the file until it is used: see arrays.InFile.
    """
    from safetensors import SafetensorError

    from . import arrays as files

    try:
        owner, arrays = files.read(path, lambda key: _is_wanted(key, metrics), lazily=lazily)
    except (SafetensorError, OSError) as error:
        raise ResultsError(
            f"{path}: damaged ({error}); delete this file and run the same command again"
        ) from None
    if owner != run:
        raise ResultsError(f"{path}: belongs to run {owner}, wanted {run}; delete this file")
    unusable = arrays.pop(UNUSABLE, None)
    told = {} if unusable is None else json.loads(unusable.tobytes())
    found = StoredShard({}, arrays.pop(PICTURES), {}, {int(i): tuple(told[i]) for i in told})
    for key, value in arrays.items():
        metric, name = key.split("/", 1)
        if metric == PICTURES:
            found.explained[name] = value
        else:
            found.states.setdefault(metric, {})[name] = value
    return found


def put(path: Path, run: str, result: ShardResult) -> None:
    """Store one finished shard of `run`."""
    import numpy as np

    from .arrays import save

    arrays = {
        f"{metric}/{key}": value for metric, state in result.states.items() for key, value in state.items()
    }
    arrays[PICTURES] = result.pictures
    arrays |= {f"{PICTURES}/{name}": pictures for name, pictures in result.explained.items()}
    if result.unusable:  # not among the file's metadata: several entries have no fixed order there
        arrays[UNUSABLE] = np.frombuffer(json.dumps(result.unusable).encode(), np.uint8)
    save(path, run, arrays)


def _is_wanted(key: str, metrics: Collection[str] | None) -> bool:
    """Whether an array of a shard's file is a state of one of `metrics`, or no metric's at all."""
    return metrics is None or key in (PICTURES, UNUSABLE) or key.split("/", 1)[0] in (PICTURES, *metrics)
