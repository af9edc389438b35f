"""The use case behind `faceedit-bench run`: resolve, resume, evaluate, fold, store, report."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import asking, folders
from . import suite as suites
from .catalog import catalog
from .contracts import LANDMARKS, RECONSTRUCTION, SECOND
from .errors import BadConfig, BadImage, NoFace, ResultsError
from .manifest import Manifest, plain, provenance
from .store import folder as store
from .store.folder import RunFolder
from .store.score import Score
from .weights import FLOAT32, Choice, choose, identity_of

if TYPE_CHECKING:
    import pandas as pd

    from .contracts import JudgeSpec, MetricSpec, Samples
    from .evaluate import Setup, ShardResult
    from .suite import Shard, Suite


@dataclass(frozen=True)
class RunResult:
    """A complete run."""

    folder: RunFolder
    scores: list[Score]
    cost: dict[str, Any]
    absent: dict[str, str] = field(default_factory=dict)  # metric -> why it was not measured

    def table(self) -> pd.DataFrame:
        """One row per metric and edit: metric, version, edit, value, low, high, n, kind, reason,
        fingerprint."""
        import pandas as pd

        return pd.DataFrame(self.scores)


@dataclass(frozen=True)
class _Job:
    """What travels to a worker."""

    setup: Setup
    shard: Shard
    folder: Path


def run(
    method: str,
    *,
    suite: str | None = None,
    preset: str | None = None,
    weights: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    data: str | Path | None = None,
    results: str | Path | None = None,
    workers: int | None = None,
    limit: int | None = None,
    device: str = "cpu",
    compiles: bool = False,
    measure_cost: bool = True,
    keep_pictures: bool = False,
    cache: str = "auto",
    skip_bad: bool = False,
    judge_dtype: str = FLOAT32,
) -> RunResult:
    """Evaluate `method` over `suite`; a run that was stopped goes on, and ends with the same bits.

    Args:
        suite: name of a suite, or path of its TOML file; default "drawn-128", with `data` "folder".
        preset, weights, options: which settings and weights of the method; see `faceedit-bench methods NAME`.
        data: folder of the data set, for those that are not embedded.
        results: results folder; default $FACEEDIT_RESULTS, else `results/`.
        workers: processes; default one per core. Their number changes no bit.
        limit: only the first so many samples (another suite, with its own fingerprint).
        device: "cpu", "cuda" or "auto".
        compiles: torch.compile the method's networks: faster from some hundred images on; part of the run's
            identity, since last bits differ.
        keep_pictures: store every edited picture, so that further metrics can be computed later.
        cache: where decoded faces are kept: "device", "host", "pack", "none", or "auto", which chooses. It
            changes no bit.
        skip_bad: leave out pictures that cannot be read, instead of ending with their names; they are listed
            and counted.
        judge_dtype: "float32", or "float64": judges compute and answer in it, so that six digits depend on
            no device or batch. They are other judges then, and the run is another run.
    Raises:
        FaceEditError: anything that a user can mend, before the first image is edited where possible.
    """
    chosen = suites.limited(suites.load(suite or ("drawn-128" if data is None else "folder")), limit)
    from . import evaluate
    from .device import choose as choose_device

    evaluate.check_demands(chosen)
    judges = judges_of(chosen)
    choice = choose(method, preset=preset, weights=weights, options=options, judges=judges.values())
    roles = {role: identity_of(spec, judge_dtype) for role, spec in judges.items()}
    device = choose_device(device)
    setup = evaluate.Setup(
        method=method,
        suite=chosen,
        preset=choice.preset,
        weights=None if weights is None else str(Path(weights).resolve()),
        options=json.dumps(dict(options or {})),
        data=None if data is None else str(Path(data).resolve()),
        device=device,
        compiles=compiles,
        judge_dtype=judge_dtype,
    )
    metrics, absent = evaluate.usable_metrics(chosen)
    _check_method(choice, chosen)
    samples, setup = opened(setup, cache, workers, skip_bad=skip_bad)
    asked = {role: roles[role] for role in evaluate.judge_roles(metrics)}
    asking.check([judges[role] for role in asked], device)
    manifest = describe(choice, chosen, samples, asked, metrics, setup)
    folder = store.begin(folders.results(results), manifest, chosen)
    setup = dataclasses.replace(setup, keeps=_keeps(folder, keep_pictures))
    if not folder.is_complete:
        evaluate_shards(setup, chosen.shards(len(samples)), folder, workers, samples)
        finish(setup, folder, samples, metrics, measure_cost, workers)
    return RunResult(folder, folder.scores(), folder.cost(), absent)


def opened(setup: Setup, cache: str, workers: int | None, *, skip_bad: bool) -> tuple[Samples, Setup]:
    """The suite's faces, and the setup that tells workers how to read them."""
    from . import evaluate
    from .data import demands, reading
    from .device import available_bytes

    suite = setup.suite
    provides = catalog().dataset(suite.dataset).provides
    faces = evaluate.open_faces(suite, setup.data)
    faces = reading.usable(faces, suite.dataset, skip_bad=skip_bad, workers=workers)
    told = reading.plan(
        faces,
        cache,
        available_bytes,
        face_bytes=suite.resolution**2 * (4 if "regions" in provides else 3),
        device=setup.device,
        workers=_workers(workers, setup.device),
    )
    if told.cache == "pack":
        faces, folder = reading.packed(faces, workers)
        setup = setup if folder is None else dataclasses.replace(setup, data=str(folder))
    return demands.matched(faces, suite), dataclasses.replace(setup, reading=told)


