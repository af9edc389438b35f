"""The engine: edit one shard, show it to every metric; then fold the shards' states in order and finish.

The shard is the unit of arithmetic: each is evaluated from empty states, in the suite's fixed batches, with
the suite's thread count. Who evaluates it, and when, cannot change a bit (design section 5).
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .catalog import catalog
from .contracts import RECONSTRUCTION, EditBatch, Editor, JudgeSpec, Metric, MetricSpec, Sample, Samples
from .data import demands
from .data.reading import AS_THEY_LIE, Reading, applied
from .data.supplied import Supplied
from .data.upload import Upload
from .device import of_pictures
from .errors import BadConfig, BadDataset, BrokenPromise, NoFace
from .halving import Halving, Patient
from .metrics.states import Rows
from .observe import Above, Judge, Observation, to_bytes, to_unit
from .promise import check_explanation, check_promise
from .suite import Edit, Shard, Suite, target_labels
from .weights import FLOAT32, build_editor, build_judge, choose, load_judge

KEPT = 8  # samples whose pictures are kept for the sheet and reports

Face = tuple[int, Sample]  # with its position in the suite's sample list
Unusable = dict[int, tuple[str, str]]  # position -> id of the picture, and why its face cannot be edited


@dataclass(frozen=True)
class Setup:
    """Everything a worker needs to build its workbench: names and options, small and picklable."""

    method: str
    suite: Suite
    preset: str | None = None
    weights: str | None = None
    options: str = "{}"  # JSON of what the user set
    data: str | None = None
    device: str = "cpu"
    compiles: bool = False
    supplied: Supplied | None = None  # pictures that were edited before: no method is run
    keeps: bool = False  # every edited picture
    judge_dtype: str = FLOAT32  # in which judges compute and answer
    reading: Reading = AS_THEY_LIE


@dataclass(frozen=True)
class ShardResult:
    """What one shard gives back."""

    number: int
    states: dict[str, dict[str, np.ndarray]]  # metric -> arrays of its state
    images: int
    seconds: float
    pictures: np.ndarray  # (K, 3, H, W) uint8: edits of the suite's first KEPT samples that are in this shard
    explained: dict[str, np.ndarray]  # name -> the same of what the method shows of how it edits
    unusable: Unusable  # samples that entered no state: their face was not found
    edited: dict[str, np.ndarray] = field(default_factory=dict)  # id -> (3, H, W) uint8, if they are kept
    most: Mapping[str, int] = field(default_factory=dict)  # what -> pictures at once, where memory was out


@dataclass
class Workbench:
    """Data set, editor, judges and metrics of one worker, built once."""

    method: str
    suite: Suite
    samples: Samples
    upload: Upload | None  # None: pictures go to the method as they are
    editor: Editor | Supplied
    columns: list[int]  # suite columns in the method's order
    attributes: tuple[str, ...]  # the method's
    wants_truth: bool
    judges: dict[str, Judge | Above]
    metrics: dict[str, tuple[MetricSpec, Metric]]
    device: str
    judge_dtype: torch.dtype
    remembered: dict[tuple[str, tuple[int, ...]], Tensor] = field(default_factory=dict)
    halving: Halving = field(default_factory=Halving)


# ---- building -------------------------------------------------------------------------------------


def open_samples(suite: Suite, data: str | None, reading: Reading = AS_THEY_LIE, recent: int = 0) -> Samples:
    """The suite's faces with its attributes, read as was decided; the `recent` ones are kept in any case."""
    return demands.matched(applied(open_faces(suite, data), reading, recent), suite)


def open_faces(suite: Suite, data: str | None) -> Samples:
    """The faces as the data set has them; a suite that asks for more than they have ends here."""
    spec, asked = catalog().dataset(suite.dataset), check_demands(suite)
    faces = spec.open(Path(data) if data else None, suite.split, suite.resolution, suite.count)
    demands.check_landmarks(suite, faces, asked)
    return faces


