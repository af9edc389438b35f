"""The loop: for each phase that is due a fresh batch, its losses, an optimizer step; then average, log, save.

Everything random follows from the seed and the step, and a checkpoint holds everything else, so a training
that was stopped and continued ends with the same bits as one that was not (on the CPU; on a GPU as far as
its kernels are deterministic).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import BadConfig, BrokenPromise, ResultsError, TrainingFailed
from ..manifest import canonical
from . import checkpoint, samples
from .average import Average
from .faces import Batches, TrainingFaces, seed_of
from .interrupt import stop_on_signals
from .log import LossLog
from .lookahead import Lookahead
from .recipe import Phase, Recipe, Settings, TrainBatch
from .watch import Watcher

States = dict[str, dict[str, Tensor]]  # network name -> state dict


@dataclass(frozen=True)
class Result:
    """What a training came to."""

    recipe: str
    step: int  # finished steps, all sessions together
    steps: int  # wanted
    seconds: float  # all sessions together
    stopped: str  # "" finished, "time" or "signal"
    averages: States  # exported networks, on the CPU
    explaining: States  # those that only show how the result edits, as they are, on the CPU
    losses: dict[str, float]  # of the last step

    @property
    def is_complete(self) -> bool:
        return self.step >= self.steps


def train(
    recipe: Recipe,
    faces: TrainingFaces,
    settings: Settings,
    folder: Path,
    *,
    device: str = "cpu",
    start: Mapping[str, Mapping[str, Tensor]] | None = None,
    identity: Mapping[str, Any] | None = None,
    watch: Sequence[Watcher] = (),
) -> Result:
    """Train a recipe in `folder`, going on from the checkpoint there if it is of the same training.

    `start` gives networks their first weights; `identity` is anything else (method, options) that must agree
    for a checkpoint to be continued. Steps, minutes and the intervals of saving may differ between sessions.
    """
    _make(folder)
    torch.set_flush_denormal(True)  # layers that start at zero have subnormal gradients: 18–30 times slower
    if settings.threads:
        torch.set_num_threads(settings.threads)
    began = time.monotonic()
    training = Training(recipe, faces, settings, torch.device(device), start or {})
    training.identity = canonical({**training.identity_of_recipe(), **(identity or {})})
    training.resume(folder)
    log = LossLog(folder / "log.jsonl", training.step, watch)
    sheet = samples.Sheet(recipe, faces, folder, torch.device(device))
    before = training.seconds
    stopped = ""
    look_every = 1 if training.device.type == "cpu" else 10  # reading losses off a GPU makes it wait
    for watcher in watch:
        watcher.began(recipe.name, training.step, settings.steps)
    try:
        with stop_on_signals() as wish, torch.random.fork_rng(devices=_cuda_devices(training.device)):
            while training.step < settings.steps and not stopped:
                log.add(training.step + 1, training.take_step())
                training.seconds = before + time.monotonic() - began
                if wish.asked:
                    stopped = "signal"
                elif settings.minutes and time.monotonic() - began >= 60 * settings.minutes:
                    stopped = "time"
                is_last = bool(stopped) or training.step == settings.steps
                is_save = is_last or training.step % settings.save_every == 0
                is_sheet = settings.sample_every and training.step % settings.sample_every == 0
                if is_save or is_sheet or training.step % look_every == 0:
                    log.write()
                if is_save:
                    training.save(folder)
                if sheet.is_wanted and (is_sheet or (is_last and settings.sample_every)):
                    path = sheet.write(training.step, training.shown())
                    for watcher in watch:
                        watcher.sampled(training.step, path)
    except TrainingFailed as error:
        raise TrainingFailed(f"{recipe.name}: {error}; {_last_good(folder)}") from None
    finally:
        for watcher in watch:
            watcher.ended(training.step)
    is_complete = training.step >= settings.steps
    return Result(
        recipe=recipe.name,
        step=training.step,
        steps=settings.steps,
        seconds=training.seconds,
        stopped="" if is_complete else stopped,
        averages=training.averaged_states(),
        explaining=states_of({name: training.networks[name] for name in recipe.explaining}),
        losses=log.latest,
    )


class Training:
    """Networks, averages, optimizers and the number of finished steps: what a checkpoint holds."""

    def __init__(
        self,
        recipe: Recipe,
        faces: TrainingFaces,
        settings: Settings,
        device: torch.device,
        start: Mapping[str, Mapping[str, Tensor]],
    ) -> None:
        self.recipe, self.settings, self.device = recipe, settings, device
        self.networks: Mapping[str, nn.Module] = recipe.networks
        self.batches = Batches(faces, recipe, settings, device)
        self.step = 0
        self.seconds = 0.0
        self.identity = ""
        _check_given(recipe, start)
        self.start_digest = checkpoint.digest({name: start[name] for name in self.networks if name in start})
        self._prepare(start)
        self.learning = {  # phase -> parameters that learn; those a plugin froze stay frozen
            phase.name: [
                value
                for network in phase.learners
                for value in self.networks[network].parameters()
                if value.requires_grad
            ]
            for phase in recipe.phases
        }
        self.optimizers = {
            phase.name: _optimizer(phase, self.learning[phase.name]) for phase in recipe.phases
        }
        self.averages = {name: Average(self.networks[name], settings.ema) for name in recipe.exported}
        for network in self.networks.values():
            network.requires_grad_(False)
        if settings.compile:  # critics are left out: compiled graphs have no second derivatives
            for name in recipe.exported:
                self.networks[name].compile()

    def _prepare(self, start: Mapping[str, Mapping[str, Tensor]]) -> None:
        learning = {network for phase in self.recipe.phases for network in phase.learners}
        for name, network in self.networks.items():
            if name in start:
                network.load_state_dict(start[name])
            network.train(name in learning).to(self.device)
            if self.settings.channels_last:
                network.to(memory_format=torch.channels_last)

    # ---- one step ---------------------------------------------------------------------------------

    def take_step(self) -> dict[str, Tensor]:
        """Run the phases that are due; the losses, named `phase.term`, still on the device."""
        self.step += 1
        losses: dict[str, Tensor] = {}
        fresh = [phase for phase in self.recipe.phases if phase.fresh]
        number = sum((self.step - 1) // phase.every for phase in fresh) - 1  # of the batch drawn last
        stepped: set[str] = set()
        for phase in self.recipe.phases:
            if not phase.is_due(self.step):
                continue
            number += phase.fresh
            terms = self._update(phase, self.batches.batch(number, self.step), number)
            losses |= {f"{phase.name}.{term}": value.detach() for term, value in terms.items()}
            stepped.update(phase.learners)
        for name in stepped & self.averages.keys():
            self.averages[name].update(self.networks[name])
        return losses

    def _update(self, phase: Phase, batch: TrainBatch, number: int) -> dict[str, Tensor]:
        optimizer = self.optimizers[phase.name]
        learning = self.learning[phase.name]
        torch.manual_seed(seed_of(self.settings.seed, self.recipe.name, "network", number))  # for dropout
        for value in learning:
            value.requires_grad_(True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            terms = phase.loss(self.networks, batch)
        total = _total(terms, self.recipe, phase)
        total.backward()
        for group in optimizer.param_groups:
            group["lr"] = phase.lr * self.decay
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        for value in learning:
            value.requires_grad_(False)
        return terms

    @property
    def decay(self) -> float:
        """Factor of all learning rates at the present step."""
        return self.recipe.rate.factor(self.step, self.settings.steps)

    def shown(self) -> dict[str, nn.Module]:
        """Networks for looking at: averages where there are some."""
        averaged = {name: average.network for name, average in self.averages.items()}
        return {**self.networks, **averaged}

    def averaged_states(self) -> States:
        return states_of({name: average.network for name, average in self.averages.items()})

    # ---- checkpoints ------------------------------------------------------------------------------

    def identity_of_recipe(self) -> dict[str, Any]:
        """What must agree for a checkpoint to be continued."""
        settings = self.settings
        parts: dict[str, Any] = {} if self.batches.regions is None else {"regions": True}
        if self.recipe.balanced is not None:
            parts["balanced"] = self.recipe.balanced
        return {
            "recipe": self.recipe.name,
            "phases": [
                [p.name, p.network, p.every, p.lr, list(p.betas), *([p.lookahead] if p.lookahead else [])]
                for p in self.recipe.phases
            ],
            "networks": {name: _shape(network) for name, network in self.networks.items()},
            "exported": list(self.recipe.exported),
            "faces": self.batches.faces.digest,
            "attributes": list(self.batches.faces.attributes),
            "batch_size": settings.batch_size,
            "ema": settings.ema,
            "precision": settings.precision,
            "seed": settings.seed,
            "flip": settings.flip,
            "start": self.start_digest,
            **parts,
        }

    def save(self, folder: Path) -> None:
        """Write the checkpoint, unless weights are no longer numbers."""
        for name, network in self.networks.items():
            values: list[Tensor] = [value for value in network.parameters() if value.numel()]
            if values and not bool(torch.stack(torch._foreach_norm(values)).isfinite().all()):
                raise TrainingFailed(f"step {self.step}: weights of network {name!r} are not finite")
        checkpoint.save(
            folder,
            {
                "identity": self.identity,
                "step": self.step,
                "seconds": self.seconds,
                "networks": {name: network.state_dict() for name, network in self.networks.items()},
                "averages": {name: average.network.state_dict() for name, average in self.averages.items()},
                "updates": {name: average.updates for name, average in self.averages.items()},
                "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            },
        )

    def resume(self, folder: Path) -> None:
        """Continue from the checkpoint of the folder, if there is one; refuse another training's."""
        saved = checkpoint.load(folder, self.device)
        if saved is None:
            return
        checkpoint.check_identity(folder, saved["identity"], self.identity)
        self.step, self.seconds = saved["step"], saved["seconds"]
        for name, network in self.networks.items():
            network.load_state_dict(saved["networks"][name])
        for name, average in self.averages.items():
            average.network.load_state_dict(saved["averages"][name])
            average.updates = saved["updates"][name]
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(saved["optimizers"][name])


