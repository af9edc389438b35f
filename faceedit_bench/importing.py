"""A checkpoint of a method's released code -> a weights file of ours, its card, and what was found in it."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__, config
from .catalog import catalog
from .contracts import Imported, MethodSpec, Part
from .errors import BadConfig, ResultsError, UnknownName, WrongWeights
from .manifest import plain

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .foreign import Checkpoint
    from .weights import Description

LICENCE = "the original file's"


@dataclass(frozen=True)
class Report:
    """What an import found and wrote."""

    layout: str
    summary: str  # which program writes such files
    options: Any
    told: Mapping[str, Any]  # the options that the checkpoint and its layout tell
    attributes: tuple[str, ...]
    used: int  # tensors of the file that the network took
    ignored: tuple[str, ...]  # keys of the file that editing does not need
    converted: Mapping[str, int]  # precision in the file, where not float32 -> number of tensors
    card: Mapping[str, Any]


def import_weights(
    method: str,
    file: Path,
    *,
    out: Path,
    layout: str | None = None,
    attributes: Sequence[str] = (),
    overwrite: bool = False,
) -> Report:
    """Write `out` and a card beside it from a checkpoint of the method's released code.

    `layout` names the format; without it the one that fits is taken. `attributes` are those that the
    checkpoint was made for, where they are not the method's own. Nothing in `file` is executed, and nothing
    is written before our network has taken every tensor.
    """
    from . import foreign
    from .train.export import write_card, write_tensors
    from .weights import Description

    spec = catalog().method(method)
    _check_layout(spec, layout)
    _check_place(file, out, overwrite)
    checkpoint = foreign.read(file)
    name, imported = _converted(spec, file, checkpoint, layout)
    chosen = spec.layouts[name]
    preset = chosen.preset or spec.default_preset
    options = _options(spec, preset, imported, attributes, file)
    _check_fit(spec, options, imported.state, file)
    told = Description(spec.name, preset, plain(options))
    write_tensors(out, imported.state, told)
    ignored = (*imported.ignored, *checkpoint.others)
    card = _card(file, out, spec, name, told, ignored)
    write_card(out.with_suffix(".json"), card)
    return Report(
        layout=name,
        summary=chosen.summary,
        options=options,
        attributes=spec.attributes_for(options),
        used=len(checkpoint.tensors) - len(imported.ignored),
        ignored=ignored,
        converted=checkpoint.converted,
        told=imported.options,
        card=card,
    )


# ---- before anything is read ----------------------------------------------------------------------


def _check_layout(spec: MethodSpec, layout: str | None) -> None:
    if not spec.layouts:
        able = sorted(name for name, method in catalog().methods.items() if method.layouts)
        raise BadConfig(f"{spec.name} imports no checkpoints; methods that do: {', '.join(able) or 'none'}")
    if layout is not None and layout not in spec.layouts:
        raise UnknownName(f"layout of {spec.name}", layout, spec.layouts)


def _check_place(file: Path, out: Path, overwrite: bool) -> None:
    """The output can be written, replaces nothing unasked, and is not the input."""
    if out.suffix != ".safetensors":
        raise BadConfig(f"--out {out}: wanted a name that ends with .safetensors")
    if out.exists() and file.exists() and out.samefile(file):
        raise ResultsError(f"{out}: is the checkpoint itself; choose another file with --out")
    there = [path for path in (out, out.with_suffix(".json")) if path.exists()]
    if there and not overwrite:
        raise ResultsError(f"{there[0]} exists already; give --overwrite, or another file with --out")
    if out.is_dir():
        raise ResultsError(f"{out}: is a folder; wanted a file with --out")
    try:
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise ResultsError(
            f"{out.parent}: cannot be written ({error.strerror}); make the folder or choose another --out"
        ) from None


# ---- from the file's tensors to ours --------------------------------------------------------------


def _converted(
    spec: MethodSpec, file: Path, checkpoint: Checkpoint, layout: str | None
) -> tuple[str, Imported]:
    """The named layout, or the one that fits."""
    asked = [layout] if layout else list(spec.layouts)
    fitting: dict[str, Imported] = {}
    reasons: dict[str, str] = {}
    for name in asked:
        try:
            _check_settings(spec.layouts[name].settings, checkpoint.settings)
            fitting[name] = spec.layouts[name].convert(checkpoint.tensors)
        except WrongWeights as error:
            reasons[name] = str(error)
    if len(fitting) == 1:
        return next(iter(fitting.items()))
    if fitting:
        names = ", ".join(fitting)
        raise WrongWeights(
            f"{file}: fits more than one layout of {spec.name}; give --layout, one of: {names}"
        )
    raise WrongWeights(f"{file}: {_reasons(spec, reasons)}{_elsewhere(checkpoint.tensors)}")


def _check_settings(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """The file's own settings do not speak against a layout."""
    for key, value in wanted.items():
        if key in found and found[key] != value:
            raise WrongWeights(f"its {key} is {found[key]!r}; wanted {value!r}")


