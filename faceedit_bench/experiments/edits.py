"""Every training picture x as G(x, 0) and G(x, 1): an attribute switched off and on, whatever it is now.

One of the two is the edit that a suite calls a flip, with the suite's conflict rule; the other asks for what
is there already and gives almost x back (SaGAN's experiment includes it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..contracts import EditBatch, Editor, Sample, Samples
from ..errors import BadConfig, BrokenPromise, NoFace, UnknownName
from ..observe import to_bytes, to_unit
from ..promise import check_promise
from ..suite import target_labels

if TYPE_CHECKING:
    from ..contracts import DatasetSpec
    from ..weights import Choice

BATCH = 20  # pictures edited at once; part of the numerics
VALUES = (0, 1)


@dataclass(frozen=True)
class Editing:
    """A loaded method and how it is asked."""

    method: str
    editor: Editor
    attributes: tuple[str, ...]  # what the method is told, in its order
    known: tuple[str, ...]  # label columns of the data set
    conflicts: str
    wants_truth: bool
    seed: int
    device: str

    def ask(
        self, samples: Samples, positions: Sequence[int], faces: Sequence[Sample], name: str, value: int
    ) -> EditBatch:
        """These faces, to be edited so that attribute `name` is `value`."""
        labels = [[int(label) for label in face.labels] for face in faces]
        column = self.known.index(name)
        targets = [
            target_labels(row, () if row[column] == value else (name,), self.known, self.conflicts)[0]
            for row in labels
        ]
        columns = [self.known.index(attribute) for attribute in self.attributes]
        asked = [[attribute == name for attribute in self.attributes]] * len(faces)
        return EditBatch(
            images=to_unit(stacked(faces)).to(self.device),
            source=torch.tensor(labels, dtype=torch.float32)[:, columns].to(self.device),
            target=torch.tensor(targets, dtype=torch.float32)[:, columns].to(self.device),
            edited=torch.tensor(asked).to(self.device),
            strength=torch.ones(len(faces), device=self.device),
            seeds=torch.tensor([self.seed * 1_000_003 + place for place in positions], device=self.device),
            attributes=self.attributes,
            truth=self._truth(samples, positions, targets) if self.wants_truth else None,
        )

    def _truth(self, samples: Samples, positions: Sequence[int], targets: Sequence[Sequence[int]]) -> Tensor:
        pictures = [
            samples.truth(place, target)  # type: ignore[attr-defined]
            for place, target in zip(positions, targets, strict=True)
        ]
        return to_unit(torch.from_numpy(np.stack(pictures))).to(self.device)


def check(
    choice: Choice, spec: DatasetSpec, known: Sequence[str], attributes: Sequence[str]
) -> tuple[str, ...]:
    """What the method is to be told, in its order. What the labels `known` lack is refused."""
    name = f"{choice.spec.name} ({choice.preset})"
    wanted = choice.spec.attributes_for(choice.options) or tuple(known)
    if "labels" not in spec.provides or not known:
        raise BadConfig(
            f"data set {spec.name!r} has no labels; an edit to a value wants to know what the face has now"
        )
    if "truth" in choice.spec.needs and "truth" not in spec.provides:
        raise BadConfig(f"{name} needs the exact counterfactual, which data set {spec.name!r} lacks")
    for attribute in attributes:
        if attribute not in wanted:
            raise UnknownName(f"attribute of {name}", attribute, wanted, "; choose with --attribute")
    if lacking := [attribute for attribute in wanted if attribute not in known]:
        raise BadConfig(f"{name} is told {', '.join(lacking)}, which data set {spec.name!r} does not label")
    return wanted


@torch.inference_mode()
def versions(
    editing: Editing, samples: Samples, positions: Sequence[int], attributes: Sequence[str], size: int
) -> tuple[np.ndarray, list[Sample], dict[str, str]]:
    """(n, 1 + 2A, 3, size, size) uint8: the pictures as they are, then both values of each attribute.

    With the samples, and the ids of those in which the method found no face, each with the reason; in place
    of their edits stands the picture as it is.
    """
    parts, all_faces = [], []
    without: dict[str, str] = {}
    for start in range(0, len(positions), BATCH):
        places = positions[start : start + BATCH]
        faces = [samples[place] for place in places]
        made = [stacked(faces)]
        for name in attributes:
            made += [edited(editing, samples, places, faces, name, value, without) for value in VALUES]
        parts.append(np.stack([shrunk(each, size).numpy() for each in made], axis=1))
        all_faces += faces
    return np.concatenate(parts), all_faces, without


def edited(
    editing: Editing,
    samples: Samples,
    places: Sequence[int],
    faces: Sequence[Sample],
    name: str,
    value: int,
    without: dict[str, str],
) -> Tensor:
    """(B, 3, H, W) uint8. The whole batch is tried first; each picture alone only if a face is not found."""
    try:
        return _edited(editing, samples, places, faces, name, value)
    except NoFace as error:
        first = error
    results, missed = [], 0
    for place, face in zip(places, faces, strict=True):
        try:
            results.append(_edited(editing, samples, [place], [face], name, value))
        except NoFace as error:
            without[face.id] = error.reason
            results.append(stacked([face]))
            missed += 1
    if not missed:
        raise BrokenPromise(
            f"{editing.method}, {name}={value}: found no face in a batch ({first}), and one in each of its "
            "pictures alone; what it finds must not depend on the other pictures"
        )
    return torch.cat(results)


def _edited(
    editing: Editing,
    samples: Samples,
    places: Sequence[int],
    faces: Sequence[Sample],
    name: str,
    value: int,
) -> Tensor:
    batch = editing.ask(samples, places, faces, name, value)
    result = editing.editor.edit(batch)
    ids = [face.id for face in faces]
    check_promise(result, batch, method=editing.method, edit=f"{name}={value}", ids=ids)
    return to_bytes(result.cpu())


def stacked(faces: Sequence[Sample]) -> Tensor:
    """(B, 3, H, W) uint8."""
    return torch.from_numpy(np.stack([face.image for face in faces]))


def shrunk(images: Tensor, size: int) -> Tensor:
    """(B, 3, H, W) uint8 as the recogniser sees them: (B, 3, size, size), antialiased bilinear."""
    if images.shape[2:] == (size, size):
        return images
    return to_bytes(F.interpolate(to_unit(images), (size, size), mode="bilinear", antialias=True))
