"""`faceedit-bench suites`: which faces, which edits, which metrics."""

from __future__ import annotations

import dataclasses

import click

from .. import suite
from .output import as_json, print_json
from .table import table


@click.command(epilog="Example: faceedit-bench suites drawn-128")
@click.argument("name", required=False)
@as_json
def suites(name: str | None, as_json: bool) -> None:
    """List the suites, or show what suite NAME (or a .toml file) contains."""
    if name is not None:
        chosen = suite.load(name)
        return print_json(_plain(chosen)) if as_json else _print_one(chosen)
    found = [suite.load(known) for known in suite.names()]
    if as_json:
        return print_json([_plain(one) for one in found])
    rows = [
        (
            one.name,
            one.version,
            one.count or "all",
            f"{one.resolution} px",
            len(one.edits),
            len(one.metrics),
            one.summary,
        )
        for one in found
    ]
    headings = ("suite", "version", "faces", "size", "edits", "metrics", "what it is")
    click.echo(table(headings, rows, right="faces size edits metrics"))


def _plain(one: suite.Suite) -> dict[str, object]:
    return {**dataclasses.asdict(one), "fingerprint": one.fingerprint()}


def _print_one(one: suite.Suite) -> None:
    edits = [
        edit.name if edit.flips in ((), (edit.name,)) else f"{edit.name} ({'+'.join(edit.flips)})"
        for edit in one.edits
    ]
    rows = [
        ("name", f"{one.name}, version {one.version}"),
        ("summary", one.summary),
        ("faces", f"{one.count or 'all'} of {one.dataset}, split {one.split}, at {one.resolution} px"),
        ("edits", f"{len(one.edits)}: {', '.join(edits)}"),
        ("metrics", ", ".join(one.metrics)),
        ("judges", ", ".join(f"{role}: {judge}" for role, judge in one.judges.items()) or "none"),
        ("conflicts", one.conflicts),
        (
            "arithmetic",
            f"shards of {one.shard_size}, batches {one.batch_size}, {one.threads} threads, seed {one.seed}",
        ),
        ("fingerprint", one.fingerprint()),
    ]
    click.echo(table(("part", "contents"), rows))
