"""`faceedit-bench weights`: the weights files that methods and judges are pinned to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .. import fetching, folders
from ..catalog import catalog
from ..contracts import Pin
from ..errors import WrongWeights
from ..weights import Wanted, own
from .output import as_json, note_broken, print_json
from .table import table, unbroken
from .weights_fetch import fetch, pack, unpack
from .weights_import import import_weights


@click.group(epilog="Example: faceedit-bench weights fetch lpips-alex inception-2015")
def weights() -> None:
    """List, fetch, add, verify, pack or import the weights files of methods and judges."""


for command in (fetch, pack, unpack, import_weights):
    weights.add_command(command)


@weights.command("list", epilog="Example: faceedit-bench weights list")
@as_json
def list_weights(as_json: bool) -> None:
    """List the wanted weights files: for whom, size, licence, whether they are here."""
    every = list(fetching.wanted())
    if as_json:
        return print_json([_plain(one) for one in every])
    files: dict[Pin, list[Wanted]] = {}
    for one in every:
        files.setdefault(one.pin, []).append(one)
    rows: list[tuple[str, str, str]] = []
    for pin, owners in files.items():
        is_here = owners[0].path is not None
        rows.append(("here" if is_here else "missing", _size(pin), pin.file))
        rows.append(("", "", f"{_for(owners)}; {pin.licence}"))
    click.echo(table(("state", "size", "file, for whom, its licence"), rows, right="size"))
    if missing := [pin for pin, owners in files.items() if owners[0].path is None]:
        _tell_where(missing)
    note_broken(catalog().broken)


def _size(pin: Pin) -> str:
    return f"{pin.bytes / 1e6:.1f} MB" if pin.bytes else "unknown"


def _for(owners: Sequence[Wanted]) -> str:
    """ "judge lpips-alex, lpips-alex-256": who wants one file."""
    kinds: dict[str, list[str]] = {}
    for one in owners:
        kind, _, name = one.owner.partition(" ")
        kinds.setdefault(kind, []).append(name)
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items())


def _tell_where(missing: Sequence[Pin]) -> None:
    """Where each is published, without its own name behind the address, and what to do."""
    for pin in missing:
        click.echo(f"{pin.file} comes from\n{unbroken(pin.origin.removesuffix(pin.file))}")
    click.echo("get what has an address with: faceedit-bench weights fetch FILE")
    click.echo(f"add others with: faceedit-bench weights add FILE; they go into\n  {folders.weights()}")


@weights.command(
    "verify",
    epilog="""
\b
Examples:
  faceedit-bench weights verify
  faceedit-bench weights verify lpips-alex coogan
""",
)
@click.argument("names", nargs=-1)
@as_json
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Hash the weights files of NAMES (judges, methods or file names), or all that are here.

    A wrong one is named, as is one of NAMES that is not here, and the exit code is 1. `faceedit-bench judges
    --ask` checks that judges use their files as before.
    """
    asked = fetching.named(names) if names else list(fetching.wanted())
    states = [(one, fetching.state(one)) for one in asked]
    wrong = {one.pin: state for one, state in states if state not in ("verified", "missing")}
    if as_json:
        print_json([{**_plain(one), "state": state} for one, state in states])
    else:
        found = {one.pin: "WRONG" if one.pin in wrong else state for one, state in states}
        click.echo(table(("state", "file"), [(state, pin.file) for pin, state in found.items()]))
        for fault in wrong.values():
            click.echo(unbroken(fault))
    if wrong:
        raise WrongWeights(f"{len(wrong)} weights file(s) are not what they are pinned to: see above")
    if absent := [one for one, state in states if names and state == "missing"]:
        raise WrongWeights(f"{len({one.pin for one in absent})} weights file(s) of these are not here")


@weights.command(
    "add",
    epilog="""
\b
Examples:
  faceedit-bench weights add downloads/attgan.safetensors
  faceedit-bench weights add CurricularFace_Backbone.pth
""",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "name", metavar="NAME", help="Judge or file name, where FILE is called otherwise.")
@click.option("--replace", "replacing", is_flag=True, help="Accept another hash than was recorded before.")
def add(files: tuple[Path, ...], name: str | None, replacing: bool) -> None:
    """Copy weights FILES into the user's weights folder, after checking that something is pinned to them.

    A file whose hash nobody publishes is told by its name; it must fit its judge, and the hash that was found
    is recorded: from then on only this file is used.
    """
    if name and len(files) > 1:
        raise click.UsageError("--as names one file")

    def examined(file: Path) -> tuple[Path, Wanted]:
        one = fetching.matching(file, name or "")
        fetching.examine(one, file, replacing=replacing)
        return file, one

    matches = fetching.each(files, examined, "are not accepted; nothing was copied")
    for file, one in matches:  # all were examined before the first is copied
        pin = fetching.accept(one, file, replacing=replacing)
        known = "verified" if one.pin.is_whole else f"recorded with sha256 {pin.sha256}"
        click.echo(f"{own(pin)}: {known}, for {one.owner}; licence {pin.licence}")


def _plain(one: Wanted) -> dict[str, object]:
    return {
        "file": one.pin.file,
        "sha256": one.pin.sha256,
        "bytes": one.pin.bytes,
        "origin": one.pin.origin,
        "licence": one.pin.licence,
        "for": one.owner,
        "here": one.path is not None,
    }
