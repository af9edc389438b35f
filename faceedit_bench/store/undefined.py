"""Numbers that could not be had, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

Number = tuple[str, str, str]  # metric, edit, reason
COUNTED = r"(.*, found )(\d+)"  # a reason that ends with how many there were


def sentences(numbers: Iterable[Number]) -> list[str]:
    """Metrics and edits of which the same holds stand together; what they found, where only that differs, is
    a range: `undefined kid, fid (Bald, all): wanted at least 50 pictures, found 3 to 20`."""
    found: dict[tuple[str, str], dict[str, list[int]]] = {}  # metric, reason -> edit -> counts in the end
    for metric, edit, reason in numbers:
        counted = re.fullmatch(COUNTED, reason, re.DOTALL)
        words, counts = (counted[1], [int(counted[2])]) if counted else (reason, [])
        found.setdefault((metric, words), {})[edit] = counts
    metrics: dict[str, list[str]] = {}  # what is said -> metrics
    for (metric, words), edits in found.items():
        said = f"({', '.join(edits)}): {words}{_range([n for counts in edits.values() for n in counts])}"
        metrics.setdefault(said, []).append(metric)
    return [f"undefined {', '.join(of_it)} {said}" for said, of_it in metrics.items()]


def _range(counts: list[int]) -> str:
    """`2 to 9`, `5`, or nothing."""
    return " to ".join(map(str, dict.fromkeys([min(counts), max(counts)]))) if counts else ""
