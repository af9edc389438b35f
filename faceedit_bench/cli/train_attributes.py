"""`faceedit-bench train-judge attributes`: the attributes judge of photographs, from a data set of yours."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import folders
from ..catalog import catalog
from ..contracts import Pin
from ..errors import BadConfig, BadDataset
from ..weights import check, sha256
from .output import note
from .table import fitted, table

if TYPE_CHECKING:
    from torch import nn

    from ..contracts import Samples, View
    from ..judges.attribute_gates import Rendering
    from ..judges.attribute_training import Faces, Settings

SIZE = 178  # pixels at which training faces are read: CelebA's own
FIRST, FURTHER = 128, (256, 768)  # pixels of test faces: of every crop, and of the first crop


@dataclasses.dataclass(frozen=True)
class Data:
    """What to train and to measure on."""

    names: tuple[str, ...]  # data sets: crops of the same faces
    root: Path | None
    train_split: str = "train"
    test_split: str = "test"
    limit: int = 0  # faces of each split; 0 all
    left_out: Path | None = None  # ids that are not trained on, one a line
    left_out_hq: Path | None = None  # CelebA-HQ's mapping: originals of its test faces are not trained on
    left_out_people: Path | None = None  # CelebA's list of people: nor others of the same people


class Folder:
    """Where an unfinished training waits (judges.attribute_training.Kept); another training is refused."""

    def __init__(self, place: Path, identity: dict[str, Any]) -> None:
        self.place, self.identity = place, json.dumps(identity, sort_keys=True)
        folders.make(place)

    def load(self) -> dict[str, Any] | None:
        from ..train import checkpoint

        content = checkpoint.load(self.place)
        if content is not None:
            checkpoint.check_identity(self.place, content["identity"], self.identity)
        return content

    def save(self, content: dict[str, Any]) -> None:
        from ..train import checkpoint

        checkpoint.save(self.place, {"identity": self.identity, **content})


def train_attributes(
    data: Data, settings: Settings, start: Path | None, second: Path | None, out: Path
) -> dict[str, Any]:
    """Train, measure, write weights and card; the card comes back."""
    from ..contracts import View
    from ..judges import attribute_training as training
    from ..judges.attribute_gates import verdicts
    from ..judges.photographs import IMAGENET
    from ..judges.recipe import write

    view = View(224, "torch-bilinear-aa", *IMAGENET)
    other = _second(second, settings.backbone) if second else None
    faces = training.Faces(_open(data, data.train_split, SIZE), seed=settings.seed, left_out=_left_out(data))
    _check_guard(data, faces)
    tests = _tests(data)  # a fault is told beforehand
    note(f"{len(faces)} faces to train on, {faces.left_out} left out, {_count(tests)} to measure on")
    name = f"attributes-{settings.backbone}"
    kept = Folder(out / f"{name}.training", _identity(data, settings, start, faces))
    network, took = training.train(
        faces, settings, view, start=lambda backbone: _fill(backbone, start), kept=kept, say=note
    )
    found = _measured(network, other, tests, view, settings)
    hq = f"{faces.left_out} pictures left out" if data.left_out_hq else ""
    told = {
        **took,
        "settings": dataclasses.asdict(settings),
        "data": {"names": list(data.names), "split": data.train_split, "digest": faces.crops[0].digest()},
        "left_out": faces.left_out,
        "backbone_weights": start.name if start else None,
    }
    gates = {
        **{str(rendering): one for rendering, one in found.items()},
        "verdicts": [dataclasses.asdict(verdict) for verdict in verdicts(found, hq)],
    }
    origin = f"faceedit-bench train-judge attributes --data {data.names[0]} --backbone {settings.backbone}"
    licence = f"as the terms of {', '.join(data.names)} say"
    return write(name, network, out, origin=origin, gates=gates, training=told, licence=licence)


# ---- data -----------------------------------------------------------------------------------------


def _open(data: Data, split: str, size: int) -> list[Samples]:
    """The split of every data set that is named."""
    return [_open_one(data, name, split, size) for name in data.names]


def _open_one(data: Data, name: str, split: str, size: int) -> Samples:
    spec = catalog().dataset(name)
    if "labels" not in spec.provides:
        raise BadDataset(f"data set {name!r} has no labels; an attributes judge learns from them")
    if split not in spec.splits:
        raise BadConfig(f"data set {name!r} has no split {split!r}; it has {', '.join(spec.splits)}")
    return spec.open(data.root, split, size, data.limit)


def _tests(data: Data) -> dict[Rendering, Samples]:
    from ..judges.attribute_gates import Rendering

    wanted = [(name, FIRST) for name in data.names] + [(data.names[0], side) for side in FURTHER]
    return {Rendering(name, side): _open_one(data, name, data.test_split, side) for name, side in wanted}


def _count(tests: dict[Rendering, Samples]) -> int:
    return len(next(iter(tests.values())))


def _left_out(data: Data) -> set[str]:
    """Ids that are not trained on: those listed, originals of CelebA-HQ's test faces, and their people."""
    from ..data.celeba import of_the_same_people
    from ..data.celebahq import originals

    if data.left_out_people and not data.left_out_hq:
        raise BadConfig("--leave-out-people says whose pictures go with those of --leave-out-hq; give both")
    tested = set(originals(data.left_out_hq)) if data.left_out_hq else set()
    if data.left_out_people:
        tested = of_the_same_people(tested, data.left_out_people)
    return tested | set(_ids(data.left_out))


