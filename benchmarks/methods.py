"""Speed of our networks and of our training step beside plain ones, measured side by side in one run.

    python benchmarks/methods.py                        all methods on one core, about four minutes
    python benchmarks/methods.py --device cuda          also ours compiled, as on a GPU one would run it
    python benchmarks/methods.py --only training --precision bf16

Inference: the generators of the `paper` presets against plain PyTorch modules with the same weights, whose
pictures must agree first. Training: one cycle (the critic's updates and one of the editor) of the toolkit's
loop on the `demo` presets against a loop written out by hand, whose first losses must agree. Ours and the
plain one take turns; ratios are of neighbours. On one CPU thread times are the processor's, not the wall's.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts its threads; --threads sets torch's own

import numpy as np
import torch
from plain import stargan, unet
from plain.loop import Loop, StarGANLoop, UNetLoop
from torch import Tensor, nn

from faceedit_bench.catalog import catalog
from faceedit_bench.train import Settings, TrainingFaces
from faceedit_bench.train.faces import Batches
from faceedit_bench.train.trainer import Training

METHODS = ("stargan", "attgan", "stgan", "lstunet")
UNITS = {"attgan": "none", "stgan": "stu", "lstunet": "lstu"}
SAME_PICTURES = 1e-5  # largest difference of float32 pictures in [-1, 1]
SAME_PICTURES_GPU = 1e-2  # its convolutions round to TF32, and differently from kernel to kernel
SAME_LOSSES = {"fp32": 1e-4, "bf16": 3e-2}  # relative to 1 + |loss|
FEWEST = 3  # times that each takes its turn
FACES = 256  # pictures of noise to train on


# ---- networks -------------------------------------------------------------------------------------


def our_recipe(method: str, preset: str) -> tuple[Any, Any]:
    """A method's options and its training stage, whose networks are freshly initialised."""
    spec = catalog().method(method)
    options = spec.presets[preset].options
    return options, spec.recipes(options)[0]


def plain_generator(method: str, options: Any) -> nn.Module:
    attributes = len(options.attributes)
    if method == "stargan":
        return stargan.Generator(width=options.width, blocks=options.blocks, attributes=attributes)
    return unet.Generator(
        unit=UNITS[method],
        width=options.width,
        layers=options.layers,
        skip=options.skip,
        inject=options.inject,
        attributes=attributes,
        slope=options.slope,
        epsilon=options.epsilon,
        momentum=options.momentum,
    )


def plain_critic(method: str, options: Any) -> nn.Module:
    sizes = {"width": options.critic_width, "layers": options.critic_layers, "size": options.size}
    attributes = len(options.attributes)
    if method == "stargan":
        return stargan.Critic(**sizes, attributes=attributes)
    return unet.Critic(**sizes, fc=options.critic_fc, attributes=attributes)


def randomise(generator: nn.Module) -> None:
    """Norms and biases that a mistake would show in; running statistics of noise."""
    for module in generator.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)):
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.2)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0.0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
        elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.bias is not None:
            nn.init.normal_(module.bias, 0.0, 0.2)


def copy_weights(ours: nn.Module, plain: nn.Module) -> None:
    """Parameters in order, and the buffers of batch norms."""
    values, others = list(ours.parameters()), list(plain.parameters())
    buffers = list(ours.buffers())
    if buffers:
        values, others = [*values, *buffers], [*others, *plain.buffers()]
    with torch.no_grad():
        for value, other in zip(values, others, strict=True):
            if value.shape != other.shape:
                raise SystemExit(f"weights do not fit: ours {tuple(value.shape)}, plain {tuple(other.shape)}")
            other.copy_(value)


