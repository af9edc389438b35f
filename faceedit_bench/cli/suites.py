"""`faceedit-bench suites`: which faces, which edits, which metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

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
    rows = [
        ("name", f"{one.name}, version {one.version}"),
        ("summary", one.summary),
        ("faces", f"{one.count or 'all'} of {one.dataset}, split {one.split}, at {one.resolution} px"),
        ("edits", f"{len(one.edits)}: {_asked(one.edits)}"),
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


def _asked(edits: Sequence[suite.Edit]) -> str:
    """Names of the edits, with what they ask where the name does not say that; a series is one entry."""
    curves = suite.series(edits)
    alone = [edit for edit in edits if edit.asks not in curves]
    strengths = {asks: ", ".join(f"{edit.strength:g}" for edit in of_it) for asks, of_it in curves.items()}
    return "; ".join([*map(_named, alone), *(f"{asks} at {those}" for asks, those in strengths.items())])


def _named(edit: suite.Edit) -> str:
    strength = "" if edit.strength == 1 else f" at {edit.strength:g}"
    plain = edit.flips in ((), (edit.name,)) and not edit.set and not strength
    return edit.name if plain else f"{edit.name} ({edit.asks}{strength})"
