"""What a command may be told of its method, called alike everywhere."""

from __future__ import annotations

from collections.abc import Callable

import click

from .output import Command

OPTION = "--option"


def method_options(*aliases: str) -> Callable[[Command], Command]:
    """--option KEY=VALUE; `aliases` are other names of it where they mean nothing else."""
    return click.option(
        OPTION,
        *aliases,
        "options",
        multiple=True,
        metavar="KEY=VALUE",
        help="An option of the method; repeatable.",
    )
