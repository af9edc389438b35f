"""What a judge answers to eight pictures that a formula gives, remembered and compared later.

Hashes say that a file is the right one. These numbers say that it is used as it was: the channels in their
order, the same resizing and scaling, norms at rest, every tensor in its place.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import WrongWeights

PICTURES, SIDE = 8, 128
FIRST = 8  # numbers of the first answer that are remembered
TOLERANCE = 1e-4  # of a number and of the answers' root mean square
SHIPPED = Path(__file__).parent / "weights" / "answers.json"  # of the demo judges


def formula_pictures() -> Tensor:
    """(8, 3, 128, 128) uint8 from whole numbers alone: the same on every machine."""
    x, y = torch.arange(SIDE)[None, None, None], torch.arange(SIDE)[None, None, :, None]
    channel, picture = torch.arange(3)[None, :, None, None], torch.arange(PICTURES)[:, None, None, None]
    waves = x * (picture + 1) + y * (channel + 2) + (x * y).div(8 << (channel + 1), rounding_mode="floor")
    return (waves + 29 * channel * picture).remainder(256).to(torch.uint8)


@torch.inference_mode()
def numbers_of(
    judge: Callable[..., Tensor], device: str = "cpu", *, of_pairs: bool = False
) -> dict[str, Any]:
    """First numbers, mean and norm of answers (8, D); a judge of pairs sees each picture beside another."""
    pictures = formula_pictures().to(device).float() / 127.5 - 1
    asked = (pictures, pictures.roll(1, dims=0)) if of_pairs else (pictures,)
    answers = judge(*asked).double().cpu()
    return {
        "first": [float(value) for value in answers[0, :FIRST]],
        "mean": float(answers.mean()),
        "norm": float(answers.norm()),
        "count": answers.numel(),
    }


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
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
        if not abs(ours - theirs) <= TOLERANCE * (abs(ours) + scale)
    ]


def remembered(place: Path) -> dict[str, dict[str, Any]]:
    """Judge -> its numbers and the hash of the weights that gave them."""
    try:
        return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    except (OSError, ValueError) as error:
        raise WrongWeights(f"{place}: damaged ({error}); delete it and ask the judges again") from None


def remember(place: Path, judge: str, sha256: str, numbers: Mapping[str, Any]) -> None:
    content = {**remembered(place), judge: {"sha256": sha256, **numbers}}
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(temporary, place)


def compared(place: Path, judge: str, sha256: str, numbers: Mapping[str, Any]) -> list[str] | None:
    """What differs from what this judge answered with these weights; None where that is not known yet: then
    it is remembered in `place`."""
    for known in (remembered(SHIPPED), remembered(place)):
        if known.get(judge, {}).get("sha256") == sha256:
            return differences(known[judge], numbers)
    remember(place, judge, sha256, numbers)
    return None
