"""All stages of a method, one after the other, to one weights file and its card."""

from __future__ import annotations

import dataclasses
import functools
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .. import __version__, config
from ..catalog import catalog
from ..contracts import EXPLAINING, JudgeSpec, MethodSpec, Pin
from ..data import jpeg_on_gpu, reading
from ..data.photographs import Photographs
from ..device import available_bytes
from ..errors import BadConfig, BadDataset, BrokenPromise, UnknownName, WrongWeights
from ..manifest import plain
from ..weights import Description, beside, identity_of, load_judge
from . import checkpoint
from .config import TrainingConfig
from .export import pin_of, read_weights, write_card, write_weights
from .faces import TrainingFaces
from .recipe import Recipe, Settings
from .trainer import Result, States, train
from .watch import Watcher


@dataclass(frozen=True)
class Trained:
    """What there is after a session of training."""

    pin: Pin
    weights: Path
    card: dict[str, Any]
    results: tuple[Result, ...]  # of the stages of this session
    stopped: str  # "" finished, "time" or "signal": the same call goes on
    explaining: Path | None  # networks that only `edit --explain` needs, where the method has any

    @property
    def is_complete(self) -> bool:
        return bool(self.card["complete"])


def train_method(
    chosen: TrainingConfig,
    folder: Path,
    *,
    device: str = "cpu",
    root: Path | None = None,
    stage: str = "",
    weights_from: Path | None = None,
    minutes: float = 0.0,
    origin: str = "",
    watch: Sequence[Watcher] = (),
    cache: str = "auto",
    decode: str = "auto",
) -> Trained:
    """Train in `folder/<stage>/`, each stage starting from what the ones before it exported.

    `stage` trains only that one; `minutes` is for all together; `origin` is the command, for the card.
    `cache` says where decoded faces are kept, and `decode` who decodes them: auto, cpu or cuda.
    """
    began = time.monotonic()
    spec, preset, options = choose(chosen)
    recipes = recipes_of(spec, options, chosen, stage)
    first = _first_weights(weights_from, recipes)
    earlier = _earlier(folder, recipes, stage) if stage else {}
    if stage and first:
        _check_one_source(folder, earlier, recipes, stage, first)
    _check_labels(chosen, spec, [recipe for recipe in recipes if stage in ("", recipe.name)])
    borrowed = _borrowed(recipes, stage, first)
    first |= {name: _weights_of(judge, name) for name, judge in borrowed.items()}
    settings = {recipe.name: chosen.settings(recipe) for recipe in recipes}  # bad ones are found now
    open_faces = functools.cache(
        functools.partial(_faces, chosen, spec, options, root, device, cache, decode)
    )
    exported: States = {}
    explaining: States = {}
    made: dict[str, dict[str, Any]] = {}  # stage -> how it was made, for the card
    results: list[Result] = []
    stopped = ""
    for recipe in recipes:
        if stage and recipe.name != stage:
            wanted = () if results else _given_to(recipes, stage)
            if recipe.name in earlier:
                exported |= earlier[recipe.name].exported
                explaining |= earlier[recipe.name].explaining
            else:
                exported |= _given_instead(folder, recipe, first, wanted)
            continue
        size = chosen.size_of(recipe.name)
        faces = open_faces(size)
        left = max(minutes - (time.monotonic() - began) / 60, 1e-9) if minutes else 0.0
        result = train(
            recipe,
            faces,
            dataclasses.replace(settings[recipe.name], minutes=left),
            folder / recipe.name,
            device=device,
            start={**first, **exported},
            identity={"method": spec.name, "options": plain(options), **_decoder(faces)},
            watch=watch,
        )
        results.append(result)
        exported |= result.averages
        explaining |= result.explaining
        made[recipe.name] = _made(result, faces, size, settings[recipe.name])
        if not result.is_complete:
            stopped = result.stopped
            break
    path = folder / f"{spec.name}-{preset}.safetensors"
    told = Description(spec.name, preset, plain(options))
    origin = origin or f"faceedit-bench train --method {spec.name} --preset {preset}"
    write_weights(path, _kept(exported, recipes), told)
    if explaining:
        write_weights(beside(path), explaining, told)
    pin, further = pin_of(path, origin), pin_of(beside(path), origin) if explaining else None
    is_complete = not stage and not stopped
    card = _card(pin, further, chosen, spec, preset, options, made, borrowed, device, is_complete)
    write_card(path.with_suffix(".json"), card)
    return Trained(pin, path, card, tuple(results), stopped, beside(path) if explaining else None)