def _check_guard(data: Data, faces: Faces) -> None:
    if data.left_out_hq and not faces.left_out and not data.limit:
        raise BadConfig(
            f"--leave-out-hq {data.left_out_hq}: none of its pictures is among the {len(faces)} to train on; "
            "wanted the mapping to these data, CelebA"
        )


def _ids(path: Path | None) -> Sequence[str]:
    if path is None:
        return ()
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"--leave-out {path}: cannot be read ({error}); wanted one id a line") from None


# ---- networks -------------------------------------------------------------------------------------


def _identity(data: Data, settings: Settings, start: Path | None, faces: Faces) -> dict[str, Any]:
    """What a training that is continued must have been; reading processes change nothing."""
    rows = hashlib.sha256(json.dumps(faces.rows).encode()).hexdigest()
    return {
        **{key: value for key, value in dataclasses.asdict(settings).items() if key != "workers"},
        "data": list(data.names),
        "faces": faces.crops[0].digest(),
        "rows": rows,
        "backbone_weights": sha256(start) if start else None,
    }


def _fill(backbone: nn.Module, path: Path | None) -> None:
    """Weights of the backbone from a file of timm's or torchvision's names; its classifier is not used."""
    if path is None:
        return
    from ..foreign import read
    from ..restoring import fill

    heads = ("fc.", "classifier.", "head.fc.")
    found = {name: value for name, value in read(path).tensors.items() if not name.startswith(heads)}
    fill(backbone, found, str(path), shown=10)


def _second(file: Path, backbone: str) -> nn.Module:
    """A judge of another architecture, as this command wrote it: weights, and the card beside them."""
    from ..judges.attribute_network import AttributeJudge
    from ..restoring import adopt

    card = file.with_suffix(".json")
    pin = Pin.from_card(card)
    told = json.loads(card.read_text(encoding="utf-8")).get("training", {}) if pin else {}
    if pin is None or "backbone" not in told.get("settings", {}):
        raise BadConfig(f"--second {file}: wanted {card.name} beside it, as train-judge attributes writes it")
    check(file, pin)
    other = told["settings"]["backbone"]
    if other == backbone:
        raise BadConfig(f"--second {file}: is a {other} too; wanted another --backbone, as a second opinion")
    return adopt(AttributeJudge(other), dict, file).eval().requires_grad_(False)


def _measured(
    network: nn.Module,
    other: nn.Module | None,
    tests: dict[Rendering, Samples],
    view: View,
    settings: Settings,
) -> dict[Rendering, dict[str, Any]]:
    """Every rendering, and at the first side also what share of decisions the other judge shares."""
    from ..judges import attribute_gates as gates

    measured = {}
    for rendering, test in tests.items():
        asked = partial(gates.answers, test=test, view=view, batch=settings.batch, device=settings.device)
        found, labels = asked(network)
        measured[rendering] = gates.measured(found, labels)
        if other is not None and rendering.side == FIRST:
            measured[rendering]["agreement"] = gates.agreement(found, asked(other)[0])
        note(f"measured {rendering}")
    return measured


# ---- telling --------------------------------------------------------------------------------------

COLUMNS = {
    "accuracy": "accuracy",
    "present_seen": "present seen",
    "absent_seen": "absent seen",
    "floor": "floor",
    "calibration_error": "calibration",
}


def as_text(gates: dict[str, Any]) -> str:
    """A table for every rendering, then every gate, then whether the judge may be published."""
    from ..judges.attribute_gates import Verdict, short_of

    parts = [_table(name, one) for name, one in gates.items() if name != "verdicts"]
    found = [Verdict(**one) for one in gates["verdicts"]]
    rows = [(one.verdict, one.wanted, f"{one.gate}: {one.found}") for one in found]
    parts.append(table(("verdict", "wanted", "gate: found, in %"), rows))
    lacking = short_of(found)
    parts.append(
        fitted(f"not to be published: of {len(found)} gates {lacking}" if lacking else "all gates pass")
    )
    return "\n\n".join(parts)


def _table(name: str, measured: dict[str, Any]) -> str:
    rows = [
        (
            attribute,
            *("–" if (value := measured[key][attribute]) is None else f"{value:.2f}" for key in COLUMNS),
        )
        for attribute in measured["accuracy"]
    ]
    shared = f", {measured['agreement']} % decided as the other judge" if "agreement" in measured else ""
    title = f"{name}: mean accuracy {measured['accuracy_mean']} % of {measured['faces']} faces{shared}"
    return f"{title}\n{table(('%', *COLUMNS.values()), rows, right=tuple(COLUMNS.values()))}"
