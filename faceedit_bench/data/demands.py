"""What a suite asks of its data: refused, all at once, where the data lack it; label columns in its order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ..catalog import catalog
from ..contracts import DatasetSpec, MetricSpec, Sample, Samples
from ..errors import BadDataset
from ..suite import Suite


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
    _refuse(suite, faults)


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
