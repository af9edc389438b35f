"""Does measuring change what is measured? Time of an edit as `cost` reports it, beside a bare loop.

    python benchmarks/cost.py                           about a minute
    python benchmarks/cost.py --method stgan --size 256 --rounds 21

Both edit the same batch, in turns. `cost` counts operations and follows living tensors in passes of their own
before it takes time, so the two should agree; ratios are of neighbours. Processor time of the same loops is
shown too: on a busy machine it is the steadier one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts its threads

import torch

from faceedit_bench.cost import latency, sample_batch, subject
from faceedit_bench.cost.holdings import reachable_tensors
from faceedit_bench.cost.memory import living_storages
from faceedit_bench.cost.operations import count_flops
from faceedit_bench.cost.profile import load
from faceedit_bench.evaluate import set_numerics

ALLOWED = 0.02  # relative difference


def bare(run: Callable[[], Any], count: int) -> tuple[float, float]:
    """Median wall time and mean processor time of `count` runs that nothing has watched."""
    taken, begun = [], time.process_time()
    with torch.inference_mode():
        for _ in range(count):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return statistics.median(taken), (time.process_time() - begun) / count


def reported(run: Callable[[], Any], weights: list[torch.Tensor], count: int) -> tuple[float, float]:
    """The same as `cost` has it: operations and tensors are followed first, then time is taken."""
    count_flops(run)
    living_storages(run, weights)
    found = latency(run, "cpu", seconds=600, iterations=count)
    return found["median"], found["cpu_mean"]


def main() -> None:
    asked = arguments()
    set_numerics(asked.threads)
    name = subject(asked.method)
    editor, batch = load(name, "cpu"), sample_batch(asked.size, name.attributes, "cpu")
    weights = reachable_tensors(editor)

    def run() -> torch.Tensor:
        return editor.edit(batch)

    bare(run, 3)
    ratios = []
    for _ in range(asked.rounds):
        alone, watched = bare(run, asked.runs), reported(run, weights, asked.runs)
        ratios.append([after / before for before, after in zip(alone, watched, strict=True)])
    print(
        f"{name.name}, {asked.size} px, {asked.rounds} rounds of {asked.runs} runs, {asked.threads} thread(s)"
    )
    for what, column in zip(("median wall time", "processor time"), zip(*ratios, strict=True), strict=True):
        quartiles = statistics.quantiles(column, n=4)
        off = statistics.median(column) - 1
        verdict = "within" if abs(off) <= ALLOWED else "NOT within"
        print(
            f"{what:17} reported / bare {1 + off:.4f} (quartiles {quartiles[0]:.4f} to {quartiles[2]:.4f}), "
            f"{verdict} {ALLOWED:.0%}"
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--method", default="coogan")
    add("--size", type=int, default=128, help="pixels per side")
    add("--rounds", type=int, default=11)
    add("--runs", type=int, default=20, help="per round")
    add("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
