"""`faceedit-bench data where`: how to get each data set, on which terms, and how it must lie."""

from __future__ import annotations

import dataclasses

import click

from ..data.sources import SOURCES
from ..errors import UnknownName
from .output import as_json, print_json
from .table import fitted, table

SAME = {"celeba-170": "celeba"}  # another crop of the same files


@click.command(epilog="Example: faceedit-bench data where celeba")
@click.argument("name", required=False)
@as_json
def where(name: str | None, as_json: bool) -> None:
    """Say where data sets come from and how NAME must lie on disk. Nothing is downloaded."""
    known = {source.name: source for source in SOURCES}
    if name is None:
        if as_json:
            return print_json([dataclasses.asdict(source) for source in SOURCES])
        rows = [(source.name, f"{source.what}. Terms: {source.licence}") for source in SOURCES]
        click.echo(table(("data set", "what it is, and its terms"), rows))
        return None
    source = known.get(SAME.get(name, name))
    if source is None:
        raise UnknownName("data set", name, [*known, *SAME])
    if as_json:
        return print_json(dataclasses.asdict(source))
    click.echo(fitted(f"{source.name}: {source.what}") + "\n")
    click.echo(fitted(f"terms: {source.licence}"))
    click.echo(fitted(f"from: {source.obtain}") + "\n")
    click.echo(f"{source.layout}\n")
    if source.name != "drawn-faces":
        click.echo(f"faceedit-bench data check {name} --root DIR")
