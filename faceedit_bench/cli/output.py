"""How commands print: JSON for programs, notes on stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .. import progress

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(said: str = "Print as JSON.") -> Callable[[Command], Command]:
    """--json, under which a command shows no progress either."""
    return click.option("--json", "as_json", is_flag=True, callback=_quietly, help=said)


def _quietly(context: click.Context, _: click.Parameter, value: bool) -> bool:
    if value and not progress.is_quiet():
        os.environ[progress.QUIET] = "1"  # workers inherit it
        context.call_on_close(lambda: os.environ.pop(progress.QUIET, None))
    return value


as_json = json_option("Print JSON instead of a table.")


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
