"""`faceedit-bench data check`: read a data set once and say what is there."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UnknownName
from .output import as_json, print_json
from .table import table

if TYPE_CHECKING:
    from ..data.check import Report
    from ..data.photographs import Reader

SHOWN = 10  # names of each kind on the terminal; --json has up to a thousand


def reader_of(name: str) -> Reader:
    """What reads a built-in data set of photographs."""
    from ..data.photographs import reader
    from ..data.specs import SPECS

    names = [spec.name for spec in SPECS]
    if name not in names:
        raise UnknownName("data set on disk", name, names)
    return reader(name)


@click.command(epilog="Example: faceedit-bench data check celeba --root ~/data/celeba")
@click.argument("name")
@click.option("--root", required=True, type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("--workers", type=int, help="Processes.  [default: one per core]")
@as_json
def check(name: str, root: Path, workers: int | None, as_json: bool) -> None:
    """Read every file of data set NAME once: counts, splits, what is missing, broken or doubled, digests.

    Ends with 1 if something is missing or broken.
    """
    read = reader_of(name)
    from ..data.check import check as use_case

    report = use_case(read, name, root, workers)
    if as_json:
        print_json({**dataclasses.asdict(report), "whole": report.is_whole})
    else:
        _print(report)
    if not report.is_whole:
        sys.exit(1)


def _print(report: Report) -> None:
    people = "" if report.people is None else f" of {report.people} people"
    sizes = ", ".join(f"{count} of {size}" for size, count in list(report.sizes.items())[:3])
    more = f" and {len(report.sizes) - 3} other sizes" if len(report.sizes) > 3 else ""
    named = [
        ("missing", report.missing, report.counts["missing"]),
        ("broken", report.broken, report.counts["broken"]),
        ("doubled", [" = ".join(ids) for ids in report.doubles], report.counts["doubles"]),
    ]
    rows = [
        ("faces", f"{report.faces}{people}, {len(report.attributes)} attributes"),
        ("pixels", f"{sizes or 'none'}{more}; cut: {report.rule}"),
        *[(kind, total) for kind, _, total in named],
        ("unlisted", report.unlisted),
        *[("note", note) for note in report.notes],
        ("read in", f"{report.seconds} s"),
    ]
    click.echo(table(("what", "found"), rows))
    splits = [
        (split, count, report.digests.get(split, "not whole" if count else "empty"))
        for split, count in report.splits.items()
    ]
    for kind, names, total in named:
        if total:
            click.echo("\n" + "\n".join([f"{kind}:", *_first(names, total)]))
    click.echo("\n" + table(("split", "faces", "digest"), splits, right="faces", width=110))
    whole = f"all {report.faces} faces that it lists can be used"
    click.echo(f"\n{report.name}: {whole if report.is_whole else 'NOT whole'}")


def _first(names: list[str], total: int) -> list[str]:
    """A line for each of the first few, and how many more there are."""
    more = [f"  … and {total - SHOWN} more (--json)"] if total > SHOWN else []
    return [*(f"  {name}" for name in names[:SHOWN]), *more]
