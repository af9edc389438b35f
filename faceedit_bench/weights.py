"""Pin -> checked file -> restored network; the same for methods and judges."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import config, folders
from .catalog import catalog
from .contracts import EXPLAINING, Editor, JudgeSpec, MethodSpec, Part, Pin, Preset, View
from .errors import BadConfig, UnknownName, WrongWeights
from .manifest import canonical
from .restoring import adopt, fast, restore

if TYPE_CHECKING:
    from torch import Tensor, nn

FLOAT32, FLOAT64 = JUDGE_DTYPES = ("float32", "float64")
"""Precisions in which judges may be asked; float64 is for arbitration."""


@dataclass(frozen=True)
class Choice:
    """A method as the user asked for it: names and files, nothing loaded yet."""

    spec: MethodSpec
    preset: str
    options: Any
    pins: tuple[Pin, ...]
    files: tuple[Path, ...]  # where each pin was found


@dataclass(frozen=True)
class Context:
    """What a plugin's `load` gets (contracts.LoadContext)."""

    device: str
    pins: tuple[Pin, ...]
    files: tuple[Path, ...]
    compiles: bool = False  # networks are compiled when they first run

    def file(self, part: Part = 0) -> Path:
        """The checked path of weights file number `part`."""
        if part == EXPLAINING:
            return explaining(self.files[0])
        check(self.files[part], self.pins[part])
        return self.files[part]

    def restore(self, network: nn.Module, part: Part | Path = 0) -> nn.Module:
        """Load weights file number `part`, or a file that an option names, strictly; the network comes back
        on the device in eval mode."""
        path = part if isinstance(part, Path) else self.file(part)
        network = restore(network, path).to(self.device).eval().requires_grad_(False)
        return fast(network, self.device, self.compiles and part != EXPLAINING)

    def adopt(
        self,
        network: nn.Module,
        rename: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]],
        part: int = 0,
    ) -> nn.Module:
        """Load weights file number `part`, of another program, strictly under the names `rename` gives."""
        network = adopt(network, rename, self.file(part)).to(self.device).eval().requires_grad_(False)
        return fast(network, self.device, self.compiles)


# ---- files ----------------------------------------------------------------------------------------

RECORDED = "recorded.json"  # in the user's weights folder: hashes that no publisher tells


def candidates(pin: Pin, home: Path) -> list[Path]:
    """Where the file of a pin may lie: beside the plugin that ships it, then in the user's folder."""
    return [home / pin.file, home / "weights" / pin.file, own(pin)]


def own(pin: Pin) -> Path:
    """Where the file of a pin lies in the user's folder, also of one shipped as `../e4e/e4e.safetensors`."""
    return folders.weights() / Path(pin.file).name


def home_of(spec: MethodSpec | JudgeSpec) -> Path:
    """The folder of the plugin that offers `spec`."""
    return Path(inspect.getfile(spec.load)).parent


def locate(pin: Pin, home: Path) -> Path | None:
    """The first place that has the file, unchecked."""
    return next((path for path in candidates(pin, home) if path.is_file()), None)


def check(path: Path, pin: Pin) -> None:
    """Compare size and hash with the pin; WrongWeights tells both."""
    stat = path.stat()
    if pin.bytes and stat.st_size != pin.bytes:
        raise WrongWeights(
            f"{path}: wanted {pin.bytes} bytes, found {stat.st_size}; get it from: {pin.origin}"
        )
    wanted, found = settled(pin, path).sha256, _sha256(path, stat.st_mtime_ns, stat.st_size)
    if found != wanted:
        raise WrongWeights(f"{path}: wanted sha256 {wanted}, found {found}; get it from: {pin.origin}")


