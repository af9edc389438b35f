"""What a suite asks of its data: refused, all at once, where the data lack it; label columns in its order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

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
    """Some label columns of a data set, in another order (contracts.Samples)."""

    def __init__(self, samples: Samples, attributes: tuple[str, ...]) -> None:
        self.samples, self.attributes = samples, attributes
        self.columns = [tuple(samples.attributes).index(name) for name in attributes]
        if hasattr(samples, "truth"):
            self.truth = self._truth

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        return dataclasses.replace(sample, labels=sample.labels[self.columns])

    def digest(self) -> str:
        """That of the data set: the suite says which columns are taken."""
        return self.samples.digest()

    def _truth(self, index: int, target: Sequence[int]) -> np.ndarray:
        """(3, H, W) uint8: labels that the suite does not list stay as they are."""
        labels = np.array(self.samples[index].labels)
        labels[self.columns] = target
        picture: np.ndarray = self.samples.truth(index, labels.tolist())  # type: ignore[attr-defined]
        return picture


def _attributes(suite: Suite, known: Sequence[str]) -> list[str]:
    lacking = [name for name in suite.attributes if name not in known]
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
