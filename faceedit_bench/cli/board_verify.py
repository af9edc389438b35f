"""`faceedit-bench board verify`: whether a bundle says what its rows and pictures give."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ResultsError
from .output import as_json, print_json
from .table import table

if TYPE_CHECKING:
    from ..bundles.verify import Verdict


def checking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that verifies a bundle."""
    for option in (
        click.option(
            "--device", default="cpu", show_default=True, help="Where judges run: cpu, cuda or auto."
        ),
        click.option(
            "--data", type=click.Path(), help="Folder of the data set, if it is not an embedded one."
        ),
        click.option("--suite", help="File of the suite, if it is not one of the package's."),
        click.argument("path", metavar="BUNDLE", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


@click.command(
    short_help="Check what such a zip says.", epilog="Example: faceedit-bench board verify stgan.zip"
)
@checking
@as_json
def verify(path: Path, suite: str | None, data: str | None, device: str, as_json: bool) -> None:
    """Compute a bundle's scores again, from its rows, and its pictures' scores, with the judges pinned here.

    Ends with 1 and every fault if something does not hold: a score or a row that was changed, another suite,
    other judges, pictures that are copies of their inputs or not the suite's own, a zip that is damaged or
    hostile. Nothing is unpacked where the zip says.
    """
    from ..bundles.faults import told
    from ..bundles.verify import verify as use_case

    verdict = use_case(path, suite=suite, data=data, device=device)
    if as_json:
        print_json(_as_data(verdict))
    elif verdict.holds:
        click.echo(f"{path} holds\n\n{found(verdict)}")
    if not verdict.holds:
        if as_json:
            raise SystemExit(1)
        raise ResultsError(told(path, verdict.faults))


def found(verdict: Verdict) -> str:
    """What was checked, as a table, and what was not."""
    who = verdict.record["manifest"]["identity"]
    trusted = [*verdict.trusted, *(["costs"] if verdict.record["cost"] else [])]
    said = f"{', '.join(trusted)}; that {who['method']['name']} made the pictures"
    measured = f"{verdict.measured} scores of {verdict.pictures} pictures are those of their rows"
    faces = f"those of {who['data']['name']}"
    lines = [
        ("protocol", f"suite {who['suite']['name']}, judges and metrics as they are here"),
        ("scores", f"{verdict.scores} are what {verdict.rows} rows give"),
        ("pictures", "not measured again" if verdict.unchecked else measured),
        ("faces", f"not checked: {verdict.unchecked}" if verdict.unchecked else faces),
        ("on trust", said.removeprefix("; ")),
    ]
    return table(("what", "found"), lines)


def _as_data(verdict: Verdict) -> dict[str, Any]:
    """Without the record itself."""
    told = {key: value for key, value in vars(verdict).items() if key != "record"}
    faults = [dataclasses.asdict(fault) for fault in verdict.faults]
    return {"holds": verdict.holds, "run": verdict.record.get("id"), **told, "faults": faults}