def settled(pin: Pin, path: Path) -> Pin:
    """The pin with its whole hash, for the file at `path`; a pin that has one comes back as it is.

    Where the publisher tells the first digits, the file's hash must begin with them. Where nothing is told,
    the file must have been added with `weights add`, which records the hash it found (`recorded`).
    """
    if pin.is_whole:
        return pin
    if known := recorded().get(pin.file):
        return replace(pin, sha256=known["sha256"], bytes=known["bytes"])
    found = sha256(path)
    if pin.sha256 and found.startswith(pin.sha256):
        return replace(pin, sha256=found, bytes=path.stat().st_size)
    if pin.sha256:
        raise WrongWeights(
            f"{path}: wanted a sha256 that begins with {pin.sha256}, found {found}; get it from: {pin.origin}"
        )
    raise WrongWeights(
        f"{path}: nobody publishes this file's hash, so it is used only after `faceedit-bench weights add "
        f"{path}`, which checks that it fits and records the hash; found {found}"
    )


def recorded() -> dict[str, dict[str, Any]]:
    """File name -> sha256 and bytes of the files without a published hash that `weights add` accepted."""
    path = folders.weights() / RECORDED
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise WrongWeights(f"{path}: damaged ({error}); delete it and add the files again") from None


def sha256(path: Path) -> str:
    """Hash of a file, remembered by path, time and size."""
    stat = path.stat()
    return _sha256(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, modified: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pin_of(path: Path) -> Pin:
    """A pin for a file that the user named: what it is, is what is recorded."""
    if not path.is_file():
        raise WrongWeights(f"{path}: no such file; wanted a .safetensors weights file")
    return Pin(path.name, sha256(path), path.stat().st_size, origin="given by the user", licence="unknown")


def beside(weights: Path) -> Path:
    """Where training writes networks that only explanations need: `toy-demo-explain.safetensors`."""
    return weights.with_name(f"{weights.stem}-explain.safetensors")


def explaining(weights: Path) -> Path:
    """The file of networks that explain these weights, checked against their card, which lies beside, too."""
    path, card, told = beside(weights), weights.with_suffix(".json"), description_of(weights)
    command = f" --method {told.method} --preset {told.preset}" if told.method else ""
    together = f"`faceedit-bench train{command}` writes weights, card and this file together"
    if not path.is_file():
        raise WrongWeights(
            f"{path}: no such file; wanted the networks that show how {weights.name} edits. {together}"
        )
    first, pin = Pin.from_card(card), Pin.from_card(card, EXPLAINING)
    if first is None or pin is None or first.sha256 != sha256(weights):
        raise WrongWeights(
            f"{path}: not used, as no card vouches for it; wanted {card.name} beside it, the card of "
            f"{weights.name}, with the hash of this file. {together}"
        )
    check(path, pin)
    return path


# ---- what a file says about itself ----------------------------------------------------------------

METADATA = "faceedit-bench"  # one key of the file's header: several would be written in random order


@dataclass(frozen=True)
class Description:
    """What a weights file was made for; empty where the file does not say."""

    method: str = ""
    preset: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)  # those of the method, as JSON knows them

    def metadata(self) -> dict[str, str]:
        """As it stands in the header of a safetensors file."""
        return {METADATA: canonical(self)}


