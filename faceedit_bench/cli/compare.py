"""`faceedit-bench compare`: two runs over the same faces, number by number."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from typing import TYPE_CHECKING

import click

from ..store.undefined import sentences
from .output import json_option, print_json
from .table import fitted, table

if TYPE_CHECKING:
    from ..compare import Comparison, Difference
    from ..contracts import MetricSpec
    from ..store.folder import RunFolder


@click.command(
    epilog="""
\b
Examples:
  faceedit-bench compare coogan-3f2a stgan-7c1d
  faceedit-bench compare 3f2a 7c1d --metric tarr --edits
  faceedit-bench compare 3f2a 7c1d --csv > differences.csv
"""
)
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option("--metric", "metrics", multiple=True, help="Only this metric; repeatable.  [default: all]")
@click.option("--edits", is_flag=True, help="Also print every edit.")
@click.option(
    "--results", type=click.Path(), help="Results folder.  [default: $FACEEDIT_RESULTS or results/]"
)
@json_option()
@click.option("--csv", "as_csv", is_flag=True, help="Print every difference, one a line.")
def compare(
    first: str,
    second: str,
    metrics: tuple[str, ...],
    edits: bool,
    results: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Compare two runs: the differences B − A, their 95 % intervals, and which run is better.

    Both must have scored the same faces of the same suite with the same judges. Differences of means come
    from a paired bootstrap over faces; edits are corrected by Holm's method. docs/comparing.md says what the
    words mean.
    """
    from .. import folders
    from ..compare import compare as use_case
    from ..errors import BadConfig
    from ..progress import bar
    from ..store.folder import find

    if as_json and as_csv:
        raise BadConfig("--json and --csv both say how to print; give one")
    root = folders.results(results)
    runs = find(first, root), find(second, root)
    with bar("comparing", len(metrics or runs[0].manifest.identity["metrics"])) as advance:
        found = use_case(*runs, metrics, lambda metric: advance(1))
    if as_csv:
        _print_csv(found)
    elif as_json:
        _print_json(found)
    else:
        _print(found, edits)


def _print_csv(found: Comparison) -> None:
    from ..compare import Difference

    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(field.name for field in fields(Difference))
    lines.writerows(astuple(one) for one in found.differences)


def _print_json(found: Comparison) -> None:
    print_json(
        {
            "first": found.first.manifest.id,
            "second": found.second.manifest.id,
            "suite": found.suite.name,
            "faces": found.faces,
            "of": found.of,
            "differences": [asdict(one) for one in found.differences],
            "verdict": _words(found),
            "notes": found.notes,
        }
    )


def _print(found: Comparison, edits: bool) -> None:
    from ..compare import main_numbers

    count = f"{found.faces} of {found.of}" if found.faces < found.of else found.of
    click.echo(f"{found.suite.name}, {count} faces; differences are B − A")
    click.echo(f"A  {_title(found.first)}\nB  {_title(found.second)}")
    main = main_numbers(found)
    if main:
        click.echo("\n" + _main_table(main, found.differences))
    shown = {one.metric for one in main}
    for name in dict.fromkeys(one.metric for one in found.differences if _is_metric(one.metric)):
        if edits or name not in shown:
            click.echo("\n" + _edits_table(name, [one for one in found.differences if one.metric == name]))
    words = _words(found) + _legend(found.differences) + found.notes
    click.echo("\n" + "\n".join(map(fitted, words)))


def _main_table(main: Sequence[Difference], differences: Sequence[Difference]) -> str:
    rows = [(_heading(one.metric), *_numbers(one), _counts(one, differences), one.verdict) for one in main]
    headings = ("metric", "A", "B", "B − A", "edits", "verdict")
    return table(headings, rows, right="A B edits")


def _edits_table(name: str, of_it: Sequence[Difference]) -> str:
    rows = [(one.edit, *_numbers(one), one.verdict) for one in of_it]
    return table((_heading(name), "A", "B", "B − A", "verdict"), rows, right="A B")


def _heading(metric: str) -> str:
    return f"{metric} {'↑' if _spec(metric).better == 'higher' else '↓'}"


def _spec(metric: str) -> MetricSpec:
    """Of a metric, or of what it is read at: `id@response0.5`."""
    from ..catalog import catalog

    return catalog().metrics[metric.partition("@")[0]]


def _is_metric(name: str) -> bool:
    from ..catalog import catalog

    return name.partition("@")[0] in catalog().metrics


def _numbers(one: Difference) -> tuple[str, str, str]:
    """A, B, and the difference with its bounds, at most 7 characters each."""
    digits = _spec(one.metric).digits
    first, second, value, low, high = (
        "–" if number is None else _short(number, digits)
        for number in (one.first, one.second, one.value, one.low, one.high)
    )
    if one.low is None:
        return first, second, value
    marks = "[]" if one.p is not None else "()"
    return first, second, f"{value} {marks[0]}{low}, {high}{marks[1]}"


def _short(number: float, digits: int) -> str:
    """Fewer decimals for large numbers: 123.4, 12.34."""
    before = len(f"{abs(number):.0f}")
    return f"{number:.{max(0, min(digits, 5 - before))}f}"


def _counts(main: Difference, differences: Sequence[Difference]) -> str:
    """Edits in which A is better, B is better, neither: `3/9/1`, after Holm's correction."""
    verdicts = [one.verdict for one in differences if one.metric == main.metric and one.p_holm is not None]
    if not verdicts:
        return ""
    of_a, of_b = verdicts.count("A better"), verdicts.count("B better")
    return f"{of_a}/{of_b}/{len(verdicts) - of_a - of_b}"


def _words(found: Comparison) -> list[str]:
    """What the table says, as sentences."""
    from ..compare import FEW, OPEN, SAME, WITHIN, main_numbers

    main = main_numbers(found)
    told = (
        ("A better", f"{_name(found.first)} (A) is better in"),
        ("B better", f"{_name(found.second)} (B) is better in"),
        ("(A better)", "A is better, beyond the spread of parts but without a confidence interval, in"),
        ("(B better)", "B is better, beyond the spread of parts but without a confidence interval, in"),
        (SAME, "equal in every face:"),
        (OPEN, f"not separated by {found.faces} faces:"),
        (WITHIN, "within the spread of parts of the faces:"),
        (FEW, "no interval, wanted at least 10 faces:"),
    )
    told_of_main = []
    for verdict, words in told:
        metrics = [one.metric for one in main if one.verdict == verdict]
        if metrics:
            told_of_main.append(f"{words} {', '.join(metrics)}")
    undefined = ((one.metric, one.edit, one.reason) for one in found.differences if one.reason)
    return [*told_of_main, *sentences(undefined)]


def _legend(differences: Sequence[Difference]) -> list[str]:
    lines = []
    if any(one.p is not None for one in differences):
        lines.append("[low, high] 95 % paired bootstrap over faces")
    if any(one.p_holm is not None for one in differences):
        lines.append("edits       A better/B better/neither after Holm's correction; p: --json, --csv")
    if any(one.low is not None and one.p is None for one in differences):
        lines.append("(low, high) spread over the same parts of the faces, not a confidence interval")
    return lines


def _name(run: RunFolder) -> str:
    method = run.manifest.identity["method"]
    return method["name"] if method["preset"] == "default" else f"{method['name']} ({method['preset']})"


def _title(run: RunFolder) -> str:
    return f"{_name(run)}  {run.manifest.id}"
