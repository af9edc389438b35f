"""What the engine adds to the judges' own work, measured in turns in one run.

    python benchmarks/engine.py               the demo judges, then those of photographs; about three minutes
    python benchmarks/engine.py --faces 40    more faces

A pass is a suite of six edits and the reconstruction by a method that only dims its pictures, which lie in
memory: checking, rounding, every judge and every metric, states and all. Beside it the same judges are given
the same pictures in a bare loop: one network after the other, nothing kept. Scores (folding, intervals) are
made once at the end of a run, and timed apart. The judges of photographs have random weights.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["FACEEDIT_QUIET"] = "1"

import torch
from random_judges import offer
from torch import Tensor

from faceedit_bench import evaluate, scoring, suite
from faceedit_bench.api import EditBatch
from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import MethodSpec
from faceedit_bench.observe import Above
from faceedit_bench.suite import Suite

EDITS = ("reconstruction", "Bald", "Bangs", "Eyeglasses", "Male", "No_Beard", "Young")
PHOTOGRAPHS = {
    "attributes": "attributes-resnet50",
    "identity": "arcface-irse50",
    "features": "swav-rn50-800",
    "pool": "inception-2015-tf1",
    "classes": "inception-2015-classes",
    "lpips-alex": "lpips-alex",
}
WANTED = 1.10  # a pass beside the bare judges: what the project asks of itself


class Dim:
    """Edits nothing in particular, and costs nothing."""

    def edit(self, batch: EditBatch) -> Tensor:
        return batch.images * 0.9


@dataclass
class Heard:
    """What a judge was asked in a pass, to be asked again."""

    ask: Callable[..., Tensor]
    questions: list[tuple[Tensor, ...]] = field(default_factory=list)

    def __call__(self, *given: Tensor) -> Tensor:
        self.questions.append(given)
        return self.ask(*given)


def demo_suite(faces: int) -> Suite:
    """drawn-128 with fewer edits."""
    whole = suite.load("drawn-128")
    return replace(whole, count=faces, edits=tuple(edit for edit in whole.edits if edit.name in EDITS))


def photograph_suite(faces: int) -> Suite:
    """The same faces before the judges of photographs, one batch of each edit."""
    metrics = ("tarr", "leakage", "id", "ssfid", "fid", "is", "kid", "lpips", "psnr", "ssim", "l2")
    one = demo_suite(faces)
    edits = tuple(edit for edit in one.edits if edit.name in EDITS[:3])
    return replace(one, metrics=metrics, judges=PHOTOGRAPHS, edits=edits, batch_size=min(faces, 10))


def opened(chosen: Suite) -> evaluate.Workbench:
    catalog().methods["dim"] = MethodSpec("dim", "1", "", "none", (), (), lambda options, context: Dim())
    evaluate.workbench.cache_clear()
    return evaluate.workbench(evaluate.Setup("dim", chosen))


def engine_pass(bench: evaluate.Workbench) -> dict[int, Any]:
    """Every shard, as a worker does it; shard number -> states."""
    bench.remembered.clear()
    setup = evaluate.Setup("dim", bench.suite)
    shards = bench.suite.shards(len(bench.samples))
    return {shard.number: evaluate.evaluate_shard(setup, shard).states for shard in shards}


def questions(bench: evaluate.Workbench) -> list[Heard]:
    """Everything that the judges are asked in a pass."""
    judges, heard = bench.judges, {}
    for role, judge in judges.items():
        head = judge.head if isinstance(judge, Above) else judge
        heard[role] = Heard(head)
        listening = replace(judge, head=heard[role]) if isinstance(judge, Above) else heard[role]
        bench.judges = {**bench.judges, role: listening}
    engine_pass(bench)
    bench.judges = judges
    return list(heard.values())


@torch.inference_mode()
def bare_pass(heard: list[Heard]) -> None:
    """The same questions, judge after judge."""
    for one in heard:
        for given in one.questions:
            one.ask(*given)


def seconds(work: Callable[[], object]) -> float:
    """Processor time."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def compare(label: str, chosen: Suite, rounds: int) -> None:
    bench = opened(chosen)
    heard = questions(bench)
    states = engine_pass(bench)
    turns = [(seconds(lambda: bare_pass(heard)), seconds(lambda: engine_pass(bench))) for _ in range(rounds)]
    bare, ours = (statistics.median(column) for column in zip(*turns, strict=True))
    ratios = [engine / judges for judges, engine in turns]
    specs = [spec for spec, _ in bench.metrics.values()]
    shards = chosen.shards(len(bench.samples))
    scored = seconds(lambda: scoring.scores(chosen, specs, shards, states))
    pictures = len(bench.samples) * len(chosen.edits)
    print(f"{label}: {pictures} edited pictures of {chosen.resolution} px, {len(specs)} metrics")
    print(f"  judges alone   {bare:7.2f} s  {1e3 * bare / pictures:7.1f} ms a picture")
    print(
        f"  engine's pass  {ours:7.2f} s  {1e3 * ours / pictures:7.1f} ms a picture   "
        f"{statistics.median(ratios):.2f}× the judges "
        f"({min(ratios):.2f}–{max(ratios):.2f}; wanted {WANTED:.2f})"
    )
    print(f"  scores         {scored:7.2f} s, once a run\n")


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("demo", "photographs"))
    chosen = parser.parse_args(words)
    print(
        f"torch {torch.__version__}, one thread, processor time; medians of {chosen.rounds} rounds in turns\n"
    )
    if chosen.only != "photographs":
        compare("demo judges, drawn-128", demo_suite(chosen.faces), chosen.rounds)
    if chosen.only != "demo":
        with tempfile.TemporaryDirectory() as folder:
            offer(Path(folder), PHOTOGRAPHS.values())
            compare(
                "judges of photographs", photograph_suite(min(chosen.faces, 10)), max(1, chosen.rounds // 2)
            )


if __name__ == "__main__":
    main(sys.argv[1:])
