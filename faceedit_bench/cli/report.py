"""`faceedit-bench report`: runs of one suite as one HTML page that works offline."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench report coogan-0388a1ac5f5e139c stgan-bba82767e799c91e
  faceedit-bench report 0388 bba8 4ffc --out comparison.html --faces 8
"""
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--out",
    default="report.html",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write.",
)
@click.option("--faces", default=4, show_default=True, help="Faces in the tables of pictures.")
@click.option(
    "--pictures/--no-pictures",
    default=None,
    help="Show pictures.  [default: where the data set's licence is known to allow it]",
)
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
def report(runs: tuple[str, ...], out: Path, faces: int, pictures: bool | None, results: str | None) -> None:
    """Compare finished runs of one suite (each a folder, an id, or the start of one) on one page.

    The page needs nothing beside it and sends no request: tables with intervals, plots, pictures before and
    after, best, median and worst cases, manifests, citations and licences. Runs of other suites, judges or
    pictures are refused with the reason and what would make them comparable.
    """
    from .. import folders
    from ..report.write import write_report
    from ..store.folder import find

    root = folders.results(results)
    size = write_report([find(run, root) for run in runs], out, faces=faces, pictures=pictures)
    click.echo(f"written: {out} ({size / 1e6:.1f} MB)")
