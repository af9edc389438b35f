"""`faceedit-bench judges`: the pinned networks that metrics ask."""

from __future__ import annotations

import click

from ..catalog import catalog
from ..weights import home_of, locate
from .output import as_json, note_broken, print_json
from .table import table


@click.command(epilog="Example: faceedit-bench judges")
@as_json
def judges(as_json: bool) -> None:
    """List judges: what each answers, the faces it was trained on, and whether its weights are here."""
    found = catalog()
    described = [
        {
            "name": spec.name,
            "version": spec.version,
            "role": spec.role,
            "faces": spec.faces,
            "size": spec.view.size,
            "width": spec.width,
            "weights": "here" if locate(spec.pin, home_of(spec)) else "missing",
            "sha256": spec.pin.sha256,
            "licence": spec.pin.licence,
            "summary": spec.summary,
        }
        for _, spec in sorted(found.judges.items())
    ]
    if as_json:
        return print_json(described)
    rows: list[tuple[object, ...]] = []
    for one in described:
        rows.append((one["name"], one["version"], one["weights"], one["summary"]))
        rows.append(("", "", "", f"plays {one['role']!r}; learned on {one['faces']}; {one['licence']}"))
    click.echo(table(("judge", "v", "weights", "what it answers"), rows))
    note_broken(found.broken)
