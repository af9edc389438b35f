"""Memory of the engine over a whole protocol: 13 edits of every face, answers as wide as the real judges'.

    python benchmarks/memory.py                       500, 2,000 and 8,000 faces, 13 edits each
    python benchmarks/memory.py --faces 19962         CelebA's test faces: 259,506 edited pictures
    python benchmarks/memory.py --faces 2000 --edits 1 2 4 13
    python benchmarks/memory.py --faces 8000 --at-once 2   features of two edits compared at once

What grows with the pictures is what judges answer, not the pictures: so these are of 16 pixels, the method
dims them, and a judge is one matrix of random numbers; but features have 2048 numbers, logits 1008 and
embeddings 512. Each size is a process of its own, in which one worker does the whole run: shards, scores,
tables.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

from faceedit_bench import runs, scoring
from faceedit_bench.api import EditBatch
from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import THIRTEEN, DatasetSpec, JudgeSpec, MethodSpec, Pin, Sample, View

SIDE, SEEN = 16, 8  # pixels per side of the pictures, and of what judges see of them
JUDGES = {"attributes": 13, "features": 2048, "classes": 1008, "identity": 512}  # role -> D
METRICS = ("tarr", "leakage", "id", "ssfid", "is")
WANTED = 6e9  # bytes for 259,506 edited pictures: what the project asks of itself
WEIGHTS = b"no weights"


@dataclass
class Faces:
    """Random pictures and labels (contracts.Samples)."""

    count: int
    attributes: tuple[str, ...] = THIRTEEN

    def __post_init__(self) -> None:
        generator = np.random.default_rng(0)
        self.images = generator.integers(0, 256, (self.count, 3, SIDE, SIDE), dtype=np.uint8)
        self.labels = generator.integers(0, 2, (self.count, len(THIRTEEN)), dtype=np.uint8)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        return Sample(f"{index:06d}", self.images[index], self.labels[index])

    def digest(self) -> str:
        return f"{self.count} random pictures"


class Dim:
    """A method that makes every picture darker, each edit a little more."""

    def edit(self, batch: EditBatch) -> Tensor:
        edit = batch.edited.float().argmax(dim=1)  # (B,)
        return batch.images * (0.9 - 0.02 * edit)[:, None, None, None]


def judge(role: str, width: int) -> JudgeSpec:
    """One layer of random numbers; probabilities where attributes are asked."""
    weights = torch.randn(3 * SEEN * SEEN, width, generator=torch.Generator().manual_seed(width)) / SEEN

    def answer(faces: Tensor) -> Tensor:
        found = faces.flatten(1) @ weights
        return found.sigmoid() if role == "attributes" else found

    pin = Pin("random.bin", hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS), "nowhere", "none")
    return JudgeSpec(f"random-{role}", "1", role, "", pin, View(SEEN, "area"), width, lambda context: answer)


def offer() -> None:
    """Put data set, method and judges into the catalog of this process."""
    found = catalog()
    found.datasets["random-faces"] = DatasetSpec(
        "random-faces", "1", "", THIRTEEN, ("test",), lambda root, split, size, count: Faces(count)
    )
    found.methods["dim"] = MethodSpec("dim", "1", "", "none", (), (), lambda options, context: Dim())
    for role, width in JUDGES.items():
        found.judges[f"random-{role}"] = judge(role, width)


def write_suite(path: Path, faces: int, edits: int) -> None:
    """SeCGAN's protocol: every attribute, or the first so many, reversed alone."""
    flips = ", ".join(f'{{ name = "{name}", flips = ["{name}"] }}' for name in THIRTEEN[:edits])
    judges = "\n".join(f'{role} = "random-{role}"' for role in JUDGES)
    path.write_text(
        'name = "memory"\nversion = "1"\nsummary = ""\ndataset = "random-faces"\nsplit = "test"\n'
        f"resolution = {SIDE}\ncount = {faces}\nattributes = {json.dumps(THIRTEEN)}\n"
        f"metrics = {json.dumps(METRICS)}\nedits = [{flips}]\nshard_size = 500\nbatch_size = 50\n"
        f"[judges]\n{judges}\n"
    )


