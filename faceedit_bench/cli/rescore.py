"""`faceedit-bench rescore`: further metrics of a finished run, without running the method."""

from __future__ import annotations

import click

from .output import json_option
from .reading import judge_dtype_option


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench rescore 3f2a --metric kid --metric precision
  faceedit-bench run --method coogan --keep-pictures
  faceedit-bench rescore 3f2a --metric keep --judge parser=bisenet-19
"""
)
@click.argument("run")
@click.option("--metric", "metrics", multiple=True, required=True, help="What to compute; repeatable.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="ROLE=NAME",
    help="Who answers for a role that the run's suite has no judge for; repeatable.",
)
@click.option("--data", type=click.Path(), help="Folder of the run's data set; wanted to score pictures.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or auto.")
@judge_dtype_option("the run's")
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@json_option("Print the new scores as JSON.")
def rescore(
    run: str,
    metrics: tuple[str, ...],
    judges: tuple[str, ...],
    data: str | None,
    device: str,
    judge_dtype: str | None,
    results: str | None,
    as_json: bool,
) -> None:
    """Compute metrics that RUN does not have yet, of what it kept, and store them beside its scores.

    Every run keeps the features and logits that its distances and scores were computed of; other metrics of
    the same judges need nothing more. For all others the run must have kept its pictures, with
    `faceedit-bench run --keep-pictures`.
    """
    from .. import folders
    from ..config import parse_overrides
    from ..rescore import rescore as use_case
    from ..store.folder import find
    from .output import print_json
    from .scores import show_run

    folder = find(run, folders.results(results))
    scores = use_case(
        folder,
        metrics,
        judges={role: str(name) for role, name in parse_overrides(judges, "--judge").items()},
        data=data,
        device=device,
        judge_dtype=judge_dtype,
    )
    if as_json:
        return print_json([score.entry() for score in scores])
    show_run(folder, {}, as_json=False)
