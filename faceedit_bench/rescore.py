"""Metrics that a finished run does not have yet, of what it kept: judges' answers, or every edited picture.

The method is not run. Answers that one metric's states hold (features, logits) serve every metric that asks
the same judge the same. What they do not hold is computed of the pictures, if the run kept them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import asking, evaluate, scoring
from .catalog import catalog
from .compare import suite_of
from .contracts import MetricSpec, Samples
from .data.index import first_named
from .data.reading import Reading
from .data.supplied import Supplied, ids_of
from .errors import BadConfig, ResultsError, UnknownName
from .manifest import precision
from .progress import say
from .runs import judges_of
from .store import later
from .store.fingerprint import stamped
from .store.folder import RunFolder
from .store.later import Gathered
from .store.score import Score
from .suite import Edit, Shard, Suite
from .weights import FLOAT32, identity_of, of_judge, require

ANSWERS, PICTURES = "stored answers of judges", "kept pictures"
Answers = dict[tuple[str, str], np.ndarray]  # role and picture -> (N, D), in its file until it is used


class NotKept(Exception):
    """A metric asked for something that the run did not keep."""


@dataclass
class Recorded:
    """One shard as a run stored it (contracts.Observation): answers only, everything else is NotKept."""

    samples: Tensor  # (N,) int64
    edit: Edit
    edit_index: int
    answers: Answers
    shared: MutableMapping[str, Any] = field(default_factory=dict)

    def judge(self, role: str, image: str = "edited", points: str = "") -> Tensor:
        """(N, D)."""
        if points or (role, image) not in self.answers:
            raise NotKept(f"answers of the {role} judge on {image} pictures")
        return torch.from_numpy(np.asarray(self.answers[role, image]))

    def compare(self, role: str, against: str = "source", image: str = "edited") -> Tensor:
        raise NotKept(f"answers of the {role} judge on pairs of pictures")

    def outputs(self, role: str) -> tuple[str, ...]:
        raise NotKept(f"names of what the {role} judge answers")

    def __getattr__(self, name: str) -> Any:
        what = {"batch": "labels", "source": "source pictures", "edited": "edited pictures"}
        if name in (*what, "truth", "regions", "reconstruction"):
            raise NotKept(what.get(name, name))
        raise AttributeError(name)


def rescore(
    run: RunFolder,
    metrics: Sequence[str],
    *,
    judges: Mapping[str, str] | None = None,
    data: str | Path | None = None,
    device: str = "cpu",
    judge_dtype: str | None = None,
) -> list[Score]:
    """Compute `metrics` of a complete run and store them beside its scores; what was not kept is named.

    `judges` (role -> name) are for roles that the run's suite has no judge for; `data` and `device` are only
    needed where pictures are scored. `judge_dtype` is the run's, if not given; answers that were kept are in
    the run's.
    """
    run.scores()  # raises for a run that is not complete
    suite = suite_of(run)
    evaluate.set_numerics(suite.threads)
    specs = [_spec(run, name) for name in dict.fromkeys(metrics)]
    _check_roles(suite, specs, judges or {})
    dtype = judge_dtype or _precision(run)
    lacking = {spec.name: what for spec in specs if (what := _lacking(run, suite, spec, dtype))}
    known, wider = run.manifest.identity["judges"], None
    if lacking:
        _check_pictures(run, lacking)
        wider = dataclasses.replace(
            suite, metrics=tuple(lacking), judges={**suite.judges, **(judges or {})}
        )  # the run's faces and edits
        known = {**known, **_pins(run, wider, dtype)}
    scores = []
    with later.alone(run.path):
        seen = {} if wider is None else _of_pictures(run, wider, data, device, dtype)
        for spec in specs:
            states = seen.get(spec.name) or _of_answers(run, suite, spec)
            source = PICTURES if spec.name in seen else ANSWERS
            scores += _store(run, suite, spec, states, source, {role: known[role] for role in spec.judges})
    return scores


def _precision(run: RunFolder) -> str:
    """In which the run asked its judges."""
    return next((judge.get("dtype", FLOAT32) for judge in run.manifest.identity["judges"].values()), FLOAT32)


def _spec(run: RunFolder, name: str) -> MetricSpec:
    spec = catalog().metric(name)
    if run.manifest.identity["metrics"].get(name) == spec.version:
        raise BadConfig(f"run {run.manifest.id} has {name} already: faceedit-bench show {run.manifest.id}")
    return spec


def _check_roles(suite: Suite, specs: Sequence[MetricSpec], judges: Mapping[str, str]) -> None:
    """Judges are given for roles that the metrics ask, and that the run's suite has nobody for."""
    asked = sorted({role for spec in specs for role in spec.judges})
    for role in judges:
        if role in suite.judges:
            raise BadConfig(f"--judge {role}: the run's suite has {suite.judges[role]!r} for that already")
        if role not in asked:
            names = ", ".join(spec.name for spec in specs)
            raise UnknownName(f"role of {names}", role, asked)


