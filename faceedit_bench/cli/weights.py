"""`faceedit-bench weights`: the weights files that methods and judges are pinned to."""

from __future__ import annotations

from pathlib import Path

import click

from .. import fetching, folders
from ..catalog import catalog
from ..errors import WrongWeights
from ..weights import Wanted
from .output import as_json, note_broken, print_json
from .table import table
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
    rows = [
        (one.pin.file, _size(one), "here" if one.path else "missing", one.owner, one.pin.licence)
        for one in every
    ]
    click.echo(table(("file", "size", "state", "for", "licence"), rows, right="size"))
    missing = {one.pin.file: one for one in every if one.path is None}
    for one in missing.values():
        click.echo(f"{one.pin.file} comes from: {one.pin.origin}")
    if missing:
        click.echo("get what has an address with: faceedit-bench weights fetch FILE")
        click.echo(f"add a file with: faceedit-bench weights add FILE (goes into {folders.weights()})")
    note_broken(catalog().broken)


def _size(one: Wanted) -> str:
    return f"{one.pin.bytes / 1e6:.1f} MB" if one.pin.bytes else "unknown"


@weights.command("verify", epilog="Example: faceedit-bench weights verify")
@as_json
def verify(as_json: bool) -> None:
    """Hash every weights file that is here; a wrong one is named and the exit code is 1.

    `faceedit-bench judges --ask` checks that judges use their files as before.
    """
    states = [(one, fetching.state(one)) for one in fetching.wanted()]
    if as_json:
        print_json([{**_plain(one), "state": state} for one, state in states])
    else:
        click.echo(
            table(("file", "for", "state"), [(one.pin.file, one.owner, state) for one, state in states])
        )
    wrong = [one for one, state in states if state not in ("verified", "missing")]
    if wrong:
        raise WrongWeights(f"{len(wrong)} weights file(s) are not what they are pinned to: see above")


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
    matches = [(file, fetching.matching(file, name or "")) for file in files]
    for file, one in matches:  # all are examined before the first is copied
        fetching.examine(one, file, replacing=replacing)
    for file, one in matches:
        pin = fetching.accept(one, file, replacing=replacing)
        known = "verified" if one.pin.is_whole else f"recorded with sha256 {pin.sha256}"
        click.echo(f"{folders.weights() / pin.file}: {known}, for {one.owner}; licence {pin.licence}")


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
