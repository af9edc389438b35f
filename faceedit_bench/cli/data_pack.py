"""`faceedit-bench data pack`: decode, crop and resize a split once."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import BadConfig
from .data_check import reader_of
from .output import as_json, print_json


@click.command(
    epilog="Example: faceedit-bench data pack celeba --root ~/data/celeba --size 128 --to celeba-128"
)
@click.argument("name")
@click.option("--root", required=True, type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("--split", default="test", show_default=True, help="Which faces.")
@click.option("--size", default=128, show_default=True, help="Pixels per side, as the suite has them.")
@click.option("--count", default=0, help="Only the first so many faces.  [default: all]")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--workers", type=int, help="Processes.  [default: one per core]")
@click.option("--skip-bad", is_flag=True, help="Leave broken pictures out; failures.jsonl names them.")
@as_json
def pack(
    name: str,
    root: Path,
    split: str,
    size: int,
    count: int,
    folder: Path,
    workers: int | None,
    skip_bad: bool,
    as_json: bool,
) -> None:
    """Pack a split of data set NAME at one size: read quicker by runs and trainings that get --data PACK.

    A pack gives the same numbers as the files, under the same digest. The command can be stopped and
    repeated.
    """
    for option, value, least in (("--size", size, 1), ("--count", count, 0), ("--workers", workers or 1, 1)):
        if value < least:
            raise BadConfig(f"{option} wants at least {least}, found {value}")
    read = reader_of(name)
    from ..data.packing import pack as use_case

    made = use_case(
        read,
        name,
        root,
        split=split,
        resolution=size,
        count=count,
        folder=folder,
        workers=workers,
        skip_bad=skip_bad,
    )
    if as_json:
        return print_json(
            {
                "folder": str(made.folder),
                "faces": made.faces,
                "skipped": made.skipped,
                "digest": made.digest,
                "bytes": made.bytes,
                "kept": made.kept,
            }
        )
    went_on = f", {made.kept} of them before it was stopped" if made.kept else ""
    click.echo(f"{made.folder}: {made.faces} faces{went_on}, {made.bytes / 2**20:.0f} MiB")
    if made.skipped:
        click.echo(f"left out {len(made.skipped)} broken pictures; see {made.folder / 'failures.jsonl'}")
    click.echo(f"digest {made.digest}")
    return click.echo(f"use it with --data {made.folder}")
