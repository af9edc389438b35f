"""`faceedit-bench board`: leaderboards, computed from stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import ResultsError, UnknownName
from .output import as_json, print_json
from .published import print_published
from .table import table

if TYPE_CHECKING:
    from ..board import Board, Row

FOLDER = "leaderboards"
PUBLISHED = "published"  # folder in it


@click.command(
    short_help="Write or check the pages of boards.",
    epilog="""
\b
Examples:
  faceedit-bench board write drawn-128 --check
  faceedit-bench board --published
""",
)
@click.argument("name", required=False)
@click.option(
    "--folder",
    default=FOLDER,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the definitions (<name>.toml) and records (runs/<suite>/<run id>.json).",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 and the difference if a file is stale."
)
@click.option(
    "--published", is_flag=True, help="Only print the numbers of papers, all or those shown beside NAME."
)
@as_json
def board(name: str | None, folder: Path, check: bool, published: bool, as_json: bool) -> None:
    """Write and print every board, or board NAME, made from the exported runs: <name>.html (sort and filter
    it in a browser), .md, .tex, and for programs .csv and .parquet.

    What papers print stands apart in <name>.html and <name>.md, never among the rows, and in no other form.
    """
    from .. import board as boards
    from .. import published as papers

    if published:
        if check:
            raise click.UsageError("--published writes nothing, so there is nothing to --check")
        names = boards.load(_definitions(folder, name)[0]).published if name else None
        return print_published(papers.load_all(folder / PUBLISHED, names), as_json=as_json)
    stale = []
    printed = {}
    for path in _definitions(folder, name):
        definition = boards.load(path)
        records = _records(folder / "runs" / definition.suite)
        rows = boards.ranked(records, definition)
        published_beside = papers.load_all(folder / PUBLISHED, definition.published)
        forms = boards.forms(records, definition, path, published_beside)
        for form in forms:
            if not check:
                form.save()
            elif difference := form.difference():
                stale.append(difference)
        if as_json:
            printed[path.stem] = boards.as_data(rows, definition)
        elif not check:
            _print(definition, rows, [form.place for form in forms])
    if as_json:
        print_json(printed)
    if check and stale:
        click.echo("\n".join(stale))
        raise ResultsError(
            "the boards above are not what their runs give; write them with `faceedit-bench board`"
        )


def _definitions(folder: Path, name: str | None) -> list[Path]:
    found = sorted(folder.glob("*.toml"))
    if not found:
        raise ResultsError(f"{folder}: no board definition (<name>.toml) here; say where with --folder")
    if name is None:
        return found
    path = folder / f"{name}.toml"
    if path not in found:
        raise UnknownName("board", name, [known.stem for known in found])
    return [path]


def _records(folder: Path) -> list[dict[str, object]]:
    from ..board import check_record
    from ..store.files import read_json

    return [dict(check_record(read_json(path), path)) for path in sorted(folder.glob("*.json"))]


def _print(definition: Board, rows: list[Row], places: list[Path]) -> None:
    """The ranking on the terminal; every column is in the files."""
    index = definition.columns.index(definition.ranking)
    digits = definition.ranking.digits
    click.echo(f"{definition.title}\n")
    cells = [row.cells[index] for row in rows]
    listing = [
        (row.rank or row.mark, row.label, cell.text(digits) if cell else "–", row.run)
        for row, cell in zip(rows, cells, strict=True)
    ]
    click.echo(table(("rank", "method", definition.ranking.title, "run"), listing))
    click.echo("\n" + "\n".join(f"written: {place}" for place in places))
