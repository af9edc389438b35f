"""Which device is used."""

from __future__ import annotations

import torch

from .errors import BadConfig


def choose(name: str) -> str:
    """ "auto" is a GPU where there is one; anything else must be there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise BadConfig(f"--device {name}: not usable here ({reason}); try --device auto") from None
    return name