# ---- from stored answers --------------------------------------------------------------------------


def _lacking(run: RunFolder, suite: Suite, spec: MetricSpec, dtype: str) -> str:
    """The first that the metric asks for and that the run did not keep; "" if all is there. The first shard
    of every edit is tried."""
    if spec.judges and dtype != _precision(run):
        return f"answers of judges in {dtype}"
    first: dict[int, Shard] = {}
    for shard in _shards(run, suite, spec):
        first.setdefault(shard.edit, shard)
    try:
        for shard in first.values():
            _of_shard(run, suite, spec, shard)
    except NotKept as error:
        return str(error)
    return ""


def _of_answers(run: RunFolder, suite: Suite, spec: MetricSpec) -> Gathered:
    """States of the metric, made of the answers of judges: one shard is held at a time."""
    gathered = Gathered(run.path, run.manifest.id, spec.name)
    for shard in _shards(run, suite, spec):
        gathered.put(shard.number, _of_shard(run, suite, spec, shard))
    return gathered


def _of_shard(run: RunFolder, suite: Suite, spec: MetricSpec, shard: Shard) -> Mapping[str, np.ndarray]:
    """The state of one shard; NotKept names the first answers that are not there."""
    samples, answers = _answers(run, shard)
    metric = spec.load()
    state = metric.empty()
    metric.update(state, Recorded(torch.from_numpy(samples), suite.edits[shard.edit], shard.edit, answers))
    state.shards = range(shard.number, shard.number + 1)
    arrays: dict[str, np.ndarray] = state.to_arrays()
    return arrays


def _shards(run: RunFolder, suite: Suite, spec: MetricSpec) -> list[Shard]:
    """Those of the edits that the metric is defined for."""
    shards = suite.shards(run.manifest.identity["data"]["count"])
    return [shard for shard in shards if evaluate.applies(spec, suite.edits[shard.edit])]


def _answers(run: RunFolder, shard: Shard) -> tuple[np.ndarray, Answers]:
    """(N,) samples of the shard, and every answer that a metric of the run kept."""
    keepers = _keepers(run)
    stored = run.read_shard(shard.number, metrics=tuple(keepers), lazily=True).states
    samples, found = np.zeros(0, np.int64), Answers()
    for name, keeps in keepers.items():
        if name in stored:  # not every metric is defined for every edit
            samples = stored[name]["sample"]
            found |= {asked: stored[name][column] for asked, column in keeps.items()}
    return samples, found


def _keepers(run: RunFolder) -> dict[str, Mapping[tuple[str, str], str]]:
    """Metric -> role and picture -> column, of the run's metrics whose states hold answers."""
    found = {}
    for name, version in run.manifest.identity["metrics"].items():
        spec = catalog().metrics.get(name)
        keeps = getattr(spec.load(), "keeps", None) if spec and spec.version == version else None
        if keeps:
            found[name] = keeps
    return found


# ---- from kept pictures ---------------------------------------------------------------------------


def _check_pictures(run: RunFolder, lacking: Mapping[str, str]) -> None:
    """The run kept its edited pictures; or an error says what it kept and what it did not."""
    wanted = "\n".join(f"  {name}: wants {what}" for name, what in lacking.items())
    if not run.edited.is_dir():
        kept = sorted(
            {f"{role} on {image} pictures" for keeps in _keepers(run).values() for role, image in keeps}
        )
        raise ResultsError(
            f"run {run.manifest.id} did not keep what these metrics need:\n{wanted}\n"
            f"It kept answers of {', '.join(kept) or 'no judge'}, and the pictures of its first "
            f"{evaluate.KEPT} faces only. Run the method again with --keep-pictures, or with a suite "
            "that has these metrics"
        )


def _pins(run: RunFolder, suite: Suite, dtype: str) -> dict[str, dict[str, str]]:
    """Role -> judge of these metrics; one that the run asked already must be of the same weights."""
    judges = judges_of(suite)
    require([of_judge(spec) for spec in judges.values()])
    pins = {role: identity_of(spec, dtype) for role, spec in judges.items()}
    for role, before in run.manifest.identity["judges"].items():
        if role in pins and any(pins[role][key] != before[key] for key in ("name", "version", "sha256")):
            raise ResultsError(
                f"judge of {role}: the run asked {before['name']} {before['sha256'][:8]}, here is "
                f"{pins[role]['name']} {pins[role]['sha256'][:8]}; put the old weights back, or run again"
            )
    return pins


