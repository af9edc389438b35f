"""How `board --published` prints the numbers of papers: by method, each with source and provenance."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from .output import print_json
from .table import WIDTH, table

if TYPE_CHECKING:
    from ..published import Number, Published


def print_published(found: Published, *, as_json: bool) -> None:
    """Everything that the files hold."""
    from .. import published as papers

    if as_json:
        return print_json(papers.as_data(found))
    click.echo(_wrapped("Printed in papers, each under its own protocol: neither measured nor ranked here."))
    for name, title in found.methods.items():
        numbers = [number for number in found.numbers if number.method == name]
        tables = [one for one in found.tables if one.method == name]
        claims = [claim for claim in found.claims if claim.method == name]
        if not (numbers or tables or claims):
            continue
        click.echo(f"\n{title} ({name})")
        if numbers:
            rows = [_row(number) for number in numbers]
            click.echo(table(("metric", "value", "on", "paper; how it came here"), rows, right="value"))
        for one in tables:
            click.echo("\n".join(["", *_values(one)]))
        for claim in claims:
            click.echo(_wrapped(f"{claim.dataset}: {claim.text} ({claim.source}; {_how(claim.provenance)})"))
    remarks = [
        f"{number.source}{papers.doubt(number)}: {number.note}"
        for number in (*found.numbers, *found.tables)
        if number.note
    ]
    for note in dict.fromkeys([*found.notes, *remarks]):
        click.echo("\n" + _wrapped(note))
    click.echo("\n" + table(("paper", "reference"), list(found.papers.items())))
    click.echo("\n" + table(("how it came here", "what that means"), list(papers.PROVENANCE.items())))


def _row(number: Number) -> tuple[str, ...]:
    from ..published import METRICS, setting

    assert number.value is not None
    source = f"{number.paper}, {number.table}; {_how(number.provenance)}"
    return METRICS[number.metric], number.text(number.value), setting(number), source


def _values(one: Number) -> list[str]:
    """A head, and below it the values, filled into lines."""
    from ..published import METRICS, setting

    on = "" if setting(one) == "–" else f"{setting(one)}; "
    head = f"{METRICS[one.metric]}, by {one.by} ({on}{one.paper}, {one.table}; {_how(one.provenance)})"
    values = ", ".join(f"{key}:\N{NO-BREAK SPACE}{one.text(value)}" for key, value in one.values.items())
    lines = textwrap.wrap(values, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return [_wrapped(head), *(line.replace("\N{NO-BREAK SPACE}", " ") for line in lines)]


def _how(provenance: str) -> str:
    return "recalled, not rechecked" if provenance == "recalled" else provenance


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)