def _keeps(folder: RunFolder, asked: bool) -> bool:
    """Whether edited pictures are kept: if asked, or begun to be. What is finished is not edited again."""
    if asked and folder.finished() and not folder.edited.is_dir():
        raise ResultsError(
            f"{folder.path}: {len(folder.finished())} shards are finished, without their pictures; move the "
            "folder away and give the same command again to keep them"
        )
    if asked:
        folder.edited.mkdir(exist_ok=True)
    return folder.edited.is_dir()


# ---- identity -------------------------------------------------------------------------------------


def describe(
    choice: Choice,
    suite: Suite,
    samples: Samples,
    judges: dict[str, dict[str, str]],
    metrics: list[MetricSpec],
    setup: Setup,
) -> Manifest:
    """Everything that decides a number, as hashes and names."""
    maker = {
        "method": {
            "name": choice.spec.name,
            "version": choice.spec.version,
            "preset": choice.preset,
            "options": plain(choice.options),
            "saw": list(choice.spec.saw),
        },
        "weights": [{"file": pin.file, "sha256": pin.sha256} for pin in choice.pins],
    }
    return described(maker, suite, samples, judges, metrics, setup)


def described(
    maker: dict[str, Any],
    suite: Suite,
    samples: Samples,
    judges: dict[str, dict[str, str]],
    metrics: list[MetricSpec],
    setup: Setup,
) -> Manifest:
    """The same of whatever made the edited pictures."""
    import torch

    from .data import demands

    dataset = catalog().dataset(suite.dataset)
    identity = {
        **maker,
        "suite": {"name": suite.name, "version": suite.version, "fingerprint": suite.fingerprint()},
        "data": {
            "name": dataset.name,
            "version": dataset.version,
            "split": suite.split,
            "count": len(samples),
            "digest": samples.digest(),
            **({"left_out": [face for face, _ in setup.reading.left_out]} if setup.reading.left_out else {}),
            **demands.landmarks_used(suite, samples, metrics),
        },
        "judges": judges,
        "metrics": {spec.name: spec.version for spec in metrics},
        "numerics": {
            "dtype": "float32",
            "threads": suite.threads,
            "device": setup.device if setup.device == "cpu" else torch.cuda.get_device_name(setup.device),
            "torch": torch.__version__,
            **({"compiled": True} if setup.compiles else {}),
        },
    }
    return Manifest(identity, {**provenance(), "reading": setup.reading.entry()})


