"""`faceedit-bench train-judge attributes`: the attributes judge of photographs, from a data set of yours."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..catalog import catalog
from ..errors import BadConfig, BadDataset
from .output import note

if TYPE_CHECKING:
    from torch import nn

    from ..contracts import Samples
    from ..judges.attribute_training import Settings

SIZE = 178  # pixels at which training faces are read: CelebA's own
RENDERINGS = (128, 256)  # pixels at which test faces are measured


@dataclasses.dataclass(frozen=True)
class Data:
    """What to train and to measure on."""

    names: tuple[str, ...]  # data sets: crops of the same faces
    root: Path | None
    train_split: str = "train"
    test_split: str = "test"
    limit: int = 0  # faces of each split; 0 all
    left_out: Path | None = None  # ids that are not trained on, one a line


def train_attributes(data: Data, settings: Settings, start: Path | None, out: Path) -> dict[str, Any]:
    """Train, measure, write weights and card; the card comes back."""
    from ..contracts import View
    from ..judges import attribute_training as training
    from ..judges.photographs import IMAGENET
    from ..judges.recipe import write

    view = View(224, "torch-bilinear-aa", *IMAGENET)
    faces = training.Faces(
        _open(data, data.train_split, SIZE), seed=settings.seed, left_out=_ids(data.left_out)
    )
    tests = {side: _open(data, data.test_split, side)[0] for side in RENDERINGS}  # a fault is told beforehand
    measured = len(tests[RENDERINGS[0]])
    note(f"{len(faces)} faces to train on, {faces.left_out} left out, {measured} to measure on")
    network, took = training.train(
        faces, settings, view, start=lambda backbone: _fill(backbone, start), say=note
    )
    gates = {}
    for side, test in tests.items():
        gates[f"at {side} px"] = training.gates(*training.answers(network, test, view, settings))
    first = faces.crops[0]
    told = {
        **took,
        "settings": dataclasses.asdict(settings),
        "data": {"names": list(data.names), "split": data.train_split, "digest": first.digest()},
        "left_out": faces.left_out,
        "backbone_weights": start.name if start else None,
    }
    origin = f"faceedit-bench train-judge attributes --data {data.names[0]} --backbone {settings.backbone}"
    name = f"attributes-{settings.backbone}"
    licence = f"as the terms of {', '.join(data.names)} say"
    return write(name, network, out, origin=origin, gates=gates, training=told, licence=licence)


def _open(data: Data, split: str, size: int) -> list[Samples]:
    """The split of every data set that is named."""
    opened = []
    for name in data.names:
        spec = catalog().dataset(name)
        if "labels" not in spec.provides:
            raise BadDataset(f"data set {name!r} has no labels; an attributes judge learns from them")
        if split not in spec.splits:
            raise BadConfig(f"data set {name!r} has no split {split!r}; it has {', '.join(spec.splits)}")
        opened.append(spec.open(data.root, split, size, data.limit))
    return opened


def _ids(path: Path | None) -> Sequence[str]:
    if path is None:
        return ()
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"--leave-out {path}: cannot be read ({error}); wanted one id a line") from None


def _fill(backbone: nn.Module, path: Path | None) -> None:
    """Weights of the backbone from a file of timm's or torchvision's names; its classifier is not used."""
    if path is None:
        return
    from ..foreign import read
    from ..weights import fill

    heads = ("fc.", "classifier.", "head.fc.")
    found = {name: value for name, value in read(path).tensors.items() if not name.startswith(heads)}
    fill(backbone, found, str(path), shown=10)
