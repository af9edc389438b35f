"""`faceedit-bench show`: stored runs, or the scores of one."""

from __future__ import annotations

import click


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench show
  faceedit-bench show 3f2a
  faceedit-bench show results/drawn-128/coogan-3f2a91b0c4d5e6f7 --json
"""
)
@click.argument("run", required=False)
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(run: str | None, results: str | None, as_json: bool) -> None:
    """List the stored runs, or show one: by folder, by id, or by the start of its id."""
    from .. import folders
    from ..store.folder import find
    from .scores import list_runs, show_run

    root = folders.results(results)
    if run is None:
        list_runs(root, as_json=as_json)
    else:
        show_run(find(run, root), {}, as_json=as_json)
