"""`faceedit-bench weights`: the weights files that methods and judges are pinned to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from .. import folders
from ..catalog import catalog
from ..contracts import Pin
from ..errors import WrongWeights
from ..store.folder import write
from ..weights import check, home_of, locate, sha256
from .output import as_json, note_broken, print_json
from .table import table
from .weights_import import import_weights


@dataclass(frozen=True)
class Wanted:
    """A pin and who wants it."""

    owner: str  # "method coogan demo", "judge identity-demo"
    pin: Pin
    path: Path | None  # where a file of that name lies

    def state(self) -> str:
        """ "verified", "missing", or what is wrong with the file."""
        if self.path is None:
            return "missing"
        try:
            check(self.path, self.pin)
        except WrongWeights as error:
            return str(error)
        return "verified"


def wanted() -> Iterator[Wanted]:
    """Every pin of every method and judge."""
    found = catalog()
    for name, method in sorted(found.methods.items()):
        for preset, setting in method.presets.items():
            for pin in setting.weights or ():
                yield Wanted(f"method {name} {preset}", pin, locate(pin, home_of(method)))
    for name, judge in sorted(found.judges.items()):
        yield Wanted(f"judge {name}", judge.pin, locate(judge.pin, home_of(judge)))


@click.group(epilog="Example: faceedit-bench weights verify")
def weights() -> None:
    """List, verify, add or import the weights files of methods and judges."""


weights.add_command(import_weights)


@weights.command("list", epilog="Example: faceedit-bench weights list")
@as_json
def list_weights(as_json: bool) -> None:
    """List the wanted weights files: for whom, size, licence, whether they are here."""
    every = list(wanted())
    if as_json:
        return print_json([_plain(one) for one in every])
    rows = [
        (
            one.pin.file,
            f"{one.pin.bytes / 1e6:.1f} MB",
            "here" if one.path else "missing",
            one.owner,
            one.pin.licence,
        )
        for one in every
    ]
    click.echo(table(("file", "size", "state", "for", "licence"), rows, right="size"))
    missing = [one for one in every if one.path is None]
    for one in missing:
        click.echo(f"{one.pin.file} comes from: {one.pin.origin}")
    if missing:
        click.echo(f"add a file with: faceedit-bench weights add FILE (goes into {folders.weights()})")
    note_broken(catalog().broken)


@weights.command("verify", epilog="Example: faceedit-bench weights verify")
@as_json
def verify(as_json: bool) -> None:
    """Hash every weights file that is here; a wrong one is named and the exit code is 1."""
    states = [(one, one.state()) for one in wanted()]
    if as_json:
        print_json([{**_plain(one), "state": state} for one, state in states])
    else:
        click.echo(
            table(("file", "for", "state"), [(one.pin.file, one.owner, state) for one, state in states])
        )
    wrong = [one for one, state in states if state not in ("verified", "missing")]
    if wrong:
        raise WrongWeights(f"{len(wrong)} weights file(s) are not what they are pinned to: see above")


@weights.command("add", epilog="Example: faceedit-bench weights add downloads/attgan.safetensors")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def add(files: tuple[Path, ...]) -> None:
    """Copy weights FILES into the user's weights folder, after checking that something is pinned to them."""
    every = list(wanted())
    matches = [(file, _match(file, every)) for file in files]  # all are checked before the first is copied
    for file, one in matches:
        place = folders.weights() / one.pin.file
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, lambda temporary, file=file: shutil.copyfile(file, temporary))  # type: ignore[misc]
        click.echo(f"{place}: verified, for {one.owner}")


def _match(file: Path, every: list[Wanted]) -> Wanted:
    """The pin with the file's hash; its name decides what the message compares with."""
    if not file.is_file():
        raise WrongWeights(f"{file}: no such file; wanted a weights file")
    found = sha256(file)
    for one in every:
        if one.pin.sha256 == found:
            return one
    for one in every:
        if one.pin.file == file.name:
            check(file, one.pin)  # raises, with both hashes
    raise WrongWeights(
        f"{file}: nothing is pinned to sha256 {found}; `faceedit-bench weights list` shows what is wanted"
    )


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
