"""Options of commands that read a data set."""

from __future__ import annotations

import click

from ..folders import CACHES

cache_option = click.option(
    "--cache",
    type=click.Choice(CACHES),
    default="auto",
    show_default=True,
    help="Where decoded faces are kept: on the device, in memory, in a pack on disk, or not at all. Changes "
    "no number.",
)

skip_bad_option = click.option(
    "--skip-bad",
    is_flag=True,
    help="Leave out pictures that cannot be read; they are named and counted wherever the numbers stand.",
)
