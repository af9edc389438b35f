"""`faceedit-bench reproduce`: tables of papers, computed again by the methods that offer it."""

from __future__ import annotations

import dataclasses
import itertools
import re
import textwrap
from collections.abc import Callable

import click

from ..catalog import Catalog, catalog
from ..contracts import MethodSpec, Reproduction
from ..errors import PluginBroken, UnknownName
from .output import as_json, note_broken, print_json
from .table import GAP, WIDTH, packed, table


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench reproduce
  faceedit-bench reproduce coogan-table5
"""
)
@click.argument("name", required=False)
@as_json
def reproduce(name: str | None, as_json: bool) -> None:
    """List the tables of papers that can be computed again, or compute table NAME."""
    found = catalog()
    offered = _offered(found)
    if name is None:
        return _list(offered, found, as_json=as_json)
    if name not in offered:
        broken = "".join(f"\nplugin {plugin!r} is broken: {why}" for plugin, why in found.broken.items())
        raise UnknownName("table", name, offered, broken)
    computed = offered[name][1]()
    print_json({"name": name, **dataclasses.asdict(computed)}) if as_json else _print(computed)


def _offered(found: Catalog) -> dict[str, tuple[MethodSpec, Callable[[], Reproduction]]]:
    """Name of a table -> the method that computes it, and how."""
    offered: dict[str, tuple[MethodSpec, Callable[[], Reproduction]]] = {}
    for _, spec in sorted(found.methods.items()):
        for name, compute in spec.reproductions.items():
            if name in offered and offered[name][1] is not compute:
                raise PluginBroken(
                    f"methods {offered[name][0].name!r} and {spec.name!r} both offer the table {name!r}; "
                    "one of them must rename it or go"
                )
            offered.setdefault(name, (spec, compute))
    return dict(sorted(offered.items()))


def _list(
    offered: dict[str, tuple[MethodSpec, Callable[[], Reproduction]]], found: Catalog, *, as_json: bool
) -> None:
    rows = [(name, spec.name, spec.paper) for name, (spec, _) in offered.items()]
    if as_json:
        return print_json([dict(zip(("name", "method", "paper"), row, strict=True)) for row in rows])
    if rows:
        click.echo(table(("table", "method", "paper of the method"), rows))
    else:
        click.echo("no installed method computes a table of its paper again")
    note_broken(found.broken)


def _print(computed: Reproduction) -> None:
    """Title, table, notes. Columns of numbers are aligned right, and stand in as many blocks as it takes."""
    columns = [[heading, *cells] for heading, *cells in zip(computed.columns, *computed.rows, strict=True)]
    numbers = [heading for heading, *cells in columns if any(map(_is_number, cells))]
    names = list(itertools.takewhile(lambda column: column[0] not in numbers, columns))
    room = WIDTH - sum(max(map(len, column)) for column in names) - len(GAP) * (len(names) - 1)
    click.echo(computed.title)
    for block in packed(columns[len(names) :], room):
        headings, *rows = zip(*names, *block, strict=True)
        click.echo("\n" + table(headings, rows, right=numbers))
    for note in computed.notes:
        click.echo("\n" + _filled(note, WIDTH))


def _filled(text: str, width: int) -> str:
    """Wrapped between words, but not between a number and its unit."""
    bound = re.sub(r"(?<=\d) (?=[%GM]|px)", "\N{NO-BREAK SPACE}", text)
    return textwrap.fill(bound, width, break_on_hyphens=False).replace("\N{NO-BREAK SPACE}", " ")


def _is_number(cell: str) -> bool:
    """`1,630,352`, `5.06 G`, `≠ 30.90 G`: a number comes before any letter."""
    return re.match(r"[^\w]*\d", cell) is not None
