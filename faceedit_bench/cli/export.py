"""`faceedit-bench export`: a finished run as one record, ready for a leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import folders
from ..errors import ResultsError


@click.command(epilog="Example: faceedit-bench export coogan-1a2b3c4d5e6f7081")
@click.argument("run")
@click.option(
    "--to",
    "target",
    default="leaderboards",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Leaderboards.",
)
@click.option("--results", type=click.Path(path_type=Path), help="Where runs lie.  [default: results]")
def export(run: str, target: Path, results: Path | None) -> None:
    """Write the record of RUN (a folder or an id) as runs/<suite>/<id>.json of the leaderboards."""
    from ..store.files import read_json, write_json
    from ..store.folder import find
    from ..store.records import export as make_record

    record = make_record(find(run, folders.results(results)).path)
    place = target / "runs" / record["manifest"]["identity"]["suite"]["name"] / f"{record['id']}.json"
    if place.exists() and _numbers(read_json(place)) != _numbers(record):
        raise ResultsError(
            f"{place} has other scores for the same run; one is damaged: repeat the run, then export"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    write_json(place, record)
    click.echo(place)


def _numbers(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The scores of a record, without their fingerprints: records of before there were any are as good."""
    return [{key: score[key] for key in score if key != "fingerprint"} for score in record["scores"]]
