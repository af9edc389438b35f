"""The scores in words and plain tables: every metric of every run, and each run against the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..markup.blocks import ARROWS
from .headline import BEST, SIGNS, Column, Contest, Rival, told
from .material import Run
from .parts import ABREAST, Items, Part, Table

Contests = Mapping[Column, Contest | None]


def legend(runs: Sequence[Run]) -> Items:
    """What brackets and signs mean."""
    lines = [
        "[low, high]: 95 % interval. (low, high): spread between subsamples, not a confidence interval.",
        f"{SIGNS[BEST]}: {BEST} of those that compete. ≈: its difference to the best, taken face by face, is "
        "not significant at 5 % (paired bootstrap over faces; p corrected by Holm's method for the number of "
        "methods in the column, not for the number of columns); only for metrics with a number per face "
        "that were scored with the run, not later.",
    ]
    marks = {run.mark for run in runs}
    if "floor" in marks:
        lines.append("Floor: copy returns its input. It does not compete.")
    if "ceiling" in marks:
        lines.append("Ceiling: truth returns the exact counterfactual. It does not compete.")
    if any(run.saw for run in runs):
        lines.append("†: used a judge of this report in training.")
    return Items(lines)


def scores(runs: Sequence[Run], contests: Contests) -> list[Part]:
    """A row per run; as many metrics to a table as fit."""
    found = list(contests)
    parts: list[Part] = []
    for start in range(0, len(found), ABREAST):
        shown = found[start : start + ABREAST]
        rows = [[_name(run), *(_cell(run, column, contests[column]) for column in shown)] for run in runs]
        headings = ["method", *(f"{column.title}{ARROWS[column.better]}" for column in shown)]
        parts.append(Table("", headings, rows))
    return parts


def _name(run: Run) -> str:
    mark = f" ({run.mark})" if run.mark else ""
    return f"{run.name}{' †' if run.saw else ''}{mark}"


def _cell(run: Run, column: Column, contest: Contest | None) -> str:
    text = told(run.scores.get((column.metric, column.edit)), column.digits)
    sign = SIGNS.get(contest.mark(run), "") if contest else ""
    return f"{text} {sign}".strip()


def against_best(contests: Contests) -> Table | None:
    """The differences behind ≈, with p values; None where no metric has a number per face."""
    rows = [
        [column.title, contest.best.name, rival.run.name, *_numbers(rival, column.digits)]
        for column, contest in contests.items()
        if contest is not None
        for rival in contest.rivals
        if rival.interval is not None
    ]
    headings = ["metric", "best", "method", "difference to the best", "p", "p, Holm"]
    return Table("Differences to the best, face by face", headings, rows, left=3) if rows else None


def _numbers(rival: Rival, digits: int) -> list[str]:
    assert rival.difference is not None and rival.interval is not None and rival.p_holm is not None
    low, high = rival.interval.bounds
    difference = f"{rival.difference:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"
    return [difference.replace("-", "−"), f"{rival.interval.p:.3f}", f"{rival.p_holm:.3f}"]
