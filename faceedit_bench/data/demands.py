"""What a suite asks of its data: refused, all at once, where the data lack it; label columns in its order."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from ..catalog import catalog
from ..contracts import LANDMARKS, DatasetSpec, MetricSpec, Sample, Samples
from ..errors import BadDataset
from ..suite import Suite
from .index import first_named


def check(suite: Suite, data: DatasetSpec, metrics: Sequence[MetricSpec]) -> None:
    """Refuse a suite that asks for splits, attributes, labels, truth or regions that its data lack.

    `metrics` are those of the suite that one of its edits is for.
    """
    faults = []
    if suite.split not in data.splits:
        faults.append(f"split {suite.split!r}; it has {', '.join(data.splits)}")
    if "labels" in data.provides and data.attributes:
        faults += _attributes(suite, data.attributes)
    if "labels" not in data.provides and any(edit.flips for edit in suite.edits):
        flipped = [edit.name for edit in suite.edits if edit.flips]
        faults.append(f"labels, which edits {', '.join(flipped)} reverse")
    for need in ("labels", "truth", "regions"):
        asking = [spec.name for spec in metrics if need in spec.needs]
        if asking and need not in data.provides:
            faults.append(f"{need}, which {', '.join(asking)} need")
    if "landmarks" not in data.provides:
        faults += [f"five points of every face, {why}" for why in aligning(suite, metrics)]
    _refuse(suite, faults)


def aligning(suite: Suite, metrics: Sequence[MetricSpec]) -> list[str]:
    """The judges of these metrics that align faces by the data's points, and in which role."""
    by_data = [spec for spec in metrics if LANDMARKS not in spec.judges]
    roles = sorted({role for spec in by_data for role in spec.judges if role in suite.judges})
    asked = {role: catalog().judge(suite.judges[role]) for role in roles}
    return [f"which judge {judge.name} ({role}) wants" for role, judge in asked.items() if judge.view.aligns]


def check_landmarks(suite: Suite, samples: Samples, metrics: Sequence[MetricSpec]) -> None:
    """Refuse a suite whose judges align faces, where these faces come without the list of their points, or
    the points of one cannot place it."""
    asking = aligning(suite, metrics)
    points = getattr(samples, "landmarks", None)
    if asking and points is None:
        raise BadDataset(
            f"suite {suite.name!r} asks {suite.dataset!r} for five points of every face, "
            f"{', '.join(asking)}: the list of them is not there. Put it beside the labels "
            f"(faceedit-bench data where {suite.dataset}), and pack again what was packed without it; or "
            "choose judges without -aligned"
        )
    if asking and points is not None:
        sound = np.isfinite(points).all(axis=(1, 2)) & (points != points[:, :1]).any(axis=(1, 2))
        _refuse_points(suite, asking, [samples[int(row)].id for row in np.flatnonzero(~sound)])


def _refuse_points(suite: Suite, asking: Sequence[str], faces: Sequence[str]) -> None:
    if faces:
        raise BadDataset(
            f"suite {suite.name!r}: {len(faces)} faces of {suite.dataset!r} have five points that all lie in "
            f"one place, or are no numbers, {', '.join(asking)}; mend their points, or choose judges without "
            f"-aligned:\n  {first_named(faces)}"
        )


def landmarks_used(suite: Suite, samples: Samples, metrics: Sequence[MetricSpec]) -> dict[str, str]:
    """For a run's identity: sha256 of the points of all faces, where scores depend on them."""
    if not aligning(suite, metrics):
        return {}
    points = np.ascontiguousarray(samples.landmarks, np.float32)  # type: ignore[attr-defined]
    return {"landmarks": hashlib.sha256(points.data).hexdigest()}


def matched(samples: Samples, suite: Suite) -> Samples:
    """The faces with the suite's attributes as label columns; as they are where they have no labels."""
    if not samples.attributes or tuple(samples.attributes) == suite.attributes:
        return samples
    _refuse(suite, _attributes(suite, samples.attributes))
    return Columns(samples, suite.attributes)


class Columns:
    """Some label columns of a data set, in another order (contracts.Samples).

    Of attributes that it has no labels of, a column of zeros, which nothing reads: see `without_labels`.
    """

    def __init__(self, samples: Samples, attributes: tuple[str, ...]) -> None:
        self.samples, self.attributes = samples, attributes
        known = tuple(samples.attributes)
        self.columns = [known.index(name) if name in known else len(known) for name in attributes]
        if hasattr(samples, "truth"):
            self.truth = self._truth
        if hasattr(samples, "ids"):
            self.ids = samples.ids

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        return dataclasses.replace(sample, labels=np.append(sample.labels, np.uint8(0))[self.columns])

    @property
    def landmarks(self) -> np.ndarray | None:
        """(N, 5, 2) float32, None where they are not known."""
        return getattr(self.samples, "landmarks", None)

    def digest(self) -> str:
        """That of the data set: the suite says which columns are taken."""
        return self.samples.digest()

    def _truth(self, index: int, target: Sequence[int]) -> np.ndarray:
        """(3, H, W) uint8: labels that the suite does not list stay as they are."""
        labels = np.append(self.samples[index].labels, np.uint8(0))
        labels[self.columns] = target
        picture: np.ndarray = self.samples.truth(index, labels[:-1].tolist())  # type: ignore[attr-defined]
        return picture


def without_labels(suite: Suite, known: Sequence[str]) -> list[str]:
    """The suite's attributes that may do without labels: edits set them in every face, and no metric of the
    suite looks at labels or at a truth that follows from them. GradStyle's pose is one."""
    if any({"labels", "truth"} & {*catalog().metric(name).needs} for name in suite.metrics):
        return []
    reversed_ = {name for edit in suite.edits for name in edit.flips}
    only_set = {name for edit in suite.edits for name in edit.set} - reversed_
    return [name for name in suite.attributes if name in only_set and name not in known]


def _attributes(suite: Suite, known: Sequence[str]) -> list[str]:
    allowed = [*known, *without_labels(suite, known)]
    lacking = [name for name in suite.attributes if name not in allowed]
    if not lacking:
        return []
    return [f"attributes {', '.join(lacking)}; it has {', '.join(known) or 'none'}"]


def _refuse(suite: Suite, faults: Sequence[str]) -> None:
    if faults:
        listed = "\n  ".join(faults)
        raise BadDataset(
            f"suite {suite.name!r} asks for what data set {suite.dataset!r} does not have; take it out of "
            f"the suite, or choose other data. Lacking:\n  {listed}"
        )
