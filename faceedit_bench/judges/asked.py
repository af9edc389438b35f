"""What a judge answers to eight pictures that a formula gives, remembered and compared later.

Hashes say that a file is the right one. These numbers say that it is used as it was: the channels in their
order, the same resizing and scaling, norms at rest, every tensor in its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import folders
from ..contracts import View
from ..errors import WrongWeights
from .alignment import PLACES
from .alignment import SIDE as FACE

PICTURES, SIDE = 8, 128
FIRST = 8  # numbers of the first answer that are remembered
TOLERANCE = 1e-4  # of a number and of the answers' root mean square
OF_ROUNDED = 1e-3  # the same where a view rounds: a grey level may fall either way on another machine


def formula_pictures(side: int = SIDE) -> Tensor:
    """(8, 3, side, side) uint8 from whole numbers alone: the same on every machine."""
    x, y = torch.arange(side)[None, None, None], torch.arange(side)[None, None, :, None]
    channel, picture = torch.arange(3)[None, :, None, None], torch.arange(PICTURES)[:, None, None, None]
    waves = x * (picture + 1) + y * (channel + 2) + (x * y).div(8 << (channel + 1), rounding_mode="floor")
    return (waves + 29 * channel * picture).remainder(256).to(torch.uint8)


def formula_points(side: int = SIDE) -> Tensor:
    """(8, 5, 2) float32: where such pictures are said to have eyes, nose and mouth, in pixels."""
    return (torch.tensor(PLACES) * (side / FACE)).expand(PICTURES, -1, -1)


@torch.inference_mode()
def numbers_of(
    judge: Callable[..., Tensor], device: str = "cpu", *, of_pairs: bool = False
) -> dict[str, Any]:
    """First numbers, mean and norm of answers (8, D); a judge of pairs sees each picture beside another."""
    pictures = formula_pictures().to(device).float() / 127.5 - 1
    asked = (pictures, pictures.roll(1, dims=0)) if of_pairs else (pictures,)
    if getattr(judge, "aligns", False):
        asked = (pictures, formula_points().to(device))
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        answers = judge(*asked).double().cpu()
    return {
        "first": [float(value) for value in answers[0, :FIRST]],
        "mean": float(answers.mean()),
        "norm": float(answers.norm()),
        "count": answers.numel(),
    }


def tolerance(view: View) -> float:
    """How far answers behind this view may be from those remembered."""
    return OF_ROUNDED if view.resize.endswith("-u8") else TOLERANCE


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any], within: float = TOLERANCE) -> list[str]:
    """What differs beyond rounding, in words."""
    if wanted["count"] != found["count"]:
        return [f"wanted {wanted['count']} numbers, found {found['count']}"]
    scale = wanted["norm"] / math.sqrt(wanted["count"])
    pairs = [("mean", wanted["mean"], found["mean"]), ("norm", wanted["norm"], found["norm"])]
    pairs += [
        (f"number {i}", *pair) for i, pair in enumerate(zip(wanted["first"], found["first"], strict=True))
    ]
    return [
        f"{name} wanted {ours:.6g}, found {theirs:.6g}"
        for name, ours, theirs in pairs
        if not abs(ours - theirs) <= within * (abs(ours) + scale)
    ]


def remembered(place: Path) -> dict[str, dict[str, Any]]:
    """Judge -> its numbers, its version and the hash of the weights that gave them."""
    try:
        return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    except (OSError, ValueError) as error:
        raise WrongWeights(f"{place}: damaged ({error}); delete it, and judges are asked again") from None


def remember(place: Path, judge: Mapping[str, str], numbers: Mapping[str, Any]) -> None:
    """`judge`: its name, its version and the sha256 of its weights."""
    entry = {"version": judge["version"], "sha256": judge["sha256"], **numbers}
    content = {**remembered(place), judge["name"]: entry}
    place.parent.mkdir(parents=True, exist_ok=True)
    folders.write(place, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def known(place: Path, judge: Mapping[str, str]) -> dict[str, Any] | None:
    """The numbers of this version with these weights; another version or file is another judge."""
    entry = remembered(place).get(judge["name"], {})
    is_it = all(entry.get(key) == judge[key] for key in ("version", "sha256"))
    return entry if is_it else None