def judges_of(suite: Suite) -> dict[str, JudgeSpec]:
    """Role -> judge, of the metrics that the data can feed; an unknown metric or judge ends here."""
    provided = catalog().dataset(suite.dataset).provides
    specs = [catalog().metric(name) for name in suite.metrics]
    fed = [spec for spec in specs if {*spec.needs} - {RECONSTRUCTION} <= set(provided)]
    found = {}
    for role in sorted({role for spec in fed for role in spec.judges if role in suite.judges}):
        judge = catalog().judge(suite.judges[role])
        if judge.role != role.removesuffix(SECOND):
            raise BadConfig(
                f"suite {suite.name!r}: judge {judge.name!r} answers for {judge.role!r}, not for {role!r}"
            )
        found[role] = judge
    for spec in fed:
        if LANDMARKS in spec.judges:
            _check_aligning(suite, spec, found)
    for role, judge in found.items():
        if role.endswith(SECOND) and suite.judges.get(role.removesuffix(SECOND)) == judge.name:
            raise BadConfig(
                f"suite {suite.name!r}: {judge.name!r} plays {role!r} too; a second opinion wants another "
                "judge"
            )
    return found


def _check_aligning(suite: Suite, spec: MetricSpec, judges: Mapping[str, JudgeSpec]) -> None:
    """A metric for which faces are found is judged by networks that align them."""
    for role in spec.judges:
        if role != LANDMARKS and role in judges and not judges[role].view.aligns:
            raise BadConfig(
                f"suite {suite.name!r}: metric {spec.name!r} wants a judge that aligns the faces found, such "
                f"as arcface-irse50-aligned; {judges[role].name!r} looks at a fixed place"
            )


def _check_method(choice: Choice, suite: Suite) -> None:
    """The data have what the method needs, and the method has every attribute that the suite edits."""
    name = f"{choice.spec.name} ({choice.preset})"
    provided = catalog().dataset(suite.dataset).provides
    lacking = [need for need in choice.spec.needs if need not in provided]
    if lacking:
        raise BadConfig(f"{name} needs {', '.join(lacking)}, which data set {suite.dataset!r} lacks")
    wanted = choice.spec.attributes_for(choice.options) or suite.attributes
    unknown = [attribute for attribute in wanted if attribute not in suite.attributes]
    if unknown:
        raise BadConfig(f"{name} is told {', '.join(unknown)}, which suite {suite.name!r} does not list")
    asked = dict.fromkeys(attribute for edit in suite.edits for attribute in edit.changed)
    missing = [attribute for attribute in asked if attribute not in wanted]
    if missing:
        raise BadConfig(
            f"suite {suite.name!r} edits {', '.join(missing)}, of which {name} knows nothing; it knows "
            f"{', '.join(wanted)}. Choose another preset (`faceedit-bench methods {choice.spec.name}`), or a "
            "suite with these edits only"
        )


# ---- shards ---------------------------------------------------------------------------------------


def evaluate_shards(
    setup: Setup, shards: tuple[Shard, ...], folder: RunFolder, workers: int | None, samples: Samples
) -> None:
    """Work through the shards that are not done yet. All edits of some faces come before those of the next:
    a method may remember what it found in them. Of pictures that cannot be read, all are named."""
    from .data.reading import listed
    from .progress import bar

    noted = {entry.get("sample") for entry in folder.failures()}
    for face, reason in setup.reading.left_out:
        if face not in noted:
            folder.note(sample=face, reason=reason)
    done = folder.finished()
    jobs = [
        _Job(setup, shard, folder.path)
        for shard in sorted(shards, key=lambda shard: (shard.start, shard.edit))
        if shard.number not in done
    ]
    if not jobs:
        return
    images = sum(job.shard.stop - job.shard.start for job in jobs)
    try:
        with bar(f"{setup.method} on {setup.suite.name}", images) as advance:
            for count, edit in _execute(jobs, workers, setup.device):
                advance(count, edit)
    except BadImage as error:
        raise listed(samples, error) from None


