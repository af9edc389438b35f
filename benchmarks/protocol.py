"""SeCGAN's whole protocol, `celeba-128-secgan`, stage by stage, beside the time of its arithmetic alone.

    python benchmarks/protocol.py                               8 faces × 13 edits on one thread of a CPU
    python benchmarks/protocol.py --device cuda --faces 19962   the paper's: 259,506 edited pictures

A CelebA tree of drawn faces is made first (`--tree DIR` keeps it, or takes one that is there). StarGAN at its
paper's width and the judges of the suite have random weights: as slow as published ones. Then `run` as a user
gives it, in this process: files read, edited, rounded, shown to each judge, states stored, scores made.

The floor is the operations of generator and judges, counted by the toolkit's counter (a multiplication with
addition is two), each picture once, over what the device reaches in float32 in a large matrix product or a
convolution, whichever is faster, or over `--tflops`. On a CPU times are the processor's. On a GPU they are
the clock's; the engine waits for the device after each edit and each judge, so stages do not overlap, and the
device counts as busy between the first and the last kernel of these, by events.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["FACEEDIT_QUIET"] = "1"

import torch
from random_judges import offer, smooth_pictures

from faceedit_bench import evaluate, runs, suite
from faceedit_bench.catalog import catalog
from faceedit_bench.cost import sample_batch
from faceedit_bench.cost.operations import count_flops
from faceedit_bench.halving import Halving
from faceedit_bench.observe import Observation
from faceedit_bench.store.folder import RunFolder
from faceedit_bench.weights import build_judge, load_method

SUITE, METHOD, PRESET = "celeba-128-secgan", "stargan", "celeba13"
TREE = Path(__file__).parent.parent / "tests" / "data" / "celeba_tree.py"
WANTED_MINUTES, WANTED_BUSY = 6, 0.95  # of 259,506 pictures on a GPU: what the project asks of itself
EDITING, SCORES, REST = "editing", "scores", "metrics, and the loop itself"


class Stages:
    """Seconds of each stage, without those of stages inside it; and of the device, where it is a GPU."""

    def __init__(self, device: str) -> None:
        self.is_gpu = torch.device(device).type == "cuda"
        self.clock = time.perf_counter if self.is_gpu else time.process_time
        self.seconds: Counter[str] = Counter()
        self.pictures: Counter[str] = Counter()  # that a stage of the device was given
        self.events: list[tuple[Any, Any]] = []  # before and after each stage of the device
        self.inside: list[str] = []
        self.since = self.clock()

    def watch(self, owner: Any, name: str, stage: str, *, on_device: bool = False) -> None:
        """Every call of a function counts as `stage`; "{0}" in it is its first word, a judge's role."""
        function = getattr(owner, name)

        def call(*given: Any, **named: Any) -> Any:
            words = [word for word in given if isinstance(word, str)]
            label = stage.format(*words)
            self._pass_to([*self.inside, label])
            try:
                return (
                    self._on_device(label, given, function, named) if on_device else function(*given, **named)
                )
            finally:
                self._pass_to(self.inside[:-1])

        if hasattr(function, "cache_clear"):  # the workbench
            call.cache_clear = function.cache_clear
        setattr(owner, name, call)

    def _pass_to(self, stages: list[str]) -> None:
        now = self.clock()
        if self.inside:
            self.seconds[self.inside[-1]] += now - self.since
        self.inside, self.since = stages, now

    def _on_device(self, label: str, given: Any, function: Callable[..., Any], named: Any) -> Any:
        seen = next(one for one in given if isinstance(one, Observation) or hasattr(one, "images"))
        self.pictures[label] += len(seen.samples if isinstance(seen, Observation) else seen.images)
        if not self.is_gpu:
            return function(*given, **named)
        before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        before.record()
        found = function(*given, **named)
        after.record()
        torch.cuda.synchronize()  # the engine waits here, too: for the promise, or for a judge's answers
        self.events.append((before, after))
        return found

    def busy(self) -> float:
        """Seconds of the device."""
        return sum(before.elapsed_time(after) for before, after in self.events) / 1e3


def watched(device: str) -> Stages:
    """The engine of this process, stage by stage."""
    stages = Stages(device)
    stages.watch(runs, "opened", "opening the data set")
    stages.watch(runs.asking, "check", "asking judges first")
    stages.watch(evaluate, "evaluate_shard", REST)
    stages.watch(evaluate, "workbench", "loading networks")
    stages.watch(evaluate, "_faces", "reading pictures")
    stages.watch(evaluate, "_asked", "batches, sent to the device")
    stages.watch(Halving, "edit", EDITING, on_device=True)
    stages.watch(evaluate, "check_promise", "promise checked")
    stages.watch(evaluate, "to_bytes", "rounding")
    stages.watch(Observation, "_ask", "judge of {0}", on_device=True)
    stages.watch(RunFolder, "put", "storing states")
    stages.watch(runs, "finish", SCORES)
    return stages


# ---- what is run ----------------------------------------------------------------------------------


