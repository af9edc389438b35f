"""GradStyle's edit pass in its parts: what it costs beside a plain pass of the generator.

    python benchmarks/gradstyle.py                                  both small presets on one core
    python benchmarks/gradstyle.py --device cuda --presets paper --batch 8

Weights are random, layers that start at zero included. The goal: an edit pass takes at most 1.5 times a plain
generator pass plus the operations of its own modules (aligners and gates) at the rate those achieve alone.
What is computed once per picture and kept for every edit of it stands below, and is not part of an edit.
Parts take turns; times are medians, on one CPU thread of the processor, otherwise of the wall.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts its threads; --threads sets torch's own

import torch
from faceedit_plugins.gradstyle.editor import GradStyle
from methods import FEWEST, Fresh, Machine, named, one_flip_each
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from faceedit_bench.catalog import catalog
from faceedit_bench.evaluate import set_numerics
from faceedit_bench.suite import THIRTEEN

ALLOWED = 1.5  # of the time of a plain generator pass


class Random(Fresh):
    """A LoadContext (faceedit_bench.api) that draws weights of its own for every file, none of them zero."""

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        for value in network.parameters():
            if not value.any():
                nn.init.normal_(value, std=0.05)
        self.state = {key: value.clone() for key, value in network.state_dict().items()}
        return super().restore(network, part)


def measure(preset: str, batch_size: int, machine: Machine, *, compiles: bool) -> None:
    """Prints the table of one preset."""
    spec = catalog().method("gradstyle")
    options = spec.presets[preset].options
    torch.manual_seed(1)
    editor = spec.load(options, Random(str(machine.device), compiles))
    images = one_flip_each(THIRTEEN, options.size, batch_size, machine.device).images
    with torch.inference_mode():
        parts = parts_of(editor, images)
        operations = {name: flops(work) for name, work in parts.items()}
        rounds = machine.in_turns(*parts.values())
    times = dict(zip(parts, map(statistics.median, zip(*rounds, strict=True)), strict=True))
    print(f"\n{preset}, {options.size} px, batch {batch_size}, {len(rounds)} rounds")
    print(f"{'':34} {'ms/image':>9} {'GFLOP':>8} {'GFLOP/s':>8}")
    for name, seconds in times.items():
        work = operations[name] / 1e9
        print(f"{name:34} {1e3 * seconds / batch_size:9.2f} {work / batch_size:8.3f} {work / seconds:8.1f}")
    verdict(times)


def parts_of(editor: GradStyle, images: Tensor) -> dict[str, Callable[[], object]]:
    """Name -> work."""
    refinement, generator, base = editor.refinement, editor.generator, editor.base
    known, _ = editor._invert(images, is_partial=True)
    edited = refinement.edit(generator, known.codes, known.residuals)
    features = [refined.before for refined in edited.refined]

    def modules() -> None:
        for number, before in enumerate(features):
            refinement.gate[number](before, refinement.aligner[number](known.residuals[number], before))

    def invert() -> None:
        editor._invert(images, is_partial=True)

    return {
        "plain generator pass": lambda: generator.synthesize(known.codes),
        "aligners and gates alone": modules,
        "edit pass": lambda: refinement(generator, known.codes, known.residuals),
        "once per picture: all": invert,
        "once per picture: the encoder": lambda: base.inversion.codes(images),
    }


def flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def verdict(times: dict[str, float]) -> None:
    plain, own, edit = (
        times[name] for name in ("plain generator pass", "aligners and gates alone", "edit pass")
    )
    ratio = edit / (ALLOWED * plain + own)
    print(
        f"edit pass / ({ALLOWED} × plain pass + own modules) = {ratio:.2f}, "
        f"{'reached' if ratio <= 1 else 'missed'} (at most 1); "
        f"(edit pass − own modules) / plain pass = {(edit - own) / plain:.2f}"
    )


def main() -> None:
    asked = arguments()
    set_numerics(asked.threads)  # as `run` has it
    machine = Machine(torch.device(asked.device), asked.seconds)
    with named(machine):
        for preset in asked.presets:
            measure(preset, asked.batch, machine, compiles=asked.compile)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    presets = list(catalog().method("gradstyle").presets)
    add("--presets", nargs="+", choices=presets, default=["demo", "small128"])
    add("--batch", type=int, default=1, help="pictures")
    add("--device", default="cpu", help="cpu or cuda")
    add("--threads", type=int, default=1, help="of the CPU")
    add("--seconds", type=float, default=20.0, help=f"per preset; at least {FEWEST} rounds")
    add("--compile", action="store_true", help="networks with torch.compile, as `run --compile` has them")
    asked = parser.parse_args()
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(f"--device {asked.device}: torch sees no GPU here; leave it out to measure on the CPU")
    return asked


if __name__ == "__main__":
    main()
