"""Which device is used, and where pictures lie."""

from __future__ import annotations

import torch

from .errors import BadConfig


def of_pictures(editor: object, device: str) -> str:
    """Where the editor wants pictures of full size: on the device, or where its `home` says."""
    return str(getattr(editor, "home", device))


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
