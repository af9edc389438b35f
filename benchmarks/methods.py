"""Speed of our networks and of our training step beside plain ones, measured side by side in one run.

    python benchmarks/methods.py                        all methods on one core, about four minutes
    python benchmarks/methods.py --device cuda          also ours compiled, as on a GPU one would run it
    python benchmarks/methods.py --only training --precision bf16

Inference: the generators of the `paper` presets against plain PyTorch modules with the same weights, whose
pictures must agree first. Training: one cycle (the critic's updates and one of the editor) of the toolkit's
loop on the `demo` presets against a loop written out by hand, whose losses must agree first. Ours and the
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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts its threads; --threads sets torch's own

import numpy as np
import torch
from plain import stargan, unet
from plain.loop import Loop, StarGANLoop, UNetLoop
from torch import Tensor, nn

from faceedit_bench.api import EditBatch
from faceedit_bench.catalog import catalog
from faceedit_bench.evaluate import set_numerics
from faceedit_bench.restoring import fast
from faceedit_bench.train import Settings, TrainingFaces
from faceedit_bench.train.faces import Batches
from faceedit_bench.train.trainer import Training

METHODS = ("stargan", "attgan", "stgan", "lstunet")
UNITS = {"attgan": "none", "stgan": "stu", "lstunet": "lstu"}
SAME_PICTURES = 1e-5  # largest difference of float32 pictures in [-1, 1]
SAME_PICTURES_GPU = 1e-4  # its kernels add in other orders, and compiled ones in yet others
SAME_PICTURES_TF32 = 1e-2  # convolutions round to 10 bits
SAME_LOSSES = 1e-5  # in float32, relative to 1 + |loss|
SAME_LOSSES_GPU = 1e-3
STILL = 1e-12  # learning rate at which losses are compared: Adam's first steps would magnify roundings
FEWEST = 5  # rounds of a comparison
FACES = 256  # pictures of noise to train on

Cycle = Callable[[], dict[str, Tensor]]  # trains; the losses by name


# ---- networks -------------------------------------------------------------------------------------


@dataclass
class Fresh:
    """A LoadContext (faceedit_bench.api) without files: fresh weights, prepared as `run` prepares its own."""

    device: str
    compiles: bool = False
    state: dict[str, Tensor] | None = None  # of the network first asked for, and of those after it

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        if self.state is None:
            randomise(network)
            self.state = {key: value.clone() for key, value in network.state_dict().items()}
        network.load_state_dict(self.state)
        return fast(network.to(self.device).eval().requires_grad_(False), self.device, self.compiles)

    def file(self, part: int = 0) -> Path:
        raise SystemExit("this method loads its weights itself; nothing to compare")


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


def copy_weights(state: dict[str, Tensor], plain: nn.Module) -> None:
    """One by one in their order; running statistics that ours does without stay as they are."""
    values, others = list(state.values()), list(plain.state_dict().values())
    if len(values) < len(others):
        others = list(plain.parameters())
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
        """Seconds of each per round, until the time is over; every other round goes backwards.

        All have run before, when their results were compared.
        """
        rounds: list[tuple[float, ...]] = []
        while len(rounds) < FEWEST or sum(map(sum, rounds)) < self.seconds:
            if len(rounds) % 2:
                rounds.append(tuple(self.time(work) for work in reversed(works))[::-1])
            else:
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


def inference(method: str, preset: str, size: int, batch_size: int, machine: Machine) -> None:
    """What `run` calls for each batch against the plain module told the same."""
    spec = catalog().method(method)
    options = spec.presets[preset].options
    context = Fresh(str(machine.device))
    editors = {"eager": spec.load(options, context)}
    plain = plain_generator(method, options)
    copy_weights(context.state, plain)
    plain = plain.to(machine.device).train(method == "stargan")  # as its released test program leaves it
    if machine.is_gpu:
        context.compiles = True
        editors["compiled"] = spec.load(options, context)
    batch = one_flip_each(options.attributes, size, batch_size, machine.device)
    with torch.inference_mode():
        told = plain_condition(method, batch)
        wanted = plain(batch.images, told)
        allowed = same_pictures(machine)
        apart = [
            agreement(f"{method}, {how}", ours.edit(batch), wanted, allowed) for how, ours in editors.items()
        ]
        works = [partial(ours.edit, batch) for ours in editors.values()]
        *ours, other = zip(*machine.in_turns(*works, lambda: plain(batch.images, told)), strict=True)
    for how, times, difference in zip(editors, ours, apart, strict=True):
        goal = 1.3 if how == "compiled" else 1.0
        Row(f"{method} {preset}, {how}", times, other, goal, difference).show(share=batch_size)


def one_flip_each(attributes: tuple[str, ...], size: int, count: int, device: torch.device) -> EditBatch:
    """Noise; every picture has one attribute flipped."""
    source = torch.randint(0, 2, (count, len(attributes))).float()
    edited = torch.arange(len(attributes)) == (torch.arange(count) % len(attributes))[:, None]
    return EditBatch(
        images=(torch.rand(count, 3, size, size) * 2 - 1).to(device),
        source=source.to(device),
        target=torch.where(edited, 1 - source, source).to(device),
        edited=edited.to(device),
        strength=torch.ones(count, device=device),
        seeds=torch.arange(count, device=device),
        attributes=attributes,
    )


def plain_condition(method: str, batch: EditBatch) -> Tensor:
    """What the released test programs tell the generator: the edited entry doubled, in codes of ±½."""
    if method == "stargan":
        return batch.target
    code = (2 * batch.target - 1) * 0.5
    code = torch.where(batch.edited, 2 * code, code)
    return code if method == "attgan" else code - (2 * batch.source - 1) * 0.5


def same_pictures(machine: Machine) -> float:
    if not machine.is_gpu:
        return SAME_PICTURES
    return SAME_PICTURES_TF32 if torch.backends.cudnn.allow_tf32 else SAME_PICTURES_GPU


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
    with torch.random.fork_rng():
        still = both_cycles(method, preset, batch_size, "fp32", machine, lr=STILL)
        difference = losses_agree(f"{method} {preset}", *(cycle() for cycle in still), machine)
        cycles = both_cycles(method, preset, batch_size, precision, machine)
        for cycle in cycles:
            cycle()
        ours, plain = zip(*machine.in_turns(*cycles), strict=True)
    Row(f"{method} {preset}, {precision}", ours, plain, 1 / 1.05, difference).show()


def both_cycles(
    method: str, preset: str, batch_size: int, precision: str, machine: Machine, **changed: float
) -> tuple[Cycle, Cycle]:
    """The trainer's and the plain loop's, from the same weights and over the same batches."""
    spec = catalog().method(method)
    options = replace(spec.presets[preset].options, **changed)
    recipe = spec.recipes(options)[0]
    faces = noise(options.attributes, options.size)
    plainly = Settings(steps=recipe.steps, batch_size=batch_size, precision=precision)
    loop = plain_loop(method, options, recipe, precision, machine.device)
    batches = Batches(faces, recipe, plainly, machine.device)
    numbers = itertools.count()
    settings = replace(plainly, compile=machine.is_gpu, channels_last=machine.is_gpu)
    ours = Training(recipe, faces, settings, machine.device, {})

    def our_cycle() -> dict[str, Tensor]:
        return {key: loss for _ in range(options.critic_steps) for key, loss in ours.take_step().items()}

    return our_cycle, lambda: loop.cycle(lambda: batches.batch(next(numbers), 1))


def plain_loop(method: str, options: Any, recipe: Any, precision: str, device: torch.device) -> Loop:
    """With the weights of the recipe's networks."""
    networks = {"editor": plain_generator(method, options), "critic": plain_critic(method, options)}
    for name, network in networks.items():
        copy_weights(recipe.networks[name].state_dict(), network)
        network.train().to(device)
    parts = (networks["editor"], networks["critic"], options, precision)
    if method == "stargan":
        return StarGANLoop(*parts)
    return UNetLoop(*parts, is_difference=method != "attgan")


