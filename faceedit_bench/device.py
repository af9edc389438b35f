"""Which device is used, where pictures lie, and how much room there is."""

from __future__ import annotations

from pathlib import Path

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


def available_bytes(device: str) -> int | None:
    """Memory that can still be taken on the device; None where nobody tells."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = [limit for limit in (_meminfo_available(), _group_available()) if limit is not None]
    return min(found, default=None)


def _meminfo_available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _group_available(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What a container's limit leaves; pages of files that are only kept for speed count as free."""
    try:
        limit, used, kept = (
            (folder / name).read_text(encoding="ascii")
            for name in ("memory.max", "memory.current", "memory.stat")
        )
    except OSError:
        return None
    if limit.strip() == "max":
        return None
    idle = next((int(line.split()[1]) for line in kept.splitlines() if line.startswith("inactive_file ")), 0)
    return max(int(limit) - int(used) + idle, 0)
