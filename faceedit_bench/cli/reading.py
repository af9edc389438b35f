"""Options of commands that read a data set and ask judges."""

from __future__ import annotations

from collections.abc import Callable

import click

from ..folders import CACHES
from ..weights import FLOAT32, JUDGE_DTYPES
from .output import Command

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


def judge_dtype_option(default: str = FLOAT32) -> Callable[[Command], Command]:
    """--judge-dtype; a `default` that is no precision is only shown, and given as None."""
    return click.option(
        "--judge-dtype",
        type=click.Choice(JUDGE_DTYPES),
        default=default if default in JUDGE_DTYPES else None,
        help="Precision in which judges compute. float64 is slow and decides about last digits; its scores "
        f"share no column with those of float32.  [default: {default}]",
    )