def _reasons(spec: MethodSpec, reasons: Mapping[str, str]) -> str:
    """Every key that is amiss in the one layout, or the first line of each."""
    if len(reasons) == 1:
        ((name, reason),) = reasons.items()
        return f"not as {spec.name} layout {name!r} ({spec.layouts[name].summary}) has it: {reason}"
    lines = [
        f"  {name} ({spec.layouts[name].summary}): {reason.splitlines()[0].rstrip(':')}"
        for name, reason in reasons.items()
    ]
    hint = "--layout NAME lists every key that is amiss"
    return "\n".join([f"fits no layout of {spec.name}; {hint}", *lines])


def _elsewhere(tensors: Mapping[str, Tensor]) -> str:
    """Which method and layout the checkpoint does fit, as a last line."""
    for spec in catalog().methods.values():
        for name, layout in spec.layouts.items():
            with contextlib.suppress(Exception):  # a plugin may raise anything; this is only a hint
                layout.convert(tensors)
                return f"\nit is a checkpoint of {spec.name}, layout {name!r} ({layout.summary})"
    return ""


def _options(spec: MethodSpec, preset: str, imported: Imported, attributes: Sequence[str], file: Path) -> Any:
    """The preset's options, under what the checkpoint tells and the attributes it was made for."""
    base = spec.presets[preset].options
    found, names = imported.attributes, tuple(attributes) or spec.attributes_for(base)
    if len(set(names)) < len(names):
        raise BadConfig(f"--attributes names one more than once: {', '.join(names)}")
    if found and found != len(names):
        given = "--attributes names" if attributes else f"{spec.name} by itself has"
        raise BadConfig(
            f"{file}: made for {found} attributes, {given} {len(names)} ({', '.join(names)}); "
            f"a checkpoint does not say which: give all {found} in its order, --attributes A,B,…"
        )
    told = {**imported.options, **({"attributes": list(names)} if found else {})}
    if attributes and not found:
        raise BadConfig(f"{spec.name} always has the same attributes; leave --attributes out")
    return config.fill(spec.options, told, where=f"options read from {file}", base=base)


@dataclass(frozen=True)
class _Offered:
    """A load context (contracts.LoadContext) whose weights are not in a file yet."""

    state: Mapping[str, Tensor]
    source: Path
    device: str = "cpu"

    def restore(self, network: nn.Module, part: Part | Path = 0) -> nn.Module:
        from .restoring import fill

        return fill(network, self.state, f"what was read from {self.source}").eval().requires_grad_(False)

    def file(self, part: Part = 0) -> Path:
        raise BadConfig("a method that reads its weights file itself cannot be imported")


def _check_fit(spec: MethodSpec, options: Any, state: Mapping[str, Tensor], file: Path) -> None:
    """Our network takes every tensor, and every number is one."""
    broken = [key for key, value in state.items() if not bool(value.isfinite().all())]
    if broken:
        raise WrongWeights(
            f"{file}: {len(broken)} of {len(state)} tensors hold NaN or infinity, first {broken[0]}"
        )
    spec.load(options, _Offered(state, file))


# ---- the card -------------------------------------------------------------------------------------


def _card(
    file: Path, out: Path, spec: MethodSpec, layout: str, told: Description, ignored: Sequence[str]
) -> dict[str, Any]:
    """`Pin.from_card` reads it, like the card of a training."""
    from .train.export import pin_of
    from .weights import sha256

    origin = f"faceedit-bench weights import {spec.name} {file.name} --layout {layout}"
    pin = dataclasses.replace(pin_of(out, origin), licence=LICENCE)
    return {
        **dataclasses.asdict(pin),
        "method": spec.name,
        "version": spec.version,
        "preset": told.preset,
        "options": told.options,
        "layout": layout,
        "source": {"file": file.name, "sha256": sha256(file), "bytes": file.stat().st_size},
        "ignored": list(ignored),
        "faceedit_bench": __version__,
    }
