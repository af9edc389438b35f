"""`faceedit-bench board submit`: a run that somebody else made, on our leaderboards."""

from __future__ import annotations

from pathlib import Path

import click

from .board import FOLDER
from .board_verify import checking, found


@click.command(
    short_help="Verify such a zip and add its run.",
    epilog='Example: faceedit-bench board submit stgan.zip --by "A. Person"',
)
@checking
@click.option("--by", required=True, metavar="NAME", help="Who submits the run; boards show it.")
@click.option(
    "--folder",
    default=FOLDER,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Leaderboards.",
)
def submit(path: Path, suite: str | None, data: str | None, device: str, by: str, folder: Path) -> None:
    """Verify a bundle and add its record to runs/<suite>/ of the leaderboards, marked as submitted.

    A run that is there already is never overwritten, and one that cannot stand beside the others is refused.
    """
    from ..bundles.submit import submit as use_case

    place, verdict = use_case(path, by, folder, suite=suite, data=data, device=device)
    click.echo(f"{found(verdict)}\n\nadded: {place}\nwrite the pages with: faceedit-bench board")
