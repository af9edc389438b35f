"""`faceedit-bench board bundle`: a run in one file, for somebody else's leaderboards."""

from __future__ import annotations

from pathlib import Path

import click

from .. import folders


@click.command(
    short_help="Write a run as one zip, for others to check.",
    epilog="""
\b
Examples:
  faceedit-bench run --method stgan --keep-pictures
  faceedit-bench board bundle stgan-bba82767e799c91e --out stgan.zip
""",
)
@click.argument("run")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The zip to write.",
)
@click.option(
    "--edited",
    metavar="PATTERN",
    help="Where the edited pictures of a run of `score` lie, as there.",
)
@click.option("--data", type=click.Path(), help="Folder of the data set, if it is not an embedded one.")
@click.option(
    "--pictures",
    "may_pass_on",
    is_flag=True,
    help="You may give a few pictures of the data set to whoever verifies; not asked for drawn faces.",
)
@click.option("--results", type=click.Path(path_type=Path), help="Where runs lie.  [default: results]")
def bundle(
    run: str, out: Path, edited: str | None, data: str | None, may_pass_on: bool, results: Path | None
) -> None:
    """Write RUN (a folder or an id) as a zip of its record, its rows and a few of its pictures.

    The run must have kept its pictures (`run --keep-pictures`). Which of them the bundle holds is decided by
    the bytes of its rows: three for every edit, and what they were edited from.
    """
    from ..bundles.make import make
    from ..store.folder import find

    held = make(find(run, folders.results(results)), out, edited=edited, data=data, may_pass_on=may_pass_on)
    size = out.stat().st_size / 1e6
    click.echo(
        f"written: {out} ({size:.1f} MB): record, {held['rows']} rows, {held['pictures']} edited pictures of "
        f"{held['faces']} faces\ncheck it with: faceedit-bench board verify {out}"
    )