def _execute(jobs: list[_Job], workers: int | None, device: str) -> Iterator[tuple[int, str]]:
    from .executors import processes, serial

    count = min(_workers(workers, device), len(jobs))
    return serial.map(_work, jobs) if count == 1 else processes.map(_work, jobs, count)


def _workers(asked: int | None, device: str) -> int:
    """Processes: as asked, otherwise one per core, and one where a GPU does the work."""
    if asked is not None and asked < 1:
        raise BadConfig(f"--workers wants at least 1, found {asked}")
    return asked or (os.cpu_count() or 1 if device == "cpu" else 1)


def _work(job: _Job) -> tuple[int, str]:
    """Evaluate one shard and store it; only the number of images and the edit's name travel back."""
    from .evaluate import evaluate_shard
    from .halving import ended_by

    folder = RunFolder(job.folder)
    try:
        result: ShardResult = evaluate_shard(job.setup, job.shard)
    except Exception as error:
        ended = ended_by(error)
        if ended is None:
            raise
        folder.note(shard=job.shard.number, reason=str(ended), outcome="the run ended")
        raise ended from None
    edit = job.setup.suite.edits[job.shard.edit].name
    if job.setup.keeps:
        _keep(result, folder.edited, edit)
    folder.put(result)
    return result.images, edit


def _keep(result: ShardResult, folder: Path, edit: str) -> None:
    """Write the edited pictures of a shard."""
    from .data.images import write_png
    from .data.supplied import Supplied

    places = Supplied.kept(folder)
    for face, picture in result.edited.items():
        write_png(places.place(edit, face), picture)


# ---- scores ---------------------------------------------------------------------------------------


def finish(
    setup: Setup,
    folder: RunFolder,
    samples: Samples,
    metrics: list[MetricSpec],
    measure_cost: bool,
    workers: int | None,
) -> None:
    """Fold the stored shards, score them, measure the cost, write everything; scores last."""
    from . import scoring
    from .device import available_bytes
    from .evaluate import set_numerics, workbench
    from .gallery import write_pictures

    workbench.cache_clear()  # the judges, and what they answered of every source picture, make room
    set_numerics(setup.suite.threads)
    suite, shards = setup.suite, setup.suite.shards(len(samples))
    stored = {shard.number: folder.read_shard(shard.number, lazily=True) for shard in shards}
    unusable, states = scoring.without(
        shards,
        {number: shard.states for number, shard in stored.items()},
        {number: shard.unusable for number, shard in stored.items()},
    )
    faces = _with_left_out(scoring.faces(len(samples), unusable), setup.reading.left_out)
    at_once = scoring.edits_at_once(suite, metrics, len(samples), workers, available_bytes("cpu"))
    scores = scoring.scores(suite, metrics, shards, states, at_once)
    rows = scoring.per_sample(suite, metrics, shards, states, samples, unusable)
    scores += scoring.curve_scores(suite, rows)
    write_pictures(folder.path / "images", suite, samples, shards, stored, unusable)
    cost = _cost(setup) if measure_cost else {}
    folder.finish(scores, rows, cost, faces)


def _with_left_out(faces: dict[str, Any], left_out: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Which faces were scored, among them those whose pictures could not be read."""
    unread = [{"sample": face, "reason": reason} for face, reason in left_out]
    return {**faces, "of": faces["of"] + len(unread), "unusable": [*unread, *faces["unusable"]]}


def _cost(setup: Setup) -> dict[str, Any]:
    """Parameters, operations, memory and time of the method at the suite's resolution."""
    from . import cost
    from .weights import build_editor

    choice = choose(
        setup.method, preset=setup.preset, weights=setup.weights, options=json.loads(setup.options)
    )
    if "truth" in choice.spec.needs:
        return {}  # the ceiling row is read from the data set; it costs nothing that could be compared
    attributes = choice.spec.attributes_for(choice.options) or setup.suite.attributes
    editor = build_editor(choice, setup.device, setup.compiles)
    try:
        return cost.measure(editor, setup.suite.resolution, attributes, setup.device)
    except NoFace:
        return {}  # it is measured on a picture from a formula, in which there is none