# ---- clocks ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """Where it runs, and how long a comparison may."""

    device: torch.device
    seconds: float  # per comparison

    @property
    def is_gpu(self) -> bool:
        return self.device.type == "cuda"

    @property
    def has_processor_time(self) -> bool:
        """Several threads, or a GPU, want the wall's."""
        return not self.is_gpu and torch.get_num_threads() == 1

    def time(self, work: Callable[[], object]) -> float:
        """Seconds."""
        clock = time.process_time if self.has_processor_time else time.perf_counter
        begun = clock()
        work()
        if self.is_gpu:
            torch.cuda.synchronize(self.device)
        return clock() - begun

    def in_turns(self, *works: Callable[[], object]) -> list[tuple[float, ...]]:
        """Each in its turn, until the time is over; the first round is not counted."""
        for work in works:
            self.time(work)
        rounds: list[tuple[float, ...]] = []
        while len(rounds) < FEWEST or sum(map(sum, rounds)) < self.seconds:
            rounds.append(tuple(self.time(work) for work in works))
        return rounds


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of ours and of the plain one, round by round."""

    name: str
    ours: list[float]
    plain: list[float]
    goal: float  # ratio wanted
    difference: float

    def show(self, share: int = 1) -> None:
        """Medians in ms divided by `share`, ratio plain/ours."""
        ratios = [plain / ours for ours, plain in zip(self.ours, self.plain, strict=True)]
        ratio = statistics.median(ratios)
        mine, other = (1e3 * statistics.median(times) / share for times in (self.ours, self.plain))
        verdict = "reached" if round(ratio, 2) >= self.goal else "missed"
        print(
            f"{self.name:30} {mine:9.2f} {other:9.2f} {ratio:7.2f}× {min(ratios):5.2f}–{max(ratios):4.2f} "
            f"{len(ratios):4d} {self.difference:9.1e}   ≥ {self.goal:.2f} {verdict}",
            flush=True,
        )


def header(title: str, unit: str) -> None:
    print(f"\n{title}\n{'':30} {'ours':>9} {'plain':>9} {'ratio':>8} {'min–max':>10} {'n':>4}  differ by")
    print(f"{'':30} {unit:>9} {unit:>9} {'plain/ours':>8}")


# ---- inference ------------------------------------------------------------------------------------


def inference(method: str, preset: str, size: int, batch: int, machine: Machine) -> None:
    options, recipe = our_recipe(method, preset)
    ours = recipe.networks["editor"]
    randomise(ours)
    plain = plain_generator(method, options)
    copy_weights(ours, plain)
    ours = ours.eval().to(machine.device)
    plain = plain.train(method == "stargan").to(machine.device)  # as its released test program leaves it
    images = torch.rand(batch, 3, size, size, device=machine.device) * 2 - 1
    told = torch.randint(0, 2, (batch, len(options.attributes)), device=machine.device).float()
    with torch.inference_mode():
        _inference(f"{method} {preset}", ours, plain, images, told, machine)


def _inference(
    name: str, ours: nn.Module, plain: nn.Module, images: Tensor, told: Tensor, machine: Machine
) -> None:
    pictures = plain(images, told)
    allowed = SAME_PICTURES_GPU if machine.is_gpu else SAME_PICTURES
    difference = agreement(name, ours(images, told), pictures, allowed)
    works = [lambda: ours(images, told), lambda: plain(images, told)]
    names = [f"{name}, eager"]
    if machine.is_gpu:
        import copy

        fast = torch.compile(copy.deepcopy(ours).to(memory_format=torch.channels_last))
        last = images.to(memory_format=torch.channels_last)
        agreement(f"{name}, compiled", fast(last, told), pictures, allowed)
        works.insert(1, lambda: fast(last, told))
        names.append(f"{name}, compiled")
    columns = list(zip(*machine.in_turns(*works), strict=True))
    for label, column in zip(names, columns, strict=False):
        goal = 1.3 if "compiled" in label else 1.0
        Row(label, column, columns[-1], goal, difference).show(share=len(images))


def agreement(name: str, ours: Tensor, plain: Tensor, allowed: float) -> float:
    """The largest difference of two sets of pictures; too large a one ends the program."""
    difference = float((ours - plain).abs().max())
    if not difference <= allowed or float(plain.std()) < 0.01:
        raise SystemExit(
            f"{name}: pictures differ by {difference:.1e} (allowed {allowed:.0e}, their deviation is "
            f"{float(plain.std()):.2f}); nothing to compare"
        )
    return difference


# ---- training -------------------------------------------------------------------------------------


def noise(attributes: tuple[str, ...], size: int) -> TrainingFaces:
    """Pictures and labels that cost nothing to make."""
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (FACES, 3, size, size), np.uint8)
    labels = generator.integers(0, 2, (FACES, len(attributes)), np.uint8)
    return TrainingFaces(images, labels, attributes, digest="noise")


def training(method: str, preset: str, batch_size: int, precision: str, machine: Machine) -> None:
    options, recipe = our_recipe(method, preset)
    faces = noise(options.attributes, options.size)
    plainly = Settings(steps=recipe.steps, batch_size=batch_size, precision=precision)
    fast = Settings(
        steps=recipe.steps,
        batch_size=batch_size,
        precision=precision,
        compile=machine.is_gpu,
        channels_last=machine.is_gpu,
    )
    ours = Training(recipe, faces, fast, machine.device, {})
    loop = plain_loop(method, options, recipe, precision, machine.device)
    batches = Batches(faces, recipe, plainly, machine.device)
    numbers = itertools.count()

    def our_cycle() -> dict[str, Tensor]:
        return {key: loss for _ in range(options.critic_steps) for key, loss in ours.take_step().items()}

    def plain_cycle() -> dict[str, Tensor]:
        return loop.cycle(lambda: batches.batch(next(numbers), 1))

    with torch.random.fork_rng():
        difference = losses_agree(f"{method} {preset}", our_cycle(), plain_cycle(), precision)
        mine, plain = zip(*machine.in_turns(our_cycle, plain_cycle), strict=True)
    Row(f"{method} {preset}, {precision}", mine, plain, 0.95, difference).show()


def plain_loop(method: str, options: Any, recipe: Any, precision: str, device: torch.device) -> Loop:
    """With the weights of the recipe's networks."""
    networks = {"editor": plain_generator(method, options), "critic": plain_critic(method, options)}
    for name, network in networks.items():
        copy_weights(recipe.networks[name], network)
        network.train().to(device)
    parts = (networks["editor"], networks["critic"], options, precision)
    if method == "stargan":
        return StarGANLoop(*parts)
    return UNetLoop(*parts, is_difference=method != "attgan")


