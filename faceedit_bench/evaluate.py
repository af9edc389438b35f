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
from .contracts import EditBatch, Editor, Metric, MetricSpec, Samples
from .errors import BadConfig, BadDataset, BrokenPromise
from .observe import Judge, Observation, to_bytes, to_unit
from .suite import Edit, Shard, Suite, target_labels
from .weights import build_editor, build_judge, choose

KEPT = 8  # samples whose pictures are kept for the sheet and reports
RANGE_SLACK = 1e-3  # a method may leave [-1, 1] by rounding, not more


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


@dataclass(frozen=True)
class ShardResult:
    """What one shard gives back."""

    number: int
    states: dict[str, dict[str, np.ndarray]]  # metric -> arrays of its state
    images: int
    seconds: float
    pictures: (
        np.ndarray
    )  # (K, 3, H, W) uint8: the edits of the suite's first KEPT samples that are in this shard


@dataclass
class Workbench:
    """Data set, editor, judges and metrics of one worker, built once."""

    method: str
    suite: Suite
    samples: Samples
    editor: Editor
    columns: list[int]  # suite columns in the method's order
    attributes: tuple[str, ...]  # the method's
    wants_truth: bool
    judges: dict[str, Judge]
    metrics: dict[str, tuple[MetricSpec, Metric]]
    device: str
    remembered: dict[tuple[str, int], Tensor] = field(default_factory=dict)


# ---- building -------------------------------------------------------------------------------------


def open_samples(suite: Suite, data: str | None) -> Samples:
    """The suite's faces."""
    spec = catalog().dataset(suite.dataset)
    return spec.open(Path(data) if data else None, suite.split, suite.resolution, suite.count)


def applies(spec: MetricSpec, edit: Edit) -> bool:
    """Whether a metric is defined for an edit."""
    return spec.on == "every" or (spec.on == "reconstruction") == edit.is_reconstruction


def usable_metrics(suite: Suite) -> tuple[list[MetricSpec], dict[str, str]]:
    """The suite's metrics that its data can feed, and why the others are absent."""
    dataset = catalog().dataset(suite.dataset)
    usable, absent = [], {}
    for name in suite.metrics:
        spec = catalog().metric(name)
        lacking = [need for need in spec.needs if need not in dataset.provides]
        roles = [role for role in spec.judges if role not in suite.judges]
        if lacking:
            absent[name] = f"needs {', '.join(lacking)}, which data set {dataset.name!r} does not have"
        elif roles:
            raise BadConfig(
                f"suite {suite.name!r}: metric {name!r} needs a judge for {', '.join(roles)} in [judges]"
            )
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
    choice = choose(
        setup.method, preset=setup.preset, weights=setup.weights, options=json.loads(setup.options)
    )
    wanted = choice.spec.attributes_for(choice.options) or suite.attributes
    specs, _ = usable_metrics(suite)
    return Workbench(
        method=setup.method,
        suite=suite,
        samples=open_samples(suite, setup.data),
        editor=build_editor(choice, setup.device, setup.compiles),
        columns=[suite.attributes.index(name) for name in wanted],
        attributes=wanted,
        wants_truth="truth" in choice.spec.needs,
        judges={
            role: build_judge(catalog().judge(suite.judges[role]), setup.device)
            for role in judge_roles(specs)
        },
        metrics={spec.name: (spec, spec.load()) for spec in specs},
        device=setup.device,
    )


# ---- one shard ------------------------------------------------------------------------------------


@torch.inference_mode()
def evaluate_shard(setup: Setup, shard: Shard) -> ShardResult:
    """Edit the shard's samples and update every metric that applies."""
    bench = workbench(setup)
    edit = bench.suite.edits[shard.edit]
    listening = {name: pair for name, pair in bench.metrics.items() if applies(pair[0], edit)}
    states = {name: metric.empty() for name, (_, metric) in listening.items()}
    kept: list[np.ndarray] = []
    begun = time.perf_counter()
    for start in range(shard.start, shard.stop, bench.suite.batch_size):
        positions = range(start, min(start + bench.suite.batch_size, shard.stop))
        seen = _observe(bench, shard.edit, positions)
        for name, (_, metric) in listening.items():
            metric.update(states[name], seen)
        kept += [seen.edited[i].numpy() for i, position in enumerate(positions) if position < KEPT]
    for state in states.values():
        state.shards = range(shard.number, shard.number + 1)
    size = bench.suite.resolution
    return ShardResult(
        number=shard.number,
        states={name: state.to_arrays() for name, state in states.items()},
        images=shard.stop - shard.start,
        seconds=time.perf_counter() - begun,
        pictures=np.stack(kept) if kept else np.zeros((0, 3, size, size), np.uint8),
    )