def check_demands(suite: Suite) -> list[MetricSpec]:
    """The metrics that an edit of the suite is for; a suite that asks for more than its data offer ends here.

    It needs no file: nobody should fetch or train weights for a suite that cannot be run.
    """
    metrics = [catalog().metric(name) for name in suite.metrics]
    asked = [one for one in metrics if any(applies(one, edit) for edit in suite.edits)]
    demands.check(suite, catalog().dataset(suite.dataset), asked)
    return asked


def applies(spec: MetricSpec, edit: Edit) -> bool:
    """Whether a metric is defined for an edit."""
    return spec.on == "every" or (spec.on == "reconstruction") == edit.is_reconstruction


def reconstruction_of(suite: Suite) -> Edit | None:
    """Its first edit that asks for nothing."""
    return next((edit for edit in suite.edits if edit.is_reconstruction), None)


def usable_metrics(suite: Suite) -> tuple[list[MetricSpec], dict[str, str]]:
    """The suite's metrics that its data can feed, and why the others are absent."""
    dataset = catalog().dataset(suite.dataset)
    usable, absent = [], {}
    for name in suite.metrics:
        spec = catalog().metric(name)
        lacking = [need for need in spec.needs if need not in (*dataset.provides, RECONSTRUCTION)]
        roles = [role for role in spec.judges if role not in suite.judges]
        if lacking:
            absent[name] = f"needs {', '.join(lacking)}, which data set {dataset.name!r} does not have"
        elif roles:
            raise BadConfig(
                f"suite {suite.name!r}: metric {name!r} needs a judge for {', '.join(roles)} in [judges]"
            )
        elif RECONSTRUCTION in spec.needs and reconstruction_of(suite) is None:
            absent[name] = f"needs a reconstruction, for which suite {suite.name!r} does not ask"
        elif not any(applies(spec, edit) for edit in suite.edits):
            absent[name] = f"is defined for {spec.on} edits, of which suite {suite.name!r} has none"
        else:
            usable.append(spec)
    return usable, absent


def judge_roles(metrics: Sequence[MetricSpec]) -> list[str]:
    """Roles that any of the metrics asks."""
    return sorted({role for spec in metrics for role in spec.judges})


def set_numerics(threads: int) -> None:
    """The worker's start: the only place that sets process-wide numerics."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


@functools.lru_cache(maxsize=1)
def workbench(setup: Setup) -> Workbench:
    """Build what a worker needs, once per process."""
    suite = setup.suite
    set_numerics(suite.threads)
    editor, wanted, needs = _editor(setup)
    specs, _ = usable_metrics(suite)
    is_gpu = setup.device != "cpu"
    samples = open_samples(suite, setup.data, setup.reading, recent=4 * suite.batch_size if is_gpu else 0)
    halving = Halving()
    return Workbench(
        method=setup.method,
        suite=suite,
        samples=samples,
        upload=_upload(setup, samples, editor),
        editor=editor,
        columns=[suite.attributes.index(name) for name in wanted],
        attributes=wanted,
        wants_truth="truth" in needs,
        judges=_patient(
            _judges({role: catalog().judge(suite.judges[role]) for role in judge_roles(specs)}, setup),
            halving,
        ),
        judge_dtype=getattr(torch, setup.judge_dtype),
        metrics={spec.name: (spec, spec.load()) for spec in specs},
        device=setup.device,
        halving=halving,
    )


def _upload(setup: Setup, samples: Samples, editor: Editor | Supplied) -> Upload | None:
    """The way of pictures to the method's device, unless they stay where they are."""
    keeps = setup.reading.cache == "device"
    if isinstance(editor, Supplied) or of_pictures(editor, setup.device) != setup.device:
        return None
    if not keeps and setup.device == "cpu":
        return None
    return Upload(samples, setup.device, to_unit(torch.arange(256, dtype=torch.uint8)), keeps=keeps)