def choose(chosen: TrainingConfig) -> tuple[MethodSpec, str, Any]:
    """The method, its preset's name and the options, or why there are none."""
    found = catalog()
    spec = found.method(chosen.method)
    if spec.recipes is None:
        able = ", ".join(sorted(name for name, method in found.methods.items() if method.recipes)) or "none"
        raise BadConfig(f"{spec.name} has nothing to train; methods that have: {able}")
    preset = chosen.preset or spec.default_preset
    if preset not in spec.presets:
        raise UnknownName(f"preset of {spec.name}", preset, spec.presets)
    base = spec.presets[preset].options
    options = config.fill(spec.options, chosen.options, where=f"options of {spec.name}", base=base)
    return spec, preset, options


def recipes_of(spec: MethodSpec, options: Any, chosen: TrainingConfig, stage: str) -> tuple[Recipe, ...]:
    """The method's stages, with networks as the seed makes them; stages that are named must be among them."""
    assert spec.recipes is not None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        recipes = tuple(spec.recipes(options))
    names = [recipe.name for recipe in recipes]
    for name in (*chosen.stages, *([stage] if stage else [])):
        if name not in names:
            raise UnknownName(f"stage of {spec.name}", name, names)
    _check_frozen(spec, recipes)
    return recipes


def _check_frozen(spec: MethodSpec, recipes: Sequence[Recipe]) -> None:
    """A stage that leaves an earlier one's network as it is must say that it wants its weights."""
    trained: set[str] = set()  # by the stages before
    for recipe in recipes:
        moved = {name for phase in recipe.phases for name in phase.learners}
        for name in recipe.networks:
            if name in trained and name not in moved and name not in recipe.given:
                raise BrokenPromise(
                    f"{spec.name}: stage {recipe.name!r} freezes network {name!r}, which an earlier stage "
                    f"trains; list it in Recipe(given=...), so that it is asked for with --stage"
                )
        trained |= set(recipe.exported)


def _check_labels(chosen: TrainingConfig, spec: MethodSpec, recipes: Sequence[Recipe]) -> None:
    """A stage that learns from labels finds some; said before the first stage begins."""
    data = catalog().dataset(chosen.data)
    needing = [recipe.name for recipe in recipes if recipe.labels == "needed"]
    if needing and "labels" not in data.provides:
        raise BadDataset(
            f"{data.name} has no labels, and training {spec.name} needs some (stage {needing[0]}); see --data"
        )


def _faces(
    chosen: TrainingConfig,
    spec: MethodSpec,
    options: Any,
    root: Path | None,
    device: str,
    cache: str,
    decode: str,
    size: int,
) -> TrainingFaces:
    data = catalog().dataset(chosen.data)
    if chosen.split not in data.splits:
        raise UnknownName(f"split of {data.name}", chosen.split, data.splits)
    samples = data.open(root, chosen.split, size, chosen.count)
    told = reading.plan(
        samples,
        cache,
        available_bytes,
        face_bytes=size**2 * (4 if "regions" in data.provides else 3),
        device=device,
    )
    if decode == "cuda" and (told.cache == "pack" or not isinstance(samples, Photographs)):
        raise BadConfig(
            f"--decode cuda: the faces of {data.name} are packed, or no JPEG files; take --decode cpu"
        )
    on_gpu = None
    if told.cache == "pack":
        samples, _ = reading.packed(samples)
    elif isinstance(samples, Photographs):
        on_gpu, why = jpeg_on_gpu.chosen(decode, samples, device)
        decoder = told.decoder if on_gpu is None else on_gpu.name
        told = dataclasses.replace(told, decoder=decoder, why="; ".join(filter(None, (told.why, why))))
    return TrainingFaces.of(
        samples,
        spec.attributes_for(options) if "labels" in data.provides else (),
        name=data.name,
        conflicts=data.conflicts,
        reading=told,
        on_gpu=on_gpu,
    )


def _decoder(faces: TrainingFaces) -> dict[str, str]:
    """Part of a training's identity where a GPU decodes: its pixels are not quite the CPU's."""
    return {"decoder": faces.reading.decoder} if faces.reading.decoder.startswith("torchvision") else {}


def _first_weights(path: Path | None, recipes: Sequence[Recipe]) -> States:
    """Networks of --weights-from; each must be one of the method's, and fit."""
    if path is None:
        return {}
    states = read_weights(path)
    networks = {name: network for recipe in recipes for name, network in recipe.networks.items()}
    for name, state in states.items():
        if name not in networks:
            raise WrongWeights(f"{path}: network {name!r} is none of {', '.join(networks)}")
        try:
            networks[name].load_state_dict(state)
        except RuntimeError as error:
            raise WrongWeights(f"{path}: {' '.join(str(error).split())}") from None
    return states


def _borrowed(recipes: Sequence[Recipe], stage: str, first: Mapping[str, Any]) -> dict[str, JudgeSpec]:
    """Network -> the judge whose weights it gets, as --weights-from does not hold it."""
    return {
        name: catalog().judge(judge)
        for recipe in recipes
        if stage in ("", recipe.name)
        for name, judge in recipe.judges.items()
        if name not in first
    }


