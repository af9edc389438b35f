"""What a training leaves behind: one weights file and a card that says how it was made."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..contracts import Pin
from ..errors import ResultsError, WrongWeights
from ..weights import Description

LICENCE = "MIT"


def write_weights(
    path: Path, states: Mapping[str, Mapping[str, Tensor]], told: Description | None = None
) -> None:
    """All networks in one safetensors file, keys `<network>.<key>`, and what they were made for."""
    tensors = {f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}
    write_tensors(path, tensors, told or Description())


def write_tensors(path: Path, tensors: Mapping[str, Tensor], told: Description) -> None:
    """A safetensors file that says what it was made for; all of it or nothing."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    own = {key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}
    fresh = path.with_name(f"{path.name}.part")
    try:
        save_file(own, fresh, told.metadata())
        os.replace(fresh, path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ResultsError(f"{path}: cannot be written ({error}); what it is made of is kept") from None


def read_weights(path: Path) -> dict[str, dict[str, Tensor]]:
    """The networks of a weights file, by name."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise WrongWeights(f"{path}: no such file; wanted weights written by `faceedit-bench train`")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise WrongWeights(
            f"{path}: not a readable safetensors file ({error}), and nothing else is read (pickles can run "
            f"code); `faceedit-bench weights import METHOD {path.name}` makes one of a released checkpoint"
        ) from None
    states: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        network, _, rest = key.partition(".")
        states.setdefault(network, {})[rest] = value
    return states


def pin_of(path: Path, origin: str) -> Pin:
    """The pin of a file that has just been trained."""
    content = path.read_bytes()
    return Pin(path.name, hashlib.sha256(content).hexdigest(), len(content), origin=origin, licence=LICENCE)


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """The card as JSON; `Pin.from_card` reads it."""
    fresh = path.with_name(f"{path.name}.part")
    try:
        fresh.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(fresh, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise ResultsError(f"{path}: cannot be written ({error})") from None


def as_python(pin: Pin) -> str:
    """The pin as a line to paste into a plugin."""
    return (
        "WEIGHTS = Pin(\n"
        f"    file={json.dumps(pin.file)},\n"
        f"    sha256={json.dumps(pin.sha256)},\n"
        f"    bytes={pin.bytes:_},\n"
        f"    origin={json.dumps(pin.origin, ensure_ascii=False)},\n"
        f"    licence={json.dumps(pin.licence)},\n"
        ")"
    )
