"""`faceedit-bench plan`: how many faces separate two methods."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from .output import json_option, print_json
from .table import table

if TYPE_CHECKING:
    from ..plan import Plan


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench plan --metric tarr --difference 1.0 --suite drawn-128
  faceedit-bench plan --metric id --difference 0.01 --run 3f2a
  faceedit-bench plan --metric tarr --difference 1.0 --run 3f2a --run 7c1d
"""
)
@click.option("--metric", required=True, help="The number that decides, such as tarr or tarr.add.")
@click.option("--difference", type=float, required=True, help="What is to be found, in the metric's unit.")
@click.option("--suite", help="Learn from every complete run of this suite.")
@click.option("--run", "runs", multiple=True, help="Learn from this run; twice or more: from each pair.")
@click.option("--edit", default="all", show_default=True, help="Of one edit alone.")
@click.option("--power", default=0.8, show_default=True, help="Probability of finding such a difference.")
@click.option("--level", default=0.95, show_default=True, help="Of the two-sided interval.")
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@json_option()
def plan(
    metric: str,
    difference: float,
    suite: str | None,
    runs: tuple[str, ...],
    edit: str,
    power: float,
    level: float,
    results: str | None,
    as_json: bool,
) -> None:
    """Tell how many faces separate two methods whose true difference is so large.

    What a face varies by is taken from runs that are there, also short ones made with --limit. From two runs
    it is the spread of their difference over the same faces; from one run a second method of the same spread
    is supposed, whose numbers correlate with it to the degree shown.
    """
    from .. import folders
    from ..errors import BadConfig
    from ..plan import plan as use_case
    from ..plan import runs_of
    from ..store.folder import find

    if bool(suite) == bool(runs):
        raise BadConfig("wanted either --suite NAME or --run RUN, to learn from what is there already")
    root = folders.results(results)
    known, left_out = runs_of(suite, root) if suite else ([find(run, root) for run in runs], [])
    found = use_case(known, metric, difference, edit=edit, level=level, power=power)
    if as_json:
        return print_json(asdict(found))
    _print(found)
    if notes := [*left_out, *found.notes]:
        click.echo("\n" + "\n".join(notes))


def _print(found: Plan) -> None:
    edit = "" if found.edit == "all" else f", edit {found.edit}"
    click.echo(
        f"{found.metric}{edit}: faces that find a difference of {found.difference:g} with probability "
        f"{found.power:g}\n(two-sided interval of {found.level:g}, the same faces for both, "
        f"edited pictures a face: {found.pictures})\n"
    )
    rows = [
        (
            "–" if one.correlation is None else f"{one.correlation:.2f}" + ("" if one.second else "?"),
            f"{one.sigma:.3g}",
            f"{one.faces:,}",
            f"{one.faces * found.pictures:,}",
            f"{one.smallest:.3g} ({one.had})",
            f"{one.first}, {one.second}" if one.second else one.first,
        )
        for one in found.needs
    ]
    headings = ("corr.", "sd", "faces", "pictures", "found by", "learnt from")
    click.echo(table(headings, rows, right="corr. sd faces pictures"))
    click.echo(
        "\ncorr.     of the two methods' numbers over faces"
        + ("; ? supposed, as there is one run" if not all(one.second for one in found.needs) else "")
        + "\nsd        of their difference, over faces"
        "\nfound by  the difference that so many faces, those of the runs, find"
    )
