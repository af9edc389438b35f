"""Whether runs may stand on one page; if not, what differs and what would make them comparable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..catalog import catalog
from ..errors import ResultsError
from .material import Run


def check(runs: Sequence[Run]) -> None:
    """ResultsError with every difference of the first two runs that were not measured alike."""
    first = runs[0]
    for other in runs[1:]:
        differences = list(_differences(first, other))
        if differences:
            lines = [f"  {part}: {ours} against {theirs}" for part, ours, theirs, _ in differences]
            ways = dict.fromkeys(way for *_, way in differences)
            raise ResultsError(
                "\n".join(
                    [
                        f"{_of(first)} and {_of(other)} cannot be compared; they differ in",
                        *lines,
                        "to make them comparable:",
                        *(f"  {way}" for way in ways),
                        "or leave one out of the report",
                    ]
                )
            )


def notes(runs: Sequence[Run]) -> list[str]:
    """What differs between comparable runs and a reader should know."""
    found = []
    if len({run.identity["data"].get("digest") for run in runs}) > 1:
        found.append(
            "The drawn faces were drawn on different machines: equal within one grey level, not to the bit."
        )
    numerics = {
        str(sorted(run.identity.get("numerics", {}).items())): run.identity.get("numerics", {})
        for run in runs
    }
    if len(numerics) > 1:
        told = "; ".join(", ".join(f"{k} {v}" for k, v in sorted(one.items())) for one in numerics.values())
        found.append(f"Numerics differ between runs ({told}): last digits may, too.")
    devices = {str(run.cost["device"]) for run in runs if run.cost.get("device")}
    if len(devices) > 1:
        found.append(f"Time and memory were measured on different devices: {'; '.join(sorted(devices))}.")
    return found


Difference = tuple[str, str, str, str]  # what differs, in the first, in the other, what to do


def _differences(first: Run, other: Run) -> Iterator[Difference]:
    ours, theirs = first.identity, other.identity
    again = f"run {other.method} again"
    if ours["suite"]["name"] != theirs["suite"]["name"]:
        name = ours["suite"]["name"]
        yield "suite", name, theirs["suite"]["name"], f"{again} with --suite {name}"
    elif ours["suite"]["fingerprint"] != theirs["suite"]["fingerprint"]:
        way = f"{again}: the suite {ours['suite']['name']} was another when it ran"
        yield "suite's fingerprint", ours["suite"]["fingerprint"], theirs["suite"]["fingerprint"], way
    for role in sorted(ours["judges"].keys() & theirs["judges"].keys()):
        one, two = (_judge(identity["judges"][role]) for identity in (ours, theirs))
        if one != two:
            yield f"judge of {role}", one, two, f"{again} with the judge and weights of {first.method}'s run"
    for metric in sorted(ours["metrics"].keys() & theirs["metrics"].keys()):
        one, two = str(ours["metrics"][metric]), str(theirs["metrics"][metric])
        if one != two:
            yield f"version of metric {metric}", one, two, f"{again} with one version of faceedit-bench"
    yield from _data(first, other)


def _data(first: Run, other: Run) -> Iterator[Difference]:
    ours, theirs = first.identity["data"], other.identity["data"]
    for part in ("name", "version", "split", "count"):
        if ours.get(part) != theirs.get(part):
            way = f"run {other.method} again on the same pictures"
            yield f"data set's {part}", str(ours.get(part)), str(theirs.get(part)), way
    spec = catalog().datasets.get(ours["name"])
    drawn = spec is not None and spec.faces == "drawn"  # afresh on every machine: equal within 1/255
    if not drawn and ours.get("digest") != theirs.get("digest"):
        way = f"run {other.method} again on the same pictures"
        yield "pictures (digest)", str(ours.get("digest")), str(theirs.get("digest")), way


def _judge(judge: dict[str, str]) -> str:
    return f"{judge['name']} {judge['version']}, sha256 {judge['sha256'][:16]}"


def _of(run: Run) -> str:
    return f"{run.method} ({run.id})"
