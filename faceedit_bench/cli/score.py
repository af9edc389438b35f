"""`faceedit-bench score`: pictures that another program edited."""

from __future__ import annotations

import click

from .output import json_option
from .reading import cache_option, judge_dtype_option, skip_bad_option


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench score --suite drawn-128 --edited 'mine/{edit}/{id}.png' --name mine
  faceedit-bench score --suite celeba-128-secgan --data ~/celeba \\
      --edited '/data/theirs/{edit}/{stem}.png' --name theirs --device auto
"""
)
@click.option("--suite", default="drawn-128", show_default=True, help="Name of a suite, or path of its file.")
@click.option(
    "--edited",
    required=True,
    metavar="PATTERN",
    help="Where each picture lies: {edit}, and {id} or {stem} (the id without .jpg).",
)
@click.option("--name", required=True, help="What to call whatever made them.")
@click.option("--data", type=click.Path(), help="Folder of the data set that the edits were made from.")
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@click.option("--workers", type=int, help="Processes; their number changes no bit.  [default: one per core]")
@click.option("--limit", type=int, help="Only the first so many faces: a suite of its own.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or auto.")
@click.option("--allow-lossy", is_flag=True, help="Accept JPEG and the like, which shift scores; recorded.")
@cache_option
@skip_bad_option
@judge_dtype_option()
@json_option("Print scores as JSON.")
def score(
    suite: str,
    edited: str,
    name: str,
    data: str | None,
    results: str | None,
    workers: int | None,
    limit: int | None,
    device: str,
    allow_lossy: bool,
    cache: str,
    skip_bad: bool,
    judge_dtype: str,
    as_json: bool,
) -> None:
    """Score pictures that any program edited, with the metrics, tables and boards of `run`.

    Wanted is a picture for every face and every edit of the suite, as 8-bit RGB PNG of its resolution. What
    is missing or odd is listed, all of it, before anything is scored. `faceedit-bench suites NAME` tells the
    edits.
    """
    from ..score import score as use_case
    from .scores import show_run

    result = use_case(
        name,
        edited,
        suite=suite,
        data=data,
        results=results,
        workers=workers,
        limit=limit,
        device=device,
        lossy=allow_lossy,
        cache=cache,
        skip_bad=skip_bad,
        judge_dtype=judge_dtype,
    )
    show_run(result.folder, result.absent, as_json=as_json)