def make_tree(root: Path, faces: int) -> None:
    """CelebA's test split of drawn faces; pictures that are there are kept."""
    command = [sys.executable, str(TREE), str(root), "--count", str(faces), "--test", str(faces)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def random_stargan(path: Path) -> Path:
    """Weights of StarGAN at its paper's width, thirteen attributes."""
    from faceedit_plugins.stargan import PRESETS
    from faceedit_plugins.stargan.model import Generator
    from safetensors.torch import save_file

    torch.manual_seed(2020)
    state = Generator(PRESETS[PRESET].options).state_dict()
    save_file({f"editor.{key}": value.contiguous() for key, value in state.items()}, path)
    return path


def operations(weights: Path, device: str) -> dict[str, float]:
    """Stage -> operations for one picture."""
    asked = suite.load(SUITE)
    editor = load_method(METHOD, preset=PRESET, weights=weights, device=device)
    batch = sample_batch(asked.resolution, asked.attributes, device)
    found = {EDITING: float(count_flops(lambda: editor.edit(batch)))}
    pictures = smooth_pictures(1, asked.resolution).to(device)
    for role, name in asked.judges.items():
        judge = build_judge(catalog().judge(name), device)
        found[f"judge of {role}"] = float(count_flops(lambda judge=judge: judge(pictures)))
    return found


def reached(device: str) -> float:
    """TFLOP/s in float32, as runs compute: the better of a large matrix product and a 3×3 convolution."""
    evaluate.set_numerics(1)
    is_gpu = torch.device(device).type == "cuda"
    side, batch = (8192, 256) if is_gpu else (1536, 16)
    a = torch.randn(side, side, device=device)
    maps = torch.randn(batch, 256, 32, 32, device=device)
    kernel = torch.randn(256, 256, 3, 3, device=device)
    works = (lambda: a @ a, lambda: torch.nn.functional.conv2d(maps, kernel, padding=1))
    return max(count_flops(work) / _fastest(work, is_gpu) for work in works) / 1e12


def _fastest(work: Callable[[], object], is_gpu: bool) -> float:
    """Seconds, of five times after one."""
    clock, taken = time.perf_counter if is_gpu else time.process_time, []
    for _ in range(6):
        if is_gpu:
            torch.cuda.synchronize()
        begun = clock()
        work()
        if is_gpu:
            torch.cuda.synchronize()
        taken.append(clock() - begun)
    return min(taken[1:])


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cache", default="auto", help="as of `run`")
    parser.add_argument("--tree", type=Path, help="where the CelebA tree lies, or is made")
    parser.add_argument("--tflops", type=float, help="of the device; without it they are measured")
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        os.environ["FACEEDIT_CACHE"] = f"{place}/cache"
        tree = chosen.tree or Path(place) / "celeba"
        make_tree(tree, chosen.faces)
        offer(Path(place), [*suite.load(SUITE).judges.values(), "inception-2015-tf1"])  # the classes' below
        weights = random_stargan(Path(place) / "stargan.safetensors")
        each = operations(weights, chosen.device)
        speed = chosen.tflops or reached(chosen.device)
        stages = watched(chosen.device)
        begun = stages.clock()
        runs.run(
            METHOD,
            suite=SUITE,
            preset=PRESET,
            weights=weights,
            data=tree,
            results=Path(place) / "results",
            workers=None if stages.is_gpu else 1,  # a GPU has one, and scores all cores
            limit=chosen.faces,
            device=chosen.device,
            cache=chosen.cache,
            measure_cost=False,
        )
        report(chosen, stages, stages.clock() - begun, each, speed)


# ---- telling --------------------------------------------------------------------------------------


def report(
    chosen: argparse.Namespace, stages: Stages, total: float, each: dict[str, float], speed: float
) -> None:
    edited = stages.pictures[EDITING]
    where = torch.cuda.get_device_name(chosen.device) if stages.is_gpu else "one thread, processor time"
    print(f"{SUITE} by {METHOD}, {chosen.faces} faces, {edited} edited pictures")
    print(f"{where}, torch {torch.__version__}\n")
    print(f"{'':32}{'seconds':>9}{'share':>8}{'GFLOP a picture':>17}{'pictures':>10}")
    parts = dict(sorted(stages.seconds.items(), key=lambda one: -one[1]))
    parts["everything else"] = total - sum(parts.values())
    for stage, seconds in parts.items():
        counted = f"{each[stage] / 1e9:17.1f}{stages.pictures[stage]:10}" if stage in each else ""
        print(f"{stage:32}{seconds:9.2f}{seconds / total:8.1%}{counted}")
    flops = sum(each[stage] * stages.pictures[stage] for stage in each)
    floor = flops / (speed * 1e12)
    source = "given" if chosen.tflops else "measured, float32"
    print(f"\n{'whole run':32}{total:9.2f} s, {edited / total:.1f} edited pictures a second")
    print(f"{'floor':32}{floor:9.2f} s: {flops / 1e12:.2f} TFLOP at {speed:.3g} TFLOP/s ({source})")
    print(f"{'the run takes':32}{total / floor:9.2f} times the floor")
    before_scores = total - stages.seconds[SCORES]
    if stages.is_gpu:
        share = stages.busy() / before_scores
        print(f"{'device busy until scores':32}{share:9.1%} (wanted {WANTED_BUSY:.0%})")
        print(f"wanted for 259,506 pictures: {WANTED_MINUTES} minutes; this run: {total / 60:.1f}")
    else:
        print(f"{'device busy':32} not measured on a CPU")


if __name__ == "__main__":
    main(sys.argv[1:])
