"""`faceedit-bench show`: stored runs, or the scores of one."""

from __future__ import annotations

import click

from .output import json_option


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench show
  faceedit-bench show 3f2a
  faceedit-bench show results/drawn-128/coogan-3f2a91b0c4d5e6f7 --json
  faceedit-bench run --method coogan --suite drawn-128-strength --no-cost
  faceedit-bench show 7c1d --csv > identity-against-strength.csv
"""
)
@click.argument("run", required=False)
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@json_option()
@click.option("--csv", "as_csv", is_flag=True, help="Print every score with what was asked and its strength.")
def show(run: str | None, results: str | None, as_json: bool, as_csv: bool) -> None:
    """List the stored runs, or show one: by folder, by id, or by the start of its id.

    Edits of one attribute at several strengths are shown as a curve: a table of its own by rising strength.
    Faces that were left out, because none was found in the picture, are counted and named, and so is what
    went wrong, such as shards that were done in parts for lack of memory.
    """
    from .. import folders
    from ..errors import BadConfig
    from ..store.folder import find
    from .scores import list_runs, print_csv, show_run

    root = folders.results(results)
    if as_csv and (run is None or as_json):
        raise BadConfig("--csv wants one run, and not --json: faceedit-bench show RUN --csv")
    if run is None:
        list_runs(root, as_json=as_json)
    elif as_csv:
        print_csv(find(run, root))
    else:
        show_run(find(run, root), {}, as_json=as_json)
