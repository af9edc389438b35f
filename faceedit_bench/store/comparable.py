"""Whether two runs were measured alike; if not, every difference, and what would make them comparable.

Two strictnesses. *Face by face*: every judge and metric that either has, and the same pictures to the bit.
*Side by side*, as columns of one page: judges and metrics that both have; faces that were drawn afresh on
another machine, equal within one grey level, are the same faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..catalog import catalog
from ..errors import BadConfig, ResultsError
from ..manifest import canonical, precision
from .folder import RunFolder

DIGITS = 16  # of a hash that is shown


@dataclass(frozen=True)
class Reason:
    """A difference, and what to do about it."""

    what: str
    first: str
    other: str
    remedy: str

    def __str__(self) -> str:
        return f"  {self.what}: {self.first} against {self.other}\n    {self.remedy}"


def check(first: RunFolder, other: RunFolder, *, face_by_face: bool) -> None:
    """ResultsError with every reason against a comparison; also for runs that are not complete."""
    for run in (first, other):
        if not run.is_complete:
            raise ResultsError(
                f"{run.path}: this run is not complete; give the same run command again to finish it"
            )
    if first.manifest.id == other.manifest.id:
        raise BadConfig(
            f"{first.manifest.id} twice; wanted two different runs: faceedit-bench show lists them"
        )
    found = list(reasons(first, other, face_by_face=face_by_face))
    if found:
        head = f"{_named(first)} and {_named(other)} cannot be compared:"
        raise ResultsError("\n".join([head, *map(str, found)]))


def reasons(first: RunFolder, other: RunFolder, *, face_by_face: bool) -> Iterator[Reason]:
    """What was not alike."""
    one, two = first.manifest.identity, other.manifest.identity
    yield from _suites(first, other)
    yield from _pictures(one["data"], two["data"], _again(other), face_by_face)
    for part, compared in (("judges", _judges), ("metrics", _versions)):
        both = (one[part], two[part]) if face_by_face else _of_both(one[part], two[part])
        yield from compared(both, first, other)
    yield from _later(first, other)


Both = tuple[Mapping[str, Any], Mapping[str, Any]]


def _of_both(one: Mapping[str, Any], two: Mapping[str, Any]) -> Both:
    shared = one.keys() & two.keys()
    return {key: one[key] for key in shared}, {key: two[key] for key in shared}


def _suites(first: RunFolder, other: RunFolder) -> Iterator[Reason]:
    one, two = (run.manifest.identity["suite"] for run in (first, other))
    if one["fingerprint"] == two["fingerprint"]:
        return
    if one["name"] != two["name"]:
        remedy = f"{_again(other)} with --suite {one['name']}, or {_again(first)} with --suite {two['name']}"
    else:
        remedy = f"{_again(first)} or {_again(other)}: the suite {one['name']} was another for one of them"
    differing = _differing(first.suite(), other.suite())
    ours, theirs = (f"{suite['name']} {suite['fingerprint'][:DIGITS]}" for suite in (one, two))
    yield Reason("suite" + (f" (other {differing})" if differing else ""), ours, theirs, remedy)


def _differing(one: Mapping[str, Any] | None, two: Mapping[str, Any] | None) -> str:
    """Which parts of the suites differ, as far as they are stored."""
    if one is None or two is None:
        return ""
    return ", ".join(key for key in one if canonical(one[key]) != canonical(two.get(key)))


def _pictures(
    one: Mapping[str, Any], two: Mapping[str, Any], again: str, face_by_face: bool
) -> Iterator[Reason]:
    spec = catalog().datasets.get(one["name"])
    is_drawn = spec is not None and spec.faces == "drawn"
    parts = ["name", "version", "split", "count", "landmarks"]
    parts += ["digest"] if face_by_face or not is_drawn else []
    for part in parts:
        if one.get(part) != two.get(part):
            remedy = f"{again} over the same files: the same --data and --limit"
            if part == "digest" and is_drawn:
                remedy = f"{again} on the machine of the first: faces are drawn afresh on each"
            ours, theirs = (str(data.get(part, "none"))[:DIGITS] for data in (one, two))
            yield Reason(f"pictures, {part}", ours, theirs, remedy)


def _judges(both: Both, first: RunFolder, other: RunFolder) -> Iterator[Reason]:
    one, two = both
    for role in sorted({*one, *two}):
        pins = _pin(one.get(role)), _pin(two.get(role))
        if pins[0] != pins[1]:
            remedy = f"{_again(other)} with the judge and weights of {_method(first)}'s run"
            yield Reason(f"judge of {role}", *pins, f"{remedy} (faceedit-bench judges lists what is here)")


def _versions(both: Both, first: RunFolder, other: RunFolder) -> Iterator[Reason]:
    one, two = both
    for metric in sorted({*one, *two}):
        versions = str(one.get(metric, "absent")), str(two.get(metric, "absent"))
        if versions[0] != versions[1]:
            older = min(first, other, key=lambda run: str(run.manifest.identity["metrics"].get(metric, "")))
            yield Reason(
                f"version of metric {metric}", *versions, f"{_again(older)} with this faceedit-bench"
            )


def _later(first: RunFolder, other: RunFolder) -> Iterator[Reason]:
    """Numbers that both were scored for later, by other judges or by judges in another precision, say; what
    only one was scored for later is not compared."""
    one, two = first.rescored(), other.rescored()
    yield from _versions(_of_both(one["metrics"], two["metrics"]), first, other)
    judges = _of_both(one["judges"], two["judges"])
    differing = {metric for metric in judges[0] if judges[0][metric] != judges[1][metric]}
    for metric in sorted(differing):
        ours, theirs = (", ".join(map(_pin, of[metric].values())) for of in judges)
        yield Reason(f"judges of metric {metric}", ours, theirs, _again_later(other, metric))
    prints = [{score.metric: score.fingerprint for score in run.later_scores()} for run in (first, other)]
    for metric in sorted((prints[0].keys() & prints[1].keys() & catalog().metrics.keys()) - differing):
        if prints[0][metric] != prints[1][metric]:
            told = prints[0][metric], prints[1][metric]
            yield Reason(f"fingerprint of metric {metric}", *told, _again_later(other, metric))


def _again_later(run: RunFolder, metric: str) -> str:
    return f"rescore {_method(run)} for {metric} with the judges and the --judge-dtype of the first"


def _pin(judge: Mapping[str, str] | None) -> str:
    if judge is None:
        return "none"
    return f"{judge['name']} {judge['version']}, sha256 {judge['sha256'][:DIGITS]}{precision(judge)}"


def _method(run: RunFolder) -> str:
    return str(run.manifest.identity["method"]["name"])


def _named(run: RunFolder) -> str:
    return f"{_method(run)} ({run.manifest.id})"


def _again(run: RunFolder) -> str:
    return f"run {_method(run)} again"