def _observe(bench: Workbench, edit_index: int, positions: range) -> Observation:
    edit = bench.suite.edits[edit_index]
    faces = [bench.samples[i] for i in positions]
    sources = [_labels(face.labels, bench.suite) for face in faces]
    targets, edited = zip(
        *(target_labels(row, edit.flips, bench.suite.attributes, bench.suite.conflicts) for row in sources),
        strict=True,
    )
    source = torch.from_numpy(np.stack([face.image for face in faces]))
    truth = _truth(bench, positions, targets)
    batch = EditBatch(
        images=to_unit(source),
        source=torch.tensor(sources, dtype=torch.float32),
        target=torch.tensor(targets, dtype=torch.float32),
        edited=torch.tensor(edited),
        strength=torch.full((len(faces),), edit.strength),
        seeds=torch.tensor([bench.suite.seed * 1_000_003 + position for position in positions]),
        attributes=bench.suite.attributes,
    )
    asked = _for_method(bench, batch, truth)
    result = bench.editor.edit(asked)
    check_promise(result, asked, method=bench.method, edit=edit.name, ids=[face.id for face in faces])
    regions = [face.regions for face in faces]
    return Observation(
        batch=batch,
        samples=torch.tensor(positions),
        edit=edit,
        edit_index=edit_index,
        source=source,
        edited=to_bytes(result.cpu()),
        truth=truth,
        regions=None if regions[0] is None else torch.from_numpy(np.stack(regions)),  # type: ignore[arg-type]
        judges=bench.judges,
        remembered=bench.remembered,
    )


def _labels(labels: np.ndarray, suite: Suite) -> list[int]:
    """Labels in the suite's order; zeros where there are none, and no metric that needs them runs."""
    if len(labels) not in (0, len(suite.attributes)):
        raise BadDataset(f"wanted {len(suite.attributes)} labels per face, found {len(labels)}")
    return [int(value) for value in labels] or [0] * len(suite.attributes)


def _truth(bench: Workbench, positions: range, targets: Sequence[Sequence[int]]) -> Tensor | None:
    give = getattr(bench.samples, "truth", None)
    if give is None:
        return None
    return torch.from_numpy(np.stack([give(i, target) for i, target in zip(positions, targets, strict=True)]))


def _for_method(bench: Workbench, batch: EditBatch, truth: Tensor | None) -> EditBatch:
    """The same batch on the method's device, with its columns in its order."""
    place = bench.device
    return EditBatch(
        images=batch.images.to(place),
        source=batch.source[:, bench.columns].to(place),
        target=batch.target[:, bench.columns].to(place),
        edited=batch.edited[:, bench.columns].to(place),
        strength=batch.strength.to(place),
        seeds=batch.seeds.to(place),
        attributes=bench.attributes,
        truth=to_unit(truth).to(place) if bench.wants_truth and truth is not None else None,
    )


def check_promise(result: Any, asked: EditBatch, *, method: str, edit: str, ids: Sequence[str]) -> None:
    """Same shape, dtype, device and range, and numbers; otherwise BrokenPromise: which sample, which edit."""
    name, where = method, f"edit {edit!r}"
    if not isinstance(result, Tensor):
        raise BrokenPromise(f"{name}, {where}: wanted a tensor, found {type(result).__name__}")
    wanted = asked.images
    if result.shape != wanted.shape:
        raise BrokenPromise(
            f"{name}, {where}: returned {tuple(result.shape)}; must keep {tuple(wanted.shape)}"
        )
    if (result.dtype, result.device) != (wanted.dtype, wanted.device):
        raise BrokenPromise(
            f"{name}, {where}: returned {result.dtype} on {result.device}; "
            f"must keep {wanted.dtype} on {wanted.device}"
        )
    rows = result.reshape(len(ids), -1)
    for bad, what in (
        (~rows.isfinite().all(1), "returned NaN or infinity"),
        (rows.abs().amax(1) > 1 + RANGE_SLACK, f"left the range [-1, 1] (up to {rows.abs().max():.3g})"),
    ):
        if bad.any():
            first = ids[int(bad.nonzero()[0])]
            raise BrokenPromise(
                f"{name}, {where}, sample {first!r}: {what} ({int(bad.sum())} of {len(ids)} samples)"
            )


# ---- all shards -----------------------------------------------------------------------------------


def restore_state(metric: Metric, arrays: Mapping[str, np.ndarray]) -> Any:
    """A state from what `to_arrays` gave."""
    return type(metric.empty()).from_arrays(dict(arrays))


def fold(states: Sequence[Any]) -> Any:
    """Merge left to right in shard order; a state refuses a neighbour that does not follow."""
    ordered = sorted(states, key=lambda state: state.shards.start)
    return functools.reduce(lambda earlier, later: earlier.merge(later), ordered)
