"""`faceedit-bench report`: runs of one suite as one page that works offline, or as PDF, Markdown or LaTeX."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench report coogan-0388a1ac5f5e139c stgan-bba82767e799c91e
  faceedit-bench report 0388 bba8 4ffc --out comparison.html --faces 8
  faceedit-bench report 0388 bba8 --out comparison.pdf
"""
)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: report.html, or of another format]",
)
@click.option(
    "--format",
    "wanted",
    type=click.Choice(["html", "pdf", "md", "tex"]),
    help="html and pdf have plots and pictures, md and tex tables.  [default: by the ending of --out]",
)
@click.option("--faces", default=4, show_default=True, help="Faces in the tables of pictures.")
@click.option(
    "--cost-sizes",
    default="128,256,512,1024,2048,4096",
    show_default=True,
    help="Pixels per side at which costs are predicted; none for no such plots.",
)
@click.option(
    "--pictures/--no-pictures",
    default=None,
    help="Show pictures.  [default: where the data set's licence is known to allow it]",
)
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
def report(
    runs: tuple[str, ...],
    out: Path | None,
    wanted: str | None,
    faces: int,
    cost_sizes: str,
    pictures: bool | None,
    results: str | None,
) -> None:
    """Compare finished runs of one suite (each a folder, an id, or the start of one) on one page.

    The page needs nothing beside it and sends no request: tables with intervals, plots, pictures before and
    after, best, median and worst cases, costs against size, manifests, citations and licences. Runs of other
    suites, judges or pictures are refused with the reason and what would make them comparable. PDF is the
    same page, printed by an installed Chromium (pip install 'faceedit-bench[browser]').
    """
    from .. import folders
    from ..config import parse_sizes
    from ..report.write import place, write_report
    from ..store.folder import find

    root = folders.results(results)
    out, format_ = place(out, wanted)
    sizes = () if cost_sizes == "none" else parse_sizes([cost_sizes], "--cost-sizes")
    found = [find(run, root) for run in runs]
    size = write_report(found, out, format_, faces=faces, pictures=pictures, sizes=sizes)
    click.echo(
        f"written: {out} ({size / 1e6:.1f} MB)" if size > 5e4 else f"written: {out} ({size / 1e3:.0f} kB)"
    )