def _judges(specs: Mapping[str, JudgeSpec], setup: Setup) -> dict[str, Judge | Above]:
    """Role -> judge; one that stands above another of these takes its answers."""
    roles = {spec.name: role for role, spec in specs.items()}
    how = (setup.device, setup.judge_dtype)
    return {
        role: Above(roles[spec.above], load_judge(spec, *how), spec.outputs)
        if spec.above in roles
        else build_judge(spec, *how)
        for role, spec in specs.items()
    }


def _patient(judges: Mapping[str, Judge | Above], halving: Halving) -> dict[str, Judge | Above]:
    """The same, asked again in halves where memory is out."""
    return {
        role: judge if isinstance(judge, Above) else Patient(role, judge, halving)
        for role, judge in judges.items()
    }


def _editor(setup: Setup) -> tuple[Editor | Supplied, tuple[str, ...], tuple[str, ...]]:
    """What gives the edited pictures, the attributes that it is told, and what it needs."""
    if setup.supplied is not None:
        return setup.supplied, setup.suite.attributes, ()
    choice = choose(
        setup.method, preset=setup.preset, weights=setup.weights, options=json.loads(setup.options)
    )
    wanted = choice.spec.attributes_for(choice.options) or setup.suite.attributes
    return build_editor(choice, setup.device, setup.compiles), wanted, choice.spec.needs


# ---- one shard ------------------------------------------------------------------------------------


@torch.inference_mode()
def evaluate_shard(setup: Setup, shard: Shard) -> ShardResult:
    """Edit the shard's samples and update every metric that applies."""
    bench = workbench(setup)
    edit = bench.suite.edits[shard.edit]
    listening = {name: pair for name, pair in bench.metrics.items() if applies(pair[0], edit)}
    states = {name: metric.empty() for name, (_, metric) in listening.items()}
    shown = range(shard.start, min(shard.stop, KEPT))
    kept: dict[int, np.ndarray] = {}
    explained: dict[str, dict[int, np.ndarray]] = {}
    unusable: Unusable = {}
    every: dict[str, np.ndarray] = {}
    begun = time.perf_counter()
    for start in range(shard.start, shard.stop, bench.suite.batch_size):
        positions = range(start, min(start + bench.suite.batch_size, shard.stop))
        faces, seen = _usable(bench, shard.edit, positions, unusable)
        if seen is None:
            continue
        for name, (_, metric) in listening.items():
            metric.update(states[name], seen)
        if setup.keeps:
            every |= {face.id: picture.numpy() for (_, face), picture in zip(faces, seen.edited, strict=True)}
        first = [face for face in faces if face[0] in shown]
        kept |= {position: seen.edited[i].numpy() for i, (position, _) in enumerate(first)}
        for name, pictures in _explained(bench, edit, first).items():
            rows = {position: pictures[i].numpy() for i, (position, _) in enumerate(first)}
            explained.setdefault(name, {}).update(rows)
    for state in states.values():
        state.shards = range(shard.number, shard.number + 1)
    size = bench.suite.resolution
    return ShardResult(
        number=shard.number,
        states={name: state.to_arrays() for name, state in states.items()},
        images=shard.stop - shard.start,
        seconds=time.perf_counter() - begun,
        pictures=_stacked(kept, shown, size),
        explained={name: _stacked(rows, shown, size) for name, rows in sorted(explained.items())},
        unusable=unusable,
        edited=every,
        most=dict(bench.halving.most),
    )


def _stacked(pictures: Mapping[int, np.ndarray], positions: range, size: int) -> np.ndarray:
    """(K, 3, H, W) uint8, white where there is none."""
    none = np.full((3, size, size), 255, np.uint8)
    return np.stack([pictures.get(i, none) for i in positions]) if positions else none[None][:0]