def losses_agree(name: str, ours: dict[str, Tensor], plain: dict[str, Tensor], precision: str) -> float:
    """The largest relative difference of losses after the first cycle; too large a one ends the program."""
    if ours.keys() != plain.keys():
        raise SystemExit(f"{name}: losses are {sorted(ours)}, of the plain loop {sorted(plain)}")
    mine = torch.stack([ours[key].float() for key in ours])
    other = torch.stack([plain[key].float() for key in ours])
    difference = (mine - other).abs() / (1 + other.abs())
    if not float(difference.max()) <= SAME_LOSSES[precision]:
        pairs = "\n".join(f"  {key:28} {float(ours[key]):.6g} {float(plain[key]):.6g}" for key in ours)
        raise SystemExit(f"{name}: first losses (ours, plain) differ; nothing to compare\n{pairs}")
    return float(difference.max())


# ---- command line ---------------------------------------------------------------------------------


@contextmanager
def named(machine: Machine) -> Iterator[None]:
    """Say what is measured where, and how long it took."""
    where = torch.cuda.get_device_name(machine.device) if machine.is_gpu else platform.machine()
    clock = "processor time" if machine.has_processor_time else "wall time"
    print(f"{where}, torch {torch.__version__}, {torch.get_num_threads()} CPU thread(s), {clock}")
    begun = time.perf_counter()
    yield
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


def main() -> None:
    asked = arguments()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(1)
    machine = Machine(torch.device(asked.device), asked.seconds)
    with named(machine):
        if asked.only != "training":
            title = f"Inference, {asked.size} px, batch {asked.batch}, float32"
            header(title, "ms/image")
            for method in asked.methods:
                inference(method, "paper", asked.size, asked.batch, machine)
        if asked.only != "inference":
            header(f"One training cycle, batch {asked.train_batch}", "ms")
            for method in asked.methods:
                for precision in asked.precision:
                    training(method, asked.preset, asked.train_batch, precision, machine)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--methods", nargs="+", choices=METHODS, default=METHODS)
    add("--only", choices=("inference", "training"), help="one of both parts")
    add("--device", default="cpu", help="cpu or cuda")
    add("--threads", type=int, default=1, help="of the CPU")
    add("--seconds", type=float, default=10.0, help=f"per comparison; each has at least {FEWEST} rounds")
    add("--size", type=int, default=128, help="pixels per side, inference")
    add("--batch", type=int, default=16, help="pictures, inference")
    add("--preset", choices=("demo", "paper"), default="demo", help="of the training cycle")
    add("--train-batch", type=int, default=8, help="pictures per update")
    add("--precision", nargs="+", choices=tuple(SAME_LOSSES), default=["fp32"], help="of training")
    asked = parser.parse_args()
    if asked.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda: torch sees no GPU here; leave it out to measure on the CPU")
    return asked


if __name__ == "__main__":
    main()
