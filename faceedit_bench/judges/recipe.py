"""From a judge's name to its weights file and card: draw, train, measure the gates, write."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from .. import folders
from . import attributes, classes, identity, swav
from .asked import numbers_of
from .fit import Course, Settings
from .networks import ClassNetwork
from .pictures import Artist, Pictures, paint, testing_order, training_order
from .specs import view_of
from .view import look

Say = Callable[[str], None]
TEST_PEOPLE = 300  # test identities the gates are measured on, fifteen pictures each


@dataclass(frozen=True)
class Recipe:
    """How one judge is trained and measured."""

    settings: Settings
    train: Callable[[Pictures, Settings, Say], tuple[nn.Module, Course]]
    gates: Callable[[nn.Module, Pictures, str], dict[str, Any]]


RECIPES: Mapping[str, Recipe] = {
    "attributes-demo": Recipe(attributes.SETTINGS, attributes.train, attributes.gates),
    "identity-demo": Recipe(identity.SETTINGS, identity.train, identity.gates),
    "swav-demo": Recipe(swav.SETTINGS, swav.train, swav.gates),
    "classes-demo": Recipe(classes.SETTINGS, classes.train, classes.gates),
}


def make(
    judge: str,
    artist: Artist,
    settings: Settings,
    out: Path,
    *,
    test_people: int = TEST_PEOPLE,
    cache: Path | None = None,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Train a judge and write `<judge>.safetensors` and `<judge>.json` into `out`; the card comes back."""
    recipe = RECIPES[judge]
    faces = paint(artist, training_order(artist, settings.people), view_of(judge), cache=cache, say=say)
    network, course = recipe.train(faces, settings, say)
    test = paint(artist, testing_order(artist, test_people), view_of(judge), cache=cache, say=say)
    network.eval()
    training = {
        **course.facts(),
        "settings": dataclasses.asdict(settings),
        "pictures": len(faces.images),
        "pictures_sha256": hashlib.sha256(faces.images.numpy().tobytes()).hexdigest(),
        "parameters": sum(value.numel() for value in network.parameters()),
        "torch": torch.__version__,
    }
    gates = {**recipe.gates(network, test, settings.device), "test_people": test_people}
    asked = f"--steps {course.steps} --people {settings.people} --seed {settings.seed}"
    origin = f"faceedit-bench train-judge {judge} {asked}"
    answers = {name: numbers_of(asked) for name, asked in asked_as(judge, network.cpu()).items()}
    return write(judge, network, out, origin=origin, gates=gates, training=training, answers=answers)


def asked_as(judge: str, network: nn.Module) -> dict[str, Callable[[Tensor], Tensor]]:
    """Every judge that this network is, behind its view."""

    def seeing(network: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        return lambda images: network(look(images, view_of(judge)))

    if isinstance(network, ClassNetwork):
        return {judge: seeing(network), "classes-pool-demo": seeing(network.pool)}
    return {judge: seeing(network)}


def write(
    judge: str,
    network: nn.Module,
    out: Path,
    *,
    origin: str,
    gates: Mapping[str, Any],
    training: Mapping[str, Any],
    licence: str = "MIT",
    answers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Weights first, card last: a card never names weights that are not there."""
    state = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    content = save(state)
    card: dict[str, Any] = {
        "judge": judge,
        "file": f"{judge}.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "origin": origin,
        "licence": licence,
        "gates": gates,
        "training": training,
        **({"answers": answers} if answers else {}),
    }
    out.mkdir(parents=True, exist_ok=True)
    folders.write(out / f"{judge}.safetensors", content)
    folders.write(out / f"{judge}.json", (json.dumps(card, indent=2) + "\n").encode())
    return card