def peak() -> int:
    """Bytes that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(faces: int, edits: int, at_once: int) -> dict[str, float]:
    """A whole run in this process; features of so many edits are compared at once."""
    offer()
    scoring.edits_at_once = lambda *given: at_once
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ.update(FACEEDIT_WEIGHTS=folder, FACEEDIT_QUIET="1")
        (root / "random.bin").write_bytes(WEIGHTS)
        write_suite(root / "suite.toml", faces, edits)
        start, (began, _) = peak(), _times()
        marks: list[tuple[float, float, float]] = []
        _before(runs, "finish", lambda: marks.append((peak(), *_times())))
        run = runs.run("dim", suite=str(root / "suite.toml"), results=root, workers=1, measure_cost=False)
        seconds, clock = _times()
        ((peak_of_edits, after_edits, clock_after_edits),) = marks
        stored = sum(file.stat().st_size for file in (run.folder.path / "shards").iterdir())
    return {
        "pictures": edits * faces,
        "start": start,
        "edits": peak_of_edits,
        "peak": peak(),
        "stored": stored,
        "seconds": seconds - began,
        "scoring": seconds - after_edits,
        "clock": clock - clock_after_edits,
    }


def _before(module: object, name: str, act: Callable[[], None]) -> None:
    """Let `act` happen before each call of a function."""
    wrapped = getattr(module, name)

    def call(*arguments: object, **named: object) -> object:
        act()
        return wrapped(*arguments, **named)

    setattr(module, name, call)


def _times() -> tuple[float, float]:
    """Of the processor, and by the clock."""
    return time.process_time(), time.perf_counter()


def heading() -> None:
    answers = ", ".join(f"{width} {role}" for role, width in JUDGES.items())
    print(f"metrics {', '.join(METRICS)}; answers of {answers}; one worker, one thread\n")
    print(
        f"{'pictures':>9} {'start MB':>9} {'edited MB':>10} {'scored MB':>10} {'on disk MB':>11} "
        f"{'B/picture':>10} {'CPU s':>6} {'scoring':>8} {'by clock':>9}"
    )


def row(one: dict[str, float]) -> None:
    """What a process held at most when it began, when all was edited, and when all was scored."""
    start, edits, most, disk = (one[name] / 1e6 for name in ("start", "edits", "peak", "stored"))
    print(
        f"{one['pictures']:9,.0f} {start:9,.0f} {edits:10,.0f} {most:10,.0f} {disk:11,.0f} "
        f"{one['stored'] / one['pictures']:10,.0f} {one['seconds']:6.0f} {one['scoring']:8.0f} "
        f"{one['clock']:9.0f}",
        flush=True,
    )


def slope(first: dict[str, float], last: dict[str, float]) -> None:
    """What a picture more adds. Not to be drawn on: the metric that takes most changes with their number."""
    more = (last["peak"] - first["peak"]) / (last["pictures"] - first["pictures"])
    print(f"\na picture more, between these: {more:,.0f} bytes of memory")
    print(f"at most {last['peak'] / 1e9:.1f} GB; wanted for 259,506 pictures: at most {WANTED / 1e9:.0f} GB")


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, nargs="+", default=[500, 2000, 8000], metavar="N")
    parser.add_argument("--edits", type=int, nargs="+", default=[len(THIRTEEN)], metavar="N")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="edits compared at once")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # measured in this process
    chosen = parser.parse_args(words)
    if chosen.one:
        print(json.dumps(measure(chosen.faces[0], chosen.edits[0], chosen.at_once)))
        return
    heading()
    found = []
    for faces, edits in itertools.product(chosen.faces, chosen.edits):
        command = [sys.executable, __file__, "--one", "--faces", str(faces), "--edits", str(edits)]
        command += ["--at-once", str(chosen.at_once)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        row(found[-1])
    if len(found) > 1:
        slope(found[0], found[-1])


if __name__ == "__main__":
    main(sys.argv[1:])