def _of_pictures(
    run: RunFolder, suite: Suite, data: str | Path | None, device: str, dtype: str
) -> dict[str, Gathered]:
    """States by metric, computed by the engine of a run with the kept pictures in place of a method."""
    from .device import choose
    from .progress import bar

    left_out = tuple(entry["sample"] for entry in run.faces()["unusable"])
    kept = Supplied.kept(run.edited, left_out)
    setup = evaluate.Setup(
        method=run.manifest.identity["method"]["name"],
        suite=suite,
        data=None if data is None else str(Path(data).resolve()),
        device=choose(device),
        supplied=kept,
        reading=Reading(left_out=tuple((face, "") for face in _unread(run))),
        judge_dtype=dtype,
    )
    specs, absent = evaluate.usable_metrics(suite)
    if absent:
        raise BadConfig("\n".join(f"{metric} {reason}" for metric, reason in absent.items()))
    samples = evaluate.open_samples(suite, setup.data, setup.reading)
    wanted = run.manifest.identity["data"]["digest"]
    if samples.digest() != wanted:
        raise ResultsError(
            f"the faces are not those of run {run.manifest.id}: wanted digest {wanted[:12]}, found "
            f"{samples.digest()[:12]}; give its folder with --data"
        )
    _check_places(kept, suite, samples)
    judges = judges_of(suite)
    asking.check([judges[role] for role in evaluate.judge_roles(specs)], setup.device)
    gathered = {spec.name: Gathered(run.path, run.manifest.id, spec.name) for spec in specs}
    shards = sorted(
        {shard for spec in specs for shard in _shards(run, suite, spec)}, key=lambda one: one.number
    )
    with bar("scoring kept pictures", len(samples) * len({shard.edit for shard in shards})) as advance:
        for shard in shards:
            for name, state in evaluate.evaluate_shard(setup, shard).states.items():
                gathered[name].put(shard.number, state)
            advance(shard.stop - shard.start)
    return gathered


def _unread(run: RunFolder) -> list[str]:
    """Ids of faces that the run left out because their pictures could not be read."""
    left_out: list[str] = run.manifest.identity["data"].get("left_out", [])
    return left_out


def _check_places(kept: Supplied, suite: Suite, samples: Samples) -> None:
    """Every picture that was kept is still there."""
    faces = [face for face in ids_of(samples) if face not in kept.left_out]
    places = [kept.place(edit.name, face) for edit in suite.edits for face in faces]
    if gone := [str(place) for place in places if not place.is_file()]:
        raise ResultsError(
            f"{len(gone)} of {len(places)} kept pictures are not there; run the method again:\n  "
            f"{first_named(gone)}"
        )


# ---- storing --------------------------------------------------------------------------------------


def _store(
    run: RunFolder,
    suite: Suite,
    spec: MetricSpec,
    states: Gathered,
    source: str,
    judges: Mapping[str, Any],
) -> list[Score]:
    """Score the states as a run does, without the faces that some edit could not use."""
    shards = _shards(run, suite, spec)
    told = {number: run.read_shard(number, metrics=()).unusable for number in sorted(run.finished())}
    _, kept = scoring.without(shards, states.states(), told)
    dtype = run.manifest.identity["numerics"]["dtype"]
    scores = stamped(scoring.scores(suite, [spec], shards, kept), judges, dtype)
    _say_what_is_replaced(run, spec, judges)
    states.finish(scores, version=spec.version, source=source, judges=judges)
    return scores


def _say_what_is_replaced(run: RunFolder, spec: MetricSpec, judges: Mapping[str, Any]) -> None:
    """A run has a metric once: numbers by another judge take the place of those of before."""
    before = run.rescored()
    if spec.name not in before["metrics"]:
        return
    ours, theirs = (
        ", ".join(f"{one['name']} {one['sha256'][:8]}{precision(one)}" for one in of.values())
        for of in (before["judges"].get(spec.name, {}), judges)
    )
    second = f"{spec.name}_second"
    keep = f"; to have both, ask {second} with --judge" if second in catalog().metrics else ""
    why = f" by {theirs} take the place of those by {ours}{keep}" if ours != theirs else " are computed again"
    say(f"{run.manifest.id}: scores of {spec.name}{why}")
