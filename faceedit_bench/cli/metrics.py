"""`faceedit-bench metrics`: what can be measured."""

from __future__ import annotations

import click

from ..catalog import catalog
from .output import as_json, note_broken, print_json
from .table import table

EDITS = {"flip": "edits", "reconstruction": "the reconstruction", "every": "edits and the reconstruction"}


@click.command(epilog="Example: faceedit-bench metrics --json")
@as_json
def metrics(as_json: bool) -> None:
    """List metrics: which way is better, which edits they score, which judges and data they need."""
    found = catalog()
    specs = [spec for _, spec in sorted(found.metrics.items())]
    if as_json:
        keys = ("name", "version", "better", "unit", "on", "judges", "needs", "interval", "summary")
        return print_json([{key: getattr(spec, key) for key in keys} for spec in specs])
    rows: list[tuple[str, str, str, str]] = []
    for spec in specs:
        needs = [*(f"judge of {role}" for role in spec.judges), *spec.needs]
        rows.append((spec.name, spec.version, f"{spec.better} {spec.unit}".strip(), spec.summary))
        rows.append(("", "", "", f"of {EDITS[spec.on]}; needs {', '.join(needs) or 'nothing'}"))
    click.echo(table(("metric", "v", "better", "what it measures"), rows))
    note_broken(found.broken)
