"""Scores of single pictures, measured again by the pinned judges and compared with the rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from .. import asking, evaluate
from ..catalog import catalog
from ..contracts import RECONSTRUCTION, SECOND, Metric, MetricSpec
from ..data.images import read_image
from ..device import choose
from ..observe import Observation
from ..runs import judges_of
from .faults import Fault, shortened
from .inputs import Faces
from .layout import SOURCE
from .pictures import Unpacked
from .record import Claim

NEAR = {True: 1e-3, False: 1e-6}  # of a value, or absolutely below 1: with a judge, whose last digits depend
# on device and batch, and without
NUDGE = 1e-3  # of a probability: a decision this close to one half may fall either way on another machine


class Nudged:
    """An observation whose attributes judge is a little surer, or less sure, of everything."""

    def __init__(self, seen: Observation, by: float) -> None:
        self.seen, self.by = seen, by

    def judge(self, role: str, image: str = "edited", points: str = "") -> Tensor:
        found = self.seen.judge(role, image, points)
        return (found + self.by).clamp(0, 1) if role.removesuffix(SECOND) == "attributes" else found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.seen, name)


@dataclass(frozen=True)
class Remeasured:
    """What the pictures give, against what the rows say."""

    equal: int  # scores of single pictures
    faults: tuple[Fault, ...]


def setup_of(claim: Claim, data: str | None, device: str, unpacked: Unpacked) -> evaluate.Setup:
    """An engine that scores these pictures by every metric that has a score for one, of itself alone: a
    bundle has not the reconstruction of every face that it has an edit of."""
    names = tuple(
        name
        for name in claim.suite.metrics
        if name in claim.identity.metrics
        and hasattr((spec := catalog().metric(name)).load(), "per_sample")
        and RECONSTRUCTION not in spec.needs
    )
    return evaluate.Setup(
        method=claim.identity.method.name,
        suite=dataclasses.replace(claim.suite, metrics=names),
        data=None if data is None else str(Path(data).resolve()),
        device=choose(device),
        supplied=unpacked,
    )


@torch.inference_mode()
def remeasure(setup: evaluate.Setup, faces: Faces, unpacked: Unpacked, rows: pd.DataFrame) -> Remeasured:
    """Every score of every picture, edit by edit."""
    asking.check(judges_of(setup.suite).values(), setup.device)
    bench = evaluate.workbench(setup)
    by_picture = rows.set_index(["edit", "sample"])
    equal = 0
    faults: list[Fault] = []
    for index, edit in enumerate(setup.suite.edits):
        names = [
            face
            for name, face in unpacked.places
            if name == edit.name and face in faces.positions and (SOURCE, face) in unpacked.places
        ]
        if not names:
            continue
        seen = evaluate.observe(bench, edit, index, [_face(faces, face, unpacked) for face in names])
        for spec, metric in bench.metrics.values():
            if evaluate.applies(spec, edit) and (faces.same or not {"truth", "regions"} & set(spec.needs)):
                told = by_picture.loc[[(edit.name, face) for face in names]]
                differing = _differing(spec, metric, seen, told)
                faults += differing.faults
                equal += differing.equal
    return Remeasured(equal, tuple(faults))


def _face(faces: Faces, face: str, unpacked: Unpacked) -> evaluate.Face:
    """The suite's face with the picture that was edited: drawn elsewhere it may be a grey level off."""
    position = faces.positions[face]
    picture = read_image(unpacked.place(SOURCE, face))
    return position, dataclasses.replace(faces.samples[position], image=picture)


def _differing(spec: MetricSpec, metric: Metric, seen: Observation, told: pd.DataFrame) -> Remeasured:
    """One metric on the pictures of one edit, whose rows are `told`."""
    plain = _scores(metric, seen)
    near = {key: _near(values, told, key, spec) for key, values in plain.items() if key in told}
    if not all(same.all() for same in near.values()):
        for by in (NUDGE, -NUDGE):
            nudged = _scores(metric, Nudged(seen, by))
            near = {key: same | _near(nudged[key], told, key, spec) for key, same in near.items()}
    faults = [
        Fault("rows", key, "a column, as pictures have this score", "none")
        for key in plain
        if key not in told
    ]
    for key, same in near.items():
        faults += [_fault(key, told, row, float(plain[key][row])) for row in np.flatnonzero(~same).tolist()]
    return Remeasured(int(sum(same.sum() for same in near.values())), tuple(faults))


def _scores(metric: Any, seen: Any) -> Mapping[str, np.ndarray]:
    state = metric.empty()
    metric.update(state, seen)
    return metric.per_sample(state)


def _near(values: np.ndarray, told: pd.DataFrame, key: str, spec: MetricSpec) -> np.ndarray:
    """(N,) bool; NaN, undefined, equals itself only."""
    near = NEAR[bool(spec.judges)]
    return np.isclose(values, told[key].to_numpy(np.float64), rtol=near, atol=near, equal_nan=True)


def _fault(key: str, told: pd.DataFrame, row: int, value: float) -> Fault:
    edit, face = told.index[row]
    what = shortened(f"{key} of {edit}, face {face}")
    found = float(told[key].iloc[row])
    return Fault(
        "scores of pictures", what, f"{value:.6g}, which its picture gives", f"{found:.6g} in its row"
    )
