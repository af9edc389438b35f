"""Two audits against times that are not those of editing.

1. A method may remember answers. Pictures never seen before must not take longer than one that is repeated.
2. A method may do less while it is timed. Pictures edited under the clock are compared with those of a second
   editor, loaded afresh, that no clock watches.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..contracts import Editor
from ..device import of_pictures
from .clock import timer
from .sample import edit_of, sample_batch

ROUNDS = 5  # of one repeated and one new picture
MOST_ROUNDS = 50  # where new pictures seem slower, or time is left
SLOWER = 1.25  # new pictures may take so many times a repeated one's time: a busy machine, no more
TOLERANCE = 1e-4  # of outputs in [-1, 1], as for any two batches; equal bits are expected
COMPARED = 4  # outputs that are kept and compared


def audit(
    editor: Editor,
    reload: Callable[[], Editor],
    resolution: int,
    attributes: Sequence[str],
    device: str,
    *,
    seconds: float = 5.0,
) -> dict[str, Any]:
    """Both audits; `reload` gives a second editor with the same weights.

    distinct_over_repeated   median time of new pictures over that of a repeated one, and of the minima
    outputs_compared         timed outputs that were compared; `outputs_equal` of them bit for bit
    largest_difference       between a timed output and the untimed one; infinite where it is no picture
    passed                   names of the audits that were passed; `failed`: what was found in the others
    """
    home, time_once, begun = of_pictures(editor, device), timer(device), time.perf_counter()
    outputs: list[Any] = []

    def edit_timed(number: int) -> float:
        batch = sample_batch(resolution, attributes, device, home=home, number=number)
        run = edit_of(editor, batch)
        return time_once(lambda: outputs.append((number, run())))

    repeated, distinct = list[float](), list[float]()
    kept: dict[int, Tensor] = {}
    with torch.inference_mode():
        edit_timed(0)
        while len(distinct) < ROUNDS or (
            len(distinct) < MOST_ROUNDS
            and (time.perf_counter() - begun < seconds or is_slower(repeated, distinct))
        ):
            repeated.append(edit_timed(0))
            distinct.append(edit_timed(1 + len(distinct)))
            kept |= {number: _on_host(output) for number, output in outputs}
            outputs.clear()
            for number in list(kept)[1:-COMPARED]:
                del kept[number]
        second = reload()
        expected = {
            number: _on_host(
                second.edit(sample_batch(resolution, attributes, device, home=home, number=number))
            )
            for number in reversed(kept)
        }
    return _verdict(repeated, distinct, kept, expected)


def _on_host(output: Any) -> Any:
    return output.detach().cpu().clone() if isinstance(output, Tensor) else output


def _verdict(
    repeated: list[float], distinct: list[float], kept: dict[int, Tensor], expected: dict[int, Tensor]
) -> dict[str, Any]:
    slower, at_best = ratios(repeated, distinct)
    apart = {number: difference(kept[number], expected[number]) for number in kept}
    failed = []
    if is_slower(repeated, distinct):
        failed.append(f"new pictures take {slower:.2f} times the time of a repeated one: answers remembered?")
    worst = max(apart, key=lambda number: apart[number])
    if not apart[worst] <= TOLERANCE:
        failed.append(f"under the clock picture {worst} came out otherwise (by {apart[worst]:.2g})")
    return {
        "rounds": len(distinct),
        "distinct_over_repeated": slower,
        "distinct_over_repeated_min": at_best,
        "outputs_compared": len(kept),
        "outputs_equal": sum(value == 0 for value in apart.values()),
        "largest_difference": apart[worst],
        "passed": not failed,
        "failed": failed,
    }


def ratios(repeated: Sequence[float], distinct: Sequence[float]) -> tuple[float, float]:
    """New pictures' time over a repeated one's: of the medians, and of the minima."""
    return statistics.median(distinct) / statistics.median(repeated), min(distinct) / min(repeated)


def is_slower(repeated: Sequence[float], distinct: Sequence[float]) -> bool:
    """Whether both say so. A busy machine disturbs one of them for a while, then more rounds tell."""
    return min(ratios(repeated, distinct)) > SLOWER


def difference(found: Any, expected: Any) -> float:
    """Largest difference of two outputs; infinite where one is no picture, or not of finite numbers."""
    if not (isinstance(found, Tensor) and isinstance(expected, Tensor) and found.shape == expected.shape):
        return float("inf")
    apart = float((found.double() - expected.double()).abs().max())
    return apart if apart == apart else float("inf")