def _weights_of(judge: JudgeSpec, name: str) -> dict[str, Tensor]:
    """A judge's pinned weights, checked, for network `name`."""
    try:
        network = load_judge(judge, "cpu")
    except WrongWeights as error:
        raise WrongWeights(f"{error}\nor give network {name!r} with --weights-from") from None
    assert isinstance(network, nn.Module)  # Recipe.judges promises it
    return network.state_dict()


def _given_to(recipes: Sequence[Recipe], stage: str) -> tuple[str, ...]:
    """Names of the networks that a stage cannot do without."""
    return next(recipe.given for recipe in recipes if recipe.name == stage)


class Earlier(NamedTuple):
    """What a stage that is not to be trained now left in an earlier session."""

    exported: States
    explaining: States


def _earlier(folder: Path, recipes: Sequence[Recipe], stage: str) -> dict[str, Earlier]:
    """Of every other stage that has a checkpoint in the folder."""
    found = {}
    for recipe in recipes:
        saved = None if recipe.name == stage else checkpoint.load(folder / recipe.name)
        if saved is not None:
            explaining = {name: saved["networks"][name] for name in recipe.explaining}
            found[recipe.name] = Earlier(saved["averages"], explaining)
    return found


def _given_instead(folder: Path, recipe: Recipe, first: Mapping[str, Any], wanted: Sequence[str]) -> States:
    """What --weights-from holds of a stage that is not trained in the folder."""
    missing = [name for name in recipe.exported if name in wanted and name not in first]
    if missing:
        raise BadConfig(
            f"stage {recipe.name!r} comes first and is not trained yet in {folder}; "
            f"train it, or give network {missing[0]!r} with --weights-from"
        )
    return {name: first[name] for name in recipe.exported if name in first}


def _check_one_source(
    folder: Path, earlier: Mapping[str, Earlier], recipes: Sequence[Recipe], stage: str, first: States
) -> None:
    """A stage is not given two different networks of one name, by the stages before it in this folder and by
    --weights-from."""
    place = [recipe.name for recipe in recipes].index(stage)
    for recipe in recipes[:place]:
        exported = earlier[recipe.name].exported if recipe.name in earlier else {}
        for name, state in exported.items():
            if name not in first or name not in recipes[place].networks:
                continue
            if checkpoint.digest({name: state}) != checkpoint.digest({name: first[name]}):
                raise BadConfig(
                    f"network {name!r} of stage {stage!r} comes twice: stage {recipe.name!r} is trained in "
                    f"{folder}, and --weights-from holds another one. Leave --weights-from out to take the "
                    "folder's, or give another --out folder to take the file's"
                )


def _kept(exported: States, recipes: Sequence[Recipe]) -> States:
    """What the weights file holds: not what only later stages need, unless there is nothing else yet."""
    wanted = {name for recipe in recipes if not recipe.is_interim for name in recipe.exported}
    return {name: state for name, state in exported.items() if name in wanted} or exported


# ---- the card -------------------------------------------------------------------------------------


def _made(result: Result, faces: TrainingFaces, size: int, settings: Settings) -> dict[str, Any]:
    return {
        "steps": result.step,
        "of": result.steps,
        "seconds": round(result.seconds, 2),
        "size": size,
        "faces": len(faces),
        "digest": faces.digest,
        "reading": faces.reading.entry(),
        **({"left_out": [face for face, _ in faces.reading.left_out]} if faces.reading.left_out else {}),
        "batch_size": settings.batch_size,
        "precision": settings.precision,
        "losses": {name: float(f"{value:.4g}") for name, value in result.losses.items()},
    }


def _card(
    pin: Pin,
    further: Pin | None,
    chosen: TrainingConfig,
    spec: MethodSpec,
    preset: str,
    options: Any,
    made: dict[str, dict[str, Any]],
    borrowed: Mapping[str, JudgeSpec],
    device: str,
    is_complete: bool,
) -> dict[str, Any]:
    return {
        **dataclasses.asdict(pin),
        **({EXPLAINING: dataclasses.asdict(further)} if further else {}),
        "method": spec.name,
        "version": spec.version,
        "preset": preset,
        "options": plain(options),
        "data": {"name": chosen.data, "split": chosen.split},
        "stages": made,
        **({"judges": {name: identity_of(judge) for name, judge in borrowed.items()}} if borrowed else {}),
        "complete": is_complete,
        "seed": chosen.seed,
        "seconds": round(sum(stage["seconds"] for stage in made.values()), 2),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "faceedit_bench": __version__,
    }


def device_name(device: str) -> str:
    """What the training ran on: a GPU's or a processor's name."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {_processor()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
