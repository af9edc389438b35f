"""`faceedit-bench methods`: what can be run, and the options of one method."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import click

from ..catalog import Catalog, catalog
from ..contracts import MethodSpec, Preset
from ..weights import home_of, locate
from .output import as_json, note_broken, print_json
from .table import fitted, table


@click.command(epilog="Example: faceedit-bench methods coogan")
@click.argument("name", required=False)
@as_json
def methods(name: str | None, as_json: bool) -> None:
    """List the installed methods, or show the options and presets of method NAME."""
    found = catalog()
    if name is not None:
        described = _describe(found.method(name), found)
        return print_json(described) if as_json else _print_one(described)
    described_all = [_describe(spec, found) for _, spec in sorted(found.methods.items())]
    if as_json:
        return print_json({"methods": described_all, "broken": found.broken})
    rows = [
        (
            method["name"],
            method["version"],
            ", ".join(f"{preset['name']} ({preset['weights']})" for preset in method["presets"]),
            method["distribution"],
            method["summary"],
        )
        for method in described_all
    ]
    click.echo(_blocks(rows))
    note_broken(found.broken)


def _blocks(rows: Sequence[tuple[str, ...]]) -> str:
    """Name, version and summary on one line; presets and origin below, so that 80 columns suffice."""
    listing: list[tuple[str, str, str]] = []
    for name, version, presets, distribution, summary in rows:
        listing.append((name, version, summary))
        listing.append(("", "", f"presets: {presets}; from {distribution}"))
    return table(("method", "version", "what it does"), listing)


def _describe(spec: MethodSpec, found: Catalog) -> dict[str, Any]:
    origin = found.origins["method", spec.name]
    return {
        "name": spec.name,
        "version": spec.version,
        "summary": spec.summary,
        "paper": spec.paper,
        "distribution": f"{origin.distribution} {origin.version}",
        "plugin": origin.plugin,
        "attributes": list(spec.attributes),
        "resolutions": list(spec.resolutions),
        "trainable": spec.recipes is not None,
        "presets": [_preset(name, preset, spec) for name, preset in spec.presets.items()],
        "options": _options(spec),
    }


def _preset(name: str, preset: Preset, spec: MethodSpec) -> dict[str, Any]:
    return {
        "name": name,
        "summary": preset.summary,
        "weights": _weights(preset, spec),
        "options": dataclasses.asdict(preset.options),
    }


def _weights(preset: Preset, spec: MethodSpec) -> str:
    """Whether a run with this preset would find its weights; hashes are checked when they are loaded."""
    if preset.weights is None:
        return "train first"
    if not preset.weights:
        return "no weights needed"
    missing = [pin.file for pin in preset.weights if locate(pin, home_of(spec)) is None]
    return f"weights missing: {', '.join(missing)}" if missing else "weights here"


def _options(spec: MethodSpec) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "type": _type(field.type), "default": _default(field)}
        for field in dataclasses.fields(spec.options)
    ]


def _type(annotation: Any) -> str:
    """`int`; the choices of a Literal, for example `lstu | stu | none`."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    if choices := re.fullmatch(r"(?:typing\.)?Literal\[(.*)\]", text):
        return " | ".join(choice.strip().strip("'\"") for choice in choices[1].split(","))
    return text


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return None if field.default_factory is dataclasses.MISSING else field.default_factory()


def _print_one(method: dict[str, Any]) -> None:
    size = ", ".join(f"{side} px" for side in method["resolutions"]) or "any size"
    facts = [
        ("name", f"{method['name']}, version {method['version']}"),
        ("summary", method["summary"]),
        ("paper", method["paper"]),
        ("works at", size),
        ("attributes", ", ".join(method["attributes"]) or "whatever the suite has"),
        ("from", f"{method['distribution']}, plugin {method['plugin']}"),
    ]
    click.echo(table(("fact", "value"), facts))
    presets = [(preset["name"], preset["weights"], preset["summary"]) for preset in method["presets"]]
    click.echo("\n" + table(("preset", "weights", "what it is"), presets))
    if not method["options"]:
        return click.echo("\nno options")
    rows = [
        (option["name"], option["type"], _values(option, method["presets"])) for option in method["options"]
    ]
    click.echo("\n" + table(("option", "type", "value"), rows))
    first = method["options"][0]
    example = f"--option {first['name']}={first['default']}"
    click.echo("\n" + fitted(f"to change one: {example}, with run, edit, train or cost"))


def _values(option: dict[str, Any], presets: Sequence[dict[str, Any]]) -> str:
    """`0.5`, or `16 (demo); 32 (paper, release)` where presets differ. The first preset is the default."""
    owners: dict[str, list[str]] = {}
    for preset in presets:
        owners.setdefault(str(preset["options"][option["name"]]), []).append(preset["name"])
    if len(owners) == 1:
        return next(iter(owners))
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in owners.items())