def states_of(networks: Mapping[str, nn.Module]) -> States:
    """Their state dicts, on the CPU."""
    return {
        name: {key: value.detach().cpu() for key, value in network.state_dict().items()}
        for name, network in networks.items()
    }


def _optimizer(phase: Phase, values: Iterable[Tensor]) -> torch.optim.Optimizer:
    if phase.lookahead:
        return Lookahead(values, phase.lr, phase.betas, every=phase.lookahead)
    return torch.optim.Adam(values, phase.lr, phase.betas, fused=True)


def _total(terms: dict[str, Tensor], recipe: Recipe, phase: Phase) -> Tensor:
    """The sum of the terms, once they are what a loss has to return."""
    where = f"recipe {recipe.name!r}, phase {phase.name!r}"
    if not isinstance(terms, dict) or not terms:
        raise BrokenPromise(f"{where}: the loss must return a dict of scalars, found {type(terms).__name__}")
    for name, value in terms.items():
        if not isinstance(value, Tensor) or value.dim() != 0:
            found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise BrokenPromise(f"{where}: term {name!r} must be a scalar tensor, found {found}")
    total = torch.stack([value.float() for value in terms.values()]).sum()
    if not total.requires_grad:
        names = " or ".join(repr(name) for name in phase.learners)
        raise BrokenPromise(f"{where}: no term depends on the parameters of network {names}")
    return total


def _check_given(recipe: Recipe, start: Mapping[str, Any]) -> None:
    """Networks that the recipe does not train and cannot do without have weights."""
    missing = [name for name in recipe.given if name not in start]
    if missing:
        raise BadConfig(
            f"stage {recipe.name!r} wants trained weights of network {missing[0]!r} and got none; train the "
            "stage before it, or give a .safetensors file that holds them with --weights-from"
        )


def _shape(network: nn.Module) -> str:
    """16 hex digits that tell the layout of a network's weights."""
    layout = [(key, tuple(value.shape), str(value.dtype)) for key, value in network.state_dict().items()]
    return hashlib.sha256(repr(layout).encode()).hexdigest()[:16]


def _cuda_devices(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ResultsError(
            f"{folder}: cannot be written ({error}); choose another folder with --out"
        ) from None


def _last_good(folder: Path) -> str:
    saved = checkpoint.load(folder)
    if saved is None:
        return "nothing had been saved yet; try a smaller learning rate or --precision fp32"
    return f"the checkpoint of step {saved['step']} in {folder} is good"
