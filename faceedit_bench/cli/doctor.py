"""`faceedit-bench doctor`: what is broken in this installation and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

import click

from .. import folders
from ..catalog import GROUP, catalog
from .output import as_json, print_json
from .table import table

OK, NOTE, BROKEN = "ok", "note", "BROKEN"
LOW = 2 * 2**30  # bytes of free disk below which the doctor speaks up
REQUIRED = (
    "torch",
    "torchvision",
    "timm",
    "lpips",
    "torch-fidelity",
    "facexlib",
    "pandas",
    "pluggy",
    "click",
)
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor."""

    what: str
    state: str  # OK, NOTE or BROKEN
    found: str
    remedy: str = ""


@click.command(epilog="Example: faceedit-bench doctor")
@as_json
def doctor(as_json: bool) -> None:
    """Check Python, torch, plugins, weights and folders; exit with 1 if something is broken."""
    findings = [finding for check in CHECKS for finding in check()]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [
            (one.what, one.state, f"{one.found}; {one.remedy}" if one.remedy else one.found)
            for one in findings
        ]
        click.echo(table(("part", "state", "found; remedy"), rows))
    broken = [one for one in findings if one.state == BROKEN]
    if not as_json:
        click.echo(
            f"\n{len(broken)} of {len(findings)} checks found something broken" if broken else "\nall is well"
        )
    if broken:
        sys.exit(1)


def python() -> Iterator[Finding]:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield Finding("python", OK if sys.version_info >= (3, 11) else BROKEN, found, "")


def packages() -> Iterator[Finding]:
    missing = [name for name in REQUIRED if _version(name) is None]
    if missing:
        yield Finding(
            "packages", BROKEN, f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}"
        )
    else:
        yield Finding("packages", OK, ", ".join(f"{name} {_version(name)}" for name in REQUIRED[:3]))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def devices() -> Iterator[Finding]:
    try:
        import torch
    except Exception as error:  # a broken installation raises anything
        yield Finding(
            "torch", BROKEN, f"{type(error).__name__}: {error}", "pip install --force-reinstall torch"
        )
        return
    cards = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    yield Finding(
        "torch",
        OK,
        f"{torch.__version__}; cuda: {', '.join(cards) or 'none'}; threads: {torch.get_num_threads()}",
    )


def plugins() -> Iterator[Finding]:
    found = catalog()
    for plugin, reason in sorted(found.broken.items()):
        yield Finding(f"plugin {plugin}", BROKEN, reason, _plugin_remedy(plugin))
    offered = f"{len(found.methods)} methods, {len(found.metrics)} metrics, {len(found.judges)} judges"
    yield Finding("plugins", NOTE if found.broken else OK, f"{offered}, {len(found.datasets)} data sets")


def _plugin_remedy(plugin: str) -> str:
    """How to be rid of it, or mend it."""
    owners = [entry for entry in entry_points(group=GROUP) if entry.name == plugin]
    distribution = owners[0].dist.name if owners and owners[0].dist else None
    if distribution is None:
        return "mend the plugin or uninstall it"
    if distribution == "faceedit-bench":
        return f"mend {owners[0].value}, or reinstall faceedit-bench (pip install -e . in a checkout)"
    return f"mend {owners[0].value}, or `pip uninstall {distribution}`"


def checkout() -> Iterator[Finding]:
    """In a checkout: every folder of plugins/ has a line in pyproject.toml, and that line is installed."""
    project = CHECKOUT / "pyproject.toml"
    if not (CHECKOUT / "plugins").is_dir() or not project.is_file():
        return
    declared = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"][GROUP]
    installed = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    silent, stale = compare_plugins(plugin_folders(CHECKOUT / "plugins"), declared, installed)
    for folder in silent:
        yield Finding(
            f"plugins/{folder}",
            BROKEN,
            "offers something, but has no entry point",
            f'add `{folder} = "faceedit_plugins.{folder}"` to pyproject.toml and run pip install -e .',
        )
    for name in stale:
        yield Finding(
            f"plugin {name}", BROKEN, "in pyproject.toml but not installed as it says", "run pip install -e ."
        )
    if not silent and not stale:
        yield Finding("checkout", OK, "every folder in plugins/ is installed")


def plugin_folders(folder: Path) -> list[str]:
    """Folders in plugins/ that implement a hook; others are shared parts."""
    return sorted(
        path.parent.name for path in folder.glob("*/__init__.py") if "@hookimpl" in path.read_text()
    )


def compare_plugins(
    present: list[str], declared: dict[str, str], installed: dict[str, str]
) -> tuple[list[str], list[str]]:
    """(folders without an entry point in pyproject.toml, entry points that are not installed as declared)."""
    silent = [name for name in present if f"faceedit_plugins.{name}" not in declared.values()]
    stale = [name for name, value in sorted(declared.items()) if installed.get(name) != value]
    return silent, stale


def weights() -> Iterator[Finding]:
    from .. import fetching

    states = {one.pin.file: fetching.state(one) for one in fetching.wanted()}
    for file, state in states.items():
        if state not in ("verified", "missing"):
            yield Finding(f"weights {file}", BROKEN, state, "faceedit-bench weights add FILE")
    good, missing = (sum(state == word for state in states.values()) for word in ("verified", "missing"))
    text = f"{good} of {len(states)} files verified" + (f", {missing} not here" if missing else "")
    lacking = good < len(states)
    remedy = "faceedit-bench weights list shows who wants them and where they come from" if lacking else ""
    yield Finding("weights", NOTE if lacking else OK, text, remedy)


def places() -> Iterator[Finding]:
    yield _place("results", folders.results(), "set FACEEDIT_RESULTS")
    yield _place("cache", folders.cache(), "set FACEEDIT_CACHE")


def _place(what: str, folder: Path, remedy: str) -> Finding:
    """Whether a folder, or the nearest one above it that exists, can be written and has room."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        return Finding(
            what, BROKEN, f"{folder} cannot be written ({error.strerror})", f"{remedy} to another folder"
        )
    free = shutil.disk_usage(nearest).free
    found = f"{folder}, {free / 2**30:.1f} GiB free"
    return Finding(what, OK, found) if free >= LOW else Finding(what, NOTE, found, f"make room or {remedy}")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python, packages, devices, plugins, checkout, weights, places,
)  # fmt: skip