def _usable(
    bench: Workbench, edit_index: int, positions: range, unusable: Unusable
) -> tuple[list[Face], Observation | None]:
    """The batch's faces that can be edited, and what metrics see of them; the others go into `unusable`.

    The whole batch is tried first. Only if that fails each face is tried alone, so that no bit of a batch
    whose faces are all found depends on this.
    """
    faces = _faces(bench.samples, positions, unusable)
    edit = bench.suite.edits[edit_index]
    try:
        return faces, observe(bench, edit, edit_index, faces) if faces else None
    except NoFace as error:
        first = error
    usable = []
    for face in faces:
        try:
            _edited(bench, edit, [face])
            _rebuilt(bench, edit, [face])
            usable.append(face)
        except NoFace as error:
            unusable[face[0]] = (face[1].id, error.reason)
    if len(usable) == len(faces):
        raise BrokenPromise(
            f"{bench.method}, edit {edit.name!r}: found no face in a batch ({first}), and one in each of its "
            "pictures alone; what it finds must not depend on the other pictures"
        )
    return usable, observe(bench, edit, edit_index, usable) if usable else None


def _faces(samples: Samples, positions: range, unusable: Unusable) -> list[Face]:
    """The samples that the data set can give."""
    found: list[Face] = []
    for position in positions:
        try:
            found.append((position, samples[position]))
        except NoFace as error:
            unusable[position] = (error.picture or f"sample {position}", error.reason)
    return found


@dataclass(frozen=True)
class _Asked:
    """A batch as metrics see it, and as the method does."""

    batch: EditBatch  # columns of the suite, every label as it is
    told: EditBatch  # columns of the method, on its device
    source: Tensor  # (B, 3, H, W) uint8
    truth: Tensor | None  # (B, 3, H, W) uint8


def _asked(bench: Workbench, edit: Edit, faces: Sequence[Face]) -> _Asked:
    """What is asked of these faces."""
    suite, positions = bench.suite, [position for position, _ in faces]
    sources = [_labels(face.labels, suite) for _, face in faces]
    targets, edited = zip(
        *(target_labels(row, edit.flips, suite.attributes, suite.conflicts, edit.set) for row in sources),
        strict=True,
    )
    source = torch.from_numpy(np.stack([face.image for _, face in faces]))
    batch = EditBatch(
        images=to_unit(source),
        source=torch.tensor(sources, dtype=torch.float32),
        target=torch.tensor(targets, dtype=torch.float32),
        edited=torch.tensor(edited),
        strength=torch.full((len(faces),), edit.strength),
        seeds=torch.tensor([suite.seed * 1_000_003 + position for position in positions]),
        attributes=suite.attributes,
    )
    truth = _truth(bench, positions, targets)
    images = batch.images if bench.upload is None else bench.upload(positions, source)
    return _Asked(batch, _for_method(bench, batch, images, edit, truth), source, truth)


def _edited(bench: Workbench, edit: Edit, faces: Sequence[Face]) -> tuple[_Asked, Tensor]:
    """What was asked, and (B, 3, H, W) uint8 what the method made of it."""
    asked = _asked(bench, edit, faces)
    ids = [face.id for _, face in faces]
    if isinstance(bench.editor, Supplied):
        return asked, torch.from_numpy(bench.editor.given(edit.name, ids))
    result = bench.halving.edit(bench.editor, asked.told)
    check_promise(result, asked.told, method=bench.method, edit=edit.name, ids=ids)
    return asked, to_bytes(result).cpu()  # a quarter of what would travel before rounding


def _rebuilt(bench: Workbench, edit: Edit, faces: Sequence[Face]) -> Tensor | None:
    """(B, 3, H, W) uint8: the same faces reconstructed, if a metric compares this edit with that."""
    wanted = any(RECONSTRUCTION in spec.needs and applies(spec, edit) for spec, _ in bench.metrics.values())
    reconstruction = reconstruction_of(bench.suite)
    return _edited(bench, reconstruction, faces)[1] if wanted and reconstruction is not None else None


