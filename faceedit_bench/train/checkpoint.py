"""One checkpoint file per training: written whole or not at all, read without unpickling code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import ResultsError

FORMAT = 1
NAME = "checkpoint.pt"


def save(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write beside the old checkpoint, then rename over it: a failure leaves the old one as it was."""
    path, fresh = folder / NAME, folder / f"{NAME}.part"
    try:
        with open(fresh, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        kept = "the checkpoint from before is untouched" if path.exists() else "nothing was saved"
        raise ResultsError(
            f"{path}: cannot be written ({error}); {kept}. Free some space, then continue"
        ) from None
    return path


def load(folder: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The checkpoint of a training folder; None where there is none yet."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        found = content["format"]
    except Exception as error:  # a damaged archive may raise anything
        raise ResultsError(
            f"{path}: not a readable checkpoint ({error}); move it away to train anew"
        ) from None
    if found != FORMAT:
        raise ResultsError(f"{path}: checkpoint format {found!r}; this version reads format {FORMAT}")
    return content


def check_identity(folder: Path, found: str, wanted: str) -> None:
    """Refuse to continue another training; `found` and `wanted` are JSON objects."""
    if found == wanted:
        return
    was, now = json.loads(found), json.loads(wanted)
    changes = [
        f"{key} was {was.get(key)!r}, is {now.get(key)!r}"
        for key in sorted({*was, *now})
        if was.get(key) != now.get(key)
    ]
    raise ResultsError(
        f"{folder} holds another training: {'; '.join(changes)}. "
        "Give the settings of that training to continue it, or another --out folder to begin anew"
    )


def digest(states: Mapping[str, Mapping[str, Tensor]]) -> str:
    """16 hex digits of sha256 over named state dicts; "" for none."""
    if not states:
        return ""
    total = hashlib.sha256()
    for name, state in sorted(states.items()):
        for key, value in sorted(state.items()):
            total.update(f"{name}.{key} {tuple(value.shape)} {value.dtype}".encode())
            total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()[:16]