def losses_agree(name: str, ours: dict[str, Tensor], plain: dict[str, Tensor], machine: Machine) -> float:
    """The largest relative difference of the first losses; too large a one ends the program."""
    if ours.keys() != plain.keys():
        raise SystemExit(f"{name}: losses are {sorted(ours)}, of the plain loop {sorted(plain)}")
    apart = max(abs(float(ours[key] - plain[key])) / (1 + abs(float(plain[key]))) for key in ours)
    if not apart <= (SAME_LOSSES_GPU if machine.is_gpu else SAME_LOSSES):
        pairs = "\n".join(f"  {key:24} {float(ours[key]):.6g} {float(plain[key]):.6g}" for key in ours)
        raise SystemExit(f"{name}: losses (ours, plain) differ; nothing to compare\n{pairs}")
    return apart


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
    set_numerics(asked.threads)  # as `run` has it
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = asked.tf32
    torch.manual_seed(1)
    machine = Machine(torch.device(asked.device), asked.seconds)
    with named(machine):
        if asked.only != "training":
            header(f"Inference, {asked.size} px, batch {asked.batch}, float32", "ms/image")
            for method in asked.methods:
                inference(method, "paper", asked.size, asked.batch, machine)
        if asked.only != "inference":
            header(f"Training, critic's updates and one of the editor, batch {asked.train_batch}", "ms")
            for method, precision in itertools.product(asked.methods, asked.precision):
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
    add("--preset", choices=("demo", "paper"), default="demo", help="of training")
    add("--train-batch", type=int, default=8, help="pictures per update")
    add("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32"], help="of training")
    add("--tf32", action="store_true", help="on a GPU, TF32 in ours and the plain ones; `run` has none")
    asked = parser.parse_args()
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(f"--device {asked.device}: torch sees no GPU here; leave it out to measure on the CPU")
    return asked


if __name__ == "__main__":
    main()