def description_of(path: Path) -> Description:
    """What the header of a weights file says; files from elsewhere, and other formats, say nothing."""
    if path.suffix != ".safetensors":
        return Description()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(METADATA)
    except (SafetensorError, OSError) as error:
        raise WrongWeights(f"{path}: not a readable safetensors file: {error}") from None
    if text is None:
        return Description()
    try:
        told = Description(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise WrongWeights(f"{path}: its {METADATA!r} metadata is not ours ({error})") from None
    if not (isinstance(told.method, str) and isinstance(told.preset, str) and isinstance(told.options, dict)):
        raise WrongWeights(f"{path}: its {METADATA!r} metadata is not ours: {text[:200]}")
    return told


# ---- methods and judges ---------------------------------------------------------------------------


def choose(
    name: str,
    *,
    preset: str | None = None,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    judges: Iterable[JudgeSpec] = (),
) -> Choice:
    """Resolve names, options and files of a method; nothing is loaded.

    Every weights file that is missing, also those of `judges`, is named in one message.
    Options are the preset's; before them come those that the `weights` file carries, before these `options`.
    `weights` is the first file of a method; further ones are the preset's.
    """
    spec = catalog().method(name)
    if weights is not None and not any(setting.weights != () for setting in spec.presets.values()):
        raise WrongWeights(f"{name} has no weights; leave --weights out")
    told = Description() if weights is None else _told(Path(weights), spec)
    chosen, setting = _preset(spec, preset or told.preset)
    base = config.fill(spec.options, told.options, where=f"options in {weights}", base=setting.options)
    filled = config.fill(spec.options, options or {}, where=f"options of {name}", base=base)
    asked = [of_judge(judge) for judge in judges]
    if weights is not None:
        further = of_method(spec, chosen)[1:]
        require([*further, *asked])
        path = Path(weights)
        pins = (pin_of(path), *(one.pin for one in further))
        return Choice(
            spec, chosen, filled, pins, (path.resolve(), *(one.path for one in further if one.path))
        )
    if setting.weights is None:
        raise WrongWeights(
            f"{name}: no weights are published for preset {chosen!r}; train them with "
            f"`faceedit-bench train --method {name} --preset {chosen}` and pass --weights FILE"
            + (f"\n{_missing(asked)}" if _missing(asked) else "")
        )
    files = of_method(spec, chosen)
    require([*files, *asked])
    return Choice(spec, chosen, filled, setting.weights, tuple(one.path for one in files if one.path))


def _preset(spec: MethodSpec, name: str) -> tuple[str, Preset]:
    """The preset of that name, or the first."""
    name = name or spec.default_preset
    if name not in spec.presets:
        raise UnknownName(f"preset of {spec.name}", name, spec.presets)
    return name, spec.presets[name]


def _told(path: Path, spec: MethodSpec) -> Description:
    """What a weights file that the user named says; it must be for this method."""
    if not path.is_file():
        raise WrongWeights(f"{path}: no such file; wanted a .safetensors weights file")
    told = description_of(path)
    if told.method not in ("", spec.name):
        raise WrongWeights(
            f"{path}: holds weights of {told.method}, not of {spec.name}; give --method {told.method}"
        )
    return told


@dataclass(frozen=True)
class Wanted:
    """A pin and who wants it."""

    owner: str  # "method coogan demo", "judge identity-demo"
    pin: Pin
    path: Path | None  # where a file of that name lies
    judge: JudgeSpec | None = None


def of_method(spec: MethodSpec, preset: str) -> list[Wanted]:
    """The files that a preset of a method is pinned to."""
    return [
        Wanted(f"method {spec.name} {preset}", pin, locate(pin, home_of(spec)))
        for pin in spec.presets[preset].weights or ()
    ]


def of_judge(spec: JudgeSpec) -> Wanted:
    """The file that a judge is pinned to."""
    return Wanted(f"judge {spec.name}", spec.pin, locate(spec.pin, home_of(spec)), spec)


def require(wanted: Sequence[Wanted]) -> None:
    """Every file is there, or WrongWeights lists all that are not."""
    if lines := _missing(wanted):
        raise WrongWeights(lines)


def _missing(wanted: Sequence[Wanted]) -> str:
    """What is not there: name, size, licence, origin and for whom; then what to do. Empty if all is there."""
    missing: dict[Pin, list[str]] = {}
    for one in wanted:
        if one.path is None:
            missing.setdefault(one.pin, []).append(one.owner)
    if not missing:
        return ""
    lines = [
        f"  {pin.file}: {f'{pin.bytes} bytes' if pin.bytes else 'size unknown'}, licence {pin.licence}, "
        f"from {pin.origin} (for {', '.join(owners)})"
        for pin, owners in missing.items()
    ]
    fetched = [pin.file for pin in missing if pin.origin.startswith("https://")]
    remedies = [f"get with: faceedit-bench weights fetch {' '.join(fetched)}"] if fetched else []
    if len(fetched) < len(missing):
        remedies.append(f"put into {folders.weights()} with: faceedit-bench weights add FILE")
    head = f"{len(missing)} weights file(s) are not here; nothing was started:"
    return "\n".join([head, *lines, *remedies])


def identity_of(spec: JudgeSpec, dtype: str = FLOAT32) -> dict[str, str]:
    """A judge as a run records it: name, version and its weights' whole hash, checked if they are here; and
    its precision, where that is another than float32: so asked it is another judge."""
    if dtype not in JUDGE_DTYPES:
        raise UnknownName("precision of judges", dtype, JUDGE_DTYPES)
    path = locate(spec.pin, home_of(spec))
    pin = spec.pin
    if path is not None:
        check(path, pin)
        pin = settled(pin, path)
    told = {"name": spec.name, "version": spec.version, "sha256": pin.sha256}
    return told if dtype == FLOAT32 else {**told, "dtype": dtype}


def build_editor(choice: Choice, device: str, compiles: bool = False) -> Editor:
    """The method, loaded on `device`; `compiles` its networks with torch.compile."""
    return choice.spec.load(choice.options, Context(device, choice.pins, choice.files, compiles))


def load_method(
    name: str,
    *,
    preset: str | None = None,
    weights: str | Path | None = None,
    device: str = "cpu",
    options: Mapping[str, Any] | None = None,
) -> Editor:
    """Names to a working editor in one call."""
    return build_editor(choose(name, preset=preset, weights=weights, options=options), device)


@dataclass(frozen=True)
class Judge:
    """A judge's network behind its view: one or two batches (B, 3, H, W) in [-1, 1] -> (B, D).

    One that aligns faces takes a batch and five points of each face, (B, 5, 2) in pixels.
    """

    network: Callable[..., Tensor]
    view: View
    outputs: tuple[str, ...] = ()  # names of the D columns where they have names
    below: Judge | None = None  # the judge whose answers its network takes in place of pictures

    @property
    def aligns(self) -> bool:
        return self.view.aligns

    def __call__(self, *images: Tensor) -> Tensor:
        from .judges.view import look

        if self.below is not None:
            return self.network(self.below(*images))
        if self.aligns:
            return self.network(look(images[0], self.view, images[1]))
        return self.network(*(look(pictures, self.view) for pictures in images))


def build_judge(spec: JudgeSpec, device: str, dtype: str = FLOAT32) -> Judge:
    """The judge, loaded on `device`, with the one that it stands above; it takes pictures of that `dtype`."""
    below = build_judge(catalog().judge(spec.above), device, dtype) if spec.above else None
    return Judge(load_judge(spec, device, dtype), spec.view, spec.outputs, below)


def load_judge(spec: JudgeSpec, device: str, dtype: str = FLOAT32) -> Callable[..., Tensor]:
    """The judge's own network: of pictures as its view has them, or of the answers of the judge below."""
    one = of_judge(spec)
    require([one])
    assert one.path is not None
    network = spec.load(Context(device, (spec.pin,), (one.path,)))
    return network if dtype == FLOAT32 else _in_double(network, spec.name)


def _in_double(network: Callable[..., Tensor], judge: str) -> Callable[..., Tensor]:
    """A copy of the network, or the same method of one, in float64; others may use the original."""
    from copy import deepcopy

    from torch import nn

    whole = network if isinstance(network, nn.Module) else getattr(network, "__self__", None)
    if not isinstance(whole, nn.Module):
        raise BadConfig(
            f"judge {judge} cannot be asked in float64: its load gives {type(network).__name__}, wanted a "
            "torch.nn.Module or a method of one"
        )
    double = deepcopy(whole).double()
    return double if network is whole else getattr(double, network.__name__)
