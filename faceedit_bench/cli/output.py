"""How commands print: JSON for programs, notes on stderr."""

from __future__ import annotations

import json
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def print_json(value: Any) -> None:
    """Indented JSON on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """A line for people, on stderr."""
    click.echo(text, err=True)


def note_broken(broken: dict[str, str]) -> None:
    """What could not be loaded, at the end of a list."""
    for plugin, reason in sorted(broken.items()):
        note(f"broken plugin {plugin}: {reason} (faceedit-bench doctor says how to mend it)")
