"""`faceedit-bench data check`: read a data set once and say what is there."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UnknownName
from .output import as_json, print_json
from .table import fitted, table

if TYPE_CHECKING:
    from ..data.check import Report
    from ..data.photographs import Reader

SHOWN = 10  # names of each kind on the terminal; --json has up to a thousand
HALF = 32  # characters of a digest on the terminal; --json has all


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
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one per core]")
@as_json
def check(name: str, root: Path, workers: int | None, as_json: bool) -> None:
    """Read every file of data set NAME once: counts, splits, what is missing, broken or doubled, digests.

    A part of a set is told from the whole. Ends with 1 if something is missing or broken.
    """
    read = reader_of(name)
    from ..data.check import check as use_case

    report = use_case(read, name, root, workers)
    if as_json:
        whole = report.is_sound and not report.is_part
        print_json({**dataclasses.asdict(report), "sound": report.is_sound, "whole": whole})
    else:
        _print(report)
    if not report.is_sound:
        sys.exit(1)


def _print(report: Report) -> None:
    published = f" of {report.published:,}" if report.published else ""
    people = "" if report.people is None else f", {report.people:,} people"
    sizes = ", ".join(f"{count} of {size}" for size, count in list(report.sizes.items())[:3])
    more = f" and {len(report.sizes) - 3} other sizes" if len(report.sizes) > 3 else ""
    named = [
        ("missing", report.missing, report.counts["missing"]),
        ("broken", report.broken, report.counts["broken"]),
        ("doubled", [" = ".join(ids) for ids in report.doubles], report.counts["doubles"]),
    ]
    rows = [
        ("faces", f"{report.faces:,}{published}{people}, {len(report.attributes)} attributes"),
        ("pixels", f"{sizes or 'none'}{more}; cut: {report.rule}"),
        *[(kind, total) for kind, _, total in named],
        ("unlisted", report.unlisted),
        *_masks(report),
        *[("note", note) for note in report.notes],
        ("read in", f"{report.seconds} s"),
    ]
    click.echo(table(("what", "found"), rows))
    splits = [
        (split, count, report.digests.get(split, "not whole" if count else "empty")[:HALF])
        for split, count in report.splits.items()
    ]
    for kind, names, total in named:
        if total:
            click.echo("\n" + "\n".join([f"{kind}:", *_first(names, total)]))
    click.echo("\n" + table(("split", "faces", "digest, first half"), splits, right="faces"))
    click.echo("\n" + fitted(f"{report.name}: {_verdict(report)}"))


def _masks(report: Report) -> list[tuple[str, str]]:
    """How many masks a face has, and how many faces have a mask of each part."""
    if not report.masks:
        return []
    each = sum(report.masks.values()) / max(report.masks.values())
    parts = ", ".join(f"{part} {faces:,}" for part, faces in report.masks.items())
    return [("masks", f"{each:.1f} a face: {parts}")]


def _verdict(report: Report) -> str:
    """Whether it can be used, and whether it is all of the set."""
    if not report.is_sound:
        return f"NOT whole: {report.counts['missing']:,} missing, {report.counts['broken']:,} broken"
    if report.is_part:
        part = f"{report.faces:,} of {report.published:,} faces"
        return f"a part of the set, {part}; all that it lists can be used"
    return f"all {report.faces:,} faces that it lists can be used"


def _first(names: list[str], total: int) -> list[str]:
    """A line for each of the first few, and how many more there are."""
    more = [f"  … and {total - SHOWN} more (--json)"] if total > SHOWN else []
    return [*(f"  {name}" for name in names[:SHOWN]), *more]