def observe(bench: Workbench, edit: Edit, edit_index: int, faces: Sequence[Face]) -> Observation:
    """What metrics see of these faces under an edit."""
    asked, edited = _edited(bench, edit, faces)
    regions = [face.regions for _, face in faces]
    points = [face.landmarks for _, face in faces]
    return Observation(
        batch=asked.batch,
        samples=torch.tensor([position for position, _ in faces]),
        edit=edit,
        edit_index=edit_index,
        source=asked.source,
        edited=edited,
        truth=asked.truth,
        regions=None if regions[0] is None else torch.from_numpy(np.stack(regions)),  # type: ignore[arg-type]
        judges=bench.judges,
        device=bench.device,
        dtype=bench.judge_dtype,
        landmarks=None if points[0] is None else torch.from_numpy(np.stack(points)),  # type: ignore[arg-type]
        remembered=bench.remembered,
        reconstruction=_rebuilt(bench, edit, faces),
    )


def _explained(bench: Workbench, edit: Edit, faces: Sequence[Face]) -> dict[str, Tensor]:
    """What the method shows of how it edits these faces, by name: (B, 3, H, W) uint8; {} if it cannot."""
    explain = getattr(bench.editor, "explain", None)
    why_not: str = getattr(bench.editor, "unexplained", "")
    if explain is None or why_not or not faces:
        return {}
    told = _asked(bench, edit, faces).told
    return check_explanation(explain(told), told, f"{bench.method}, edit {edit.name!r}")


def _labels(labels: np.ndarray, suite: Suite) -> list[int]:
    """Labels in the suite's order; zeros where there are none, and no metric that needs them runs."""
    if len(labels) not in (0, len(suite.attributes)):
        raise BadDataset(f"wanted {len(suite.attributes)} labels per face, found {len(labels)}")
    return [int(value) for value in labels] or [0] * len(suite.attributes)


def _truth(bench: Workbench, positions: Sequence[int], targets: Sequence[Sequence[int]]) -> Tensor | None:
    give = getattr(bench.samples, "truth", None)
    if give is None:
        return None
    return torch.from_numpy(np.stack([give(i, target) for i, target in zip(positions, targets, strict=True)]))


def _for_method(
    bench: Workbench, batch: EditBatch, images: Tensor, edit: Edit, truth: Tensor | None
) -> EditBatch:
    """The same batch on the method's device, with its columns in its order.

    Of an attribute that is set, it is told that the face has the opposite now, so that every face is asked
    for the whole change, whatever its label.
    """
    place = bench.device
    taken = torch.tensor([name in edit.set for name in batch.attributes])  # (A,)
    source = torch.where(taken, 1 - batch.target, batch.source) if edit.set else batch.source
    return EditBatch(
        images=images.to(of_pictures(bench.editor, place)),
        source=source[:, bench.columns].to(place),
        target=batch.target[:, bench.columns].to(place),
        edited=batch.edited[:, bench.columns].to(place),
        strength=batch.strength.to(place),
        seeds=batch.seeds.to(place),
        attributes=bench.attributes,
        truth=to_unit(truth).to(place) if bench.wants_truth and truth is not None else None,
    )


# ---- all shards -----------------------------------------------------------------------------------


def restore_state(metric: Metric, arrays: Mapping[str, np.ndarray]) -> Any:
    """A state from what `to_arrays` gave; Rows leave long rows where they lie, for others they are read."""
    kind = type(metric.empty())
    if kind is Rows:
        return Rows.from_arrays(arrays)
    return kind.from_arrays({name: np.asarray(array) for name, array in arrays.items()})


def fold(states: Sequence[Any]) -> Any:
    """Merge left to right in shard order; a state refuses a neighbour that does not follow."""
    ordered = sorted(states, key=lambda state: state.shards.start)
    return functools.reduce(lambda earlier, later: earlier.merge(later), ordered)
