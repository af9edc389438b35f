"""How many faces a comparison needs, from the rows of runs that are there already."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .catalog import catalog
from .compare import stored, suite_of, unusable_faces
from .contracts import MetricSpec
from .errors import BadConfig, FaceEditError, ResultsError, UnknownName
from .evaluate import applies
from .scoring import ALL, states_of
from .statistics.sample_size import (
    SMALLEST,
    correlation,
    faces_needed,
    of_faces,
    smallest_difference,
    spread,
)
from .store import comparable
from .store.folder import RunFolder

CORRELATIONS = (0.0, 0.5, 0.9)  # supposed where only one run is there
ENDS = ("copy", "truth")  # floor and ceiling: not the kind of methods that one wants to separate


@dataclass(frozen=True)
class Need:
    """Faces for one pair of methods."""

    first: str  # method and run id
    second: str  # "" where another method is supposed
    correlation: float | None  # of their numbers over faces; supposed where `second` is empty
    sigma: float  # standard deviation over faces of the difference
    faces: int  # needed
    had: int  # faces of the runs
    smallest: float  # difference that those find


@dataclass(frozen=True)
class Plan:
    """What `faceedit-bench plan` tells."""

    metric: str
    edit: str
    difference: float
    level: float
    power: float
    pictures: int  # edited per face
    needs: list[Need]
    notes: list[str]


def plan(
    runs: Sequence[RunFolder],
    metric: str,
    difference: float,
    *,
    edit: str = ALL,
    level: float = 0.95,
    power: float = 0.8,
) -> Plan:
    """Of one run: for another method of the same spread. Of several: for every pair that compares."""
    _check(difference, level, power)
    spec = _spec(metric)
    notes: list[str] = []
    found = {run.path: _of_faces(run, spec, metric, edit) for run in runs}
    suite = suite_of(runs[0])
    needs = []
    if len(runs) == 1:
        positions, values = found[runs[0].path]
        for supposed in CORRELATIONS:
            sigma = spread(values) * float(np.sqrt(2 * (1 - supposed)))
            needs.append(
                _need(_named(runs[0]), "", supposed, sigma, len(positions), difference, level, power)
            )
    for one, other in itertools.combinations(runs, 2):
        try:
            comparable.check(one, other, face_by_face=True)
        except FaceEditError as error:
            notes.append(str(error))
            continue
        pair = _paired(found[one.path], found[other.path])
        sigma, agree = spread(pair[1] - pair[0]), correlation(*pair)
        needs.append(_need(_named(one), _named(other), agree, sigma, len(pair[0]), difference, level, power))
    if not needs:
        raise ResultsError("no two of these runs compare:\n" + "\n".join(notes))
    edits = [one for one in suite.edits if applies(spec, one) and not one.is_reconstruction]
    pictures = max(1, len(edits)) if edit == ALL else 1
    return Plan(metric, edit, difference, level, power, pictures, needs, notes)


def runs_of(suite: str, root: Path) -> tuple[list[RunFolder], list[str]]:
    """The complete runs of a suite below the results folder but for floor and ceiling; what is left out."""
    folders = [RunFolder(path.parent) for path in sorted((root / suite).glob("*/manifest.json"))]
    if not folders:
        known = sorted({path.parents[1].name for path in root.glob("*/*/manifest.json")})
        raise UnknownName("suite with runs in the results folder", suite, known)
    complete = [folder for folder in folders if folder.is_complete]
    methods = [folder for folder in complete if folder.manifest.identity["method"]["name"] not in ENDS]
    if not methods:
        raise ResultsError(
            f"{root / suite}: no complete run of a method other than {' and '.join(ENDS)}; make a short one "
            f"with `faceedit-bench run --method NAME --suite {suite}`, or name runs with --run"
        )
    left = [f"left out, not complete: {one.path.name}" for one in folders if not one.is_complete]
    return methods, left


def _check(difference: float, level: float, power: float) -> None:
    if not 0 < difference < math.inf:
        raise BadConfig(f"--difference wants a number above 0, in the metric's unit; found {difference:g}")
    for name, value in (("level", level), ("power", power)):
        if not 0.5 <= value < 1:
            raise BadConfig(f"--{name} wants a probability from 0.5 to below 1, found {value:g}")


def _spec(metric: str) -> MetricSpec:
    """The metric of a number, which may be one of those beside it (tarr.add)."""
    spec = catalog().metric(metric.partition(".")[0])
    if spec.interval != "bootstrap":
        of_faces = sorted(name for name, one in catalog().metrics.items() if one.interval == "bootstrap")
        raise BadConfig(
            f"{spec.name} is computed of many pictures at once: it is no mean over faces, and falls or rises "
            f"with their number alone. Plan with one of {', '.join(of_faces)}"
        )
    return spec


def _of_faces(run: RunFolder, spec: MetricSpec, key: str, edit: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the faces (F,) and what each adds to the number (F,)."""
    if not run.is_complete:
        raise ResultsError(f"{run.path}: this run is not complete; give the same run command again")
    versions = {**run.manifest.identity["metrics"], **run.rescored()["metrics"]}
    if versions.get(spec.name) != spec.version:
        here = f"wanted version {spec.version} of {spec.name}"
        raise ResultsError(
            f"{run.path}: {here}, found {versions.get(spec.name, 'none')}; it has {', '.join(versions)}"
        )
    suite, metric = suite_of(run), spec.load()
    shards = suite.shards(run.manifest.identity["data"]["count"])
    states = states_of(
        spec, metric, suite, shards, stored(run, spec.name, shards, unusable_faces(run, shards))
    )
    edit = next(iter(states)) if edit == ALL and len(states) == 1 else edit
    if edit not in states:
        raise UnknownName(f"edit of {spec.name} in {suite.name!r}", edit, states)
    values = metric.per_sample(states[edit])  # type: ignore[attr-defined]
    if key not in values:
        raise UnknownName(f"number of {spec.name}", key, values)
    samples, numbers = states[edit].column("sample"), values[key].astype(np.float64)
    if (defined := len(np.unique(samples[~np.isnan(numbers)]))) < SMALLEST:
        raise ResultsError(
            f"{run.path}: {key} ({edit}) is defined in {defined} faces; wanted at least {SMALLEST} to learn "
            "what a face varies by"
        )
    return np.unique(samples), of_faces(numbers, samples, states[edit].column("edit"))


def _paired(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of both over the faces that both have."""
    common = np.intersect1d(one[0], other[0])
    return one[1][np.isin(one[0], common)], other[1][np.isin(other[0], common)]


def _need(
    first: str,
    second: str,
    agree: float | None,
    sigma: float,
    had: int,
    difference: float,
    level: float,
    power: float,
) -> Need:
    wanted = faces_needed(sigma, difference, level, power)
    return Need(first, second, agree, sigma, wanted, had, smallest_difference(sigma, had, level, power))


def _named(run: RunFolder) -> str:
    method = run.manifest.identity["method"]
    preset = "" if method["preset"] == "default" else f" ({method['preset']})"
    return f"{method['name']}{preset} {run.manifest.id[:4]}"
