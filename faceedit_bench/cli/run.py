"""`faceedit-bench run`: evaluate a method and print its numbers."""

from __future__ import annotations

import click

from .options import OPTION, method_options
from .output import json_option
from .reading import cache_option, judge_dtype_option, skip_bad_option


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench run --method coogan
  faceedit-bench run --method copy --limit 20 --workers 1
  faceedit-bench run --method stgan --suite drawn-128-strength --no-cost
  faceedit-bench run --method coogan --data ~/portraits
"""
)
@click.option("--method", required=True, help="Name of the method; see `faceedit-bench methods`.")
@click.option("--suite", help="Name of a suite, or path of its TOML file.  [default: drawn-128]")
@click.option("--preset", help="Preset of the method; its first one by default.")
@click.option("--weights", type=click.Path(), help="Weights file to use instead of the preset's own.")
@method_options("--set")
@click.option(
    "--data", type=click.Path(), help="Folder of the data set; alone: score any folder of pictures."
)
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@click.option("--workers", type=int, help="Processes; their number changes no bit.  [default: one per core]")
@click.option("--limit", type=int, help="Only the first so many faces: a quick look, its own suite.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or auto.")
@click.option(
    "--compile", "compiles", is_flag=True, help="torch.compile the method: pays on a GPU and for many images."
)
@click.option(
    "--keep-pictures", is_flag=True, help="Store every edited picture, for `rescore` and other programs."
)
@click.option("--no-cost", is_flag=True, help="Do not measure memory and time.")
@cache_option
@skip_bad_option
@judge_dtype_option()
@json_option("Print scores as JSON.")
def run(
    method: str,
    suite: str | None,
    preset: str | None,
    weights: str | None,
    options: tuple[str, ...],
    data: str | None,
    results: str | None,
    workers: int | None,
    limit: int | None,
    device: str,
    compiles: bool,
    keep_pictures: bool,
    no_cost: bool,
    cache: str,
    skip_bad: bool,
    judge_dtype: str,
    as_json: bool,
) -> None:
    """Edit a suite's faces with a method and measure everything.

    Stops and goes on: the same command continues a run that was killed, with the same bits. Faces that the
    method or the data set does not find in their pictures are left out of every edit, named and counted.
    images/sheet.png of the results shows edits and, for methods that have any, what explains them.
    """
    from ..config import parse_overrides
    from ..runs import run as use_case
    from .scores import show_run

    result = use_case(
        method,
        suite=suite,
        preset=preset,
        weights=weights,
        options=parse_overrides(options, OPTION),
        data=data,
        results=results,
        workers=workers,
        limit=limit,
        device=device,
        compiles=compiles,
        measure_cost=not no_cost,
        keep_pictures=keep_pictures,
        cache=cache,
        skip_bad=skip_bad,
        judge_dtype=judge_dtype,
    )
    show_run(result.folder, result.absent, as_json=as_json)
