"""The machine under a measurement: its name, its clocks, and how busy it is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import torch

ASKED = ("driver_version", "clocks.sm", "clocks.max.sm", "clocks.mem", "power.limit")
"""What nvidia-smi is asked; clocks in MHz, power in W."""


def device_name(device: str) -> str:
    """The GPU's name, or the processor's as the system gives it, with the number of its cores."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    names = [value for key, value in _cpuinfo() if key == "model name"]
    return next(iter(names), platform.processor() or platform.machine() or "CPU")


def conditions(device: str) -> dict[str, Any]:
    """What decides a time besides the method: clocks, flags, load; None where it cannot be read."""
    is_gpu = torch.device(device).type == "cuda"
    return {
        "clocks": gpu_clocks(device) if is_gpu else {"cpu_mhz": cpu_mhz()},
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "threads": torch.get_num_threads(),
        "tf32": {
            "matmul": torch.backends.cuda.matmul.allow_tf32,
            "cudnn": torch.backends.cudnn.allow_tf32,
        },
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if is_gpu else None,
    }


def cpu_mhz() -> float | None:
    """The fastest core's clock now."""
    found = [float(value) for key, value in _cpuinfo() if key == "cpu MHz"]
    return max(found, default=None)


def _cpuinfo() -> list[tuple[str, str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    pairs = [line.partition(":") for line in lines if ":" in line]
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def gpu_clocks(device: str) -> dict[str, str] | None:
    """Driver, clocks and power limit as nvidia-smi tells them now."""
    return read_gpu(_smi(["--query-gpu=" + ",".join(ASKED), f"--id={gpu_id(device)}"]))


def gpu_id(device: str) -> str:
    """The GPU's own name, which stays what it is where only some GPUs are visible."""
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def read_gpu(line: str | None) -> dict[str, str] | None:
    """`560.1, 1980, 2100, 3201, 700.00` -> the same under their names."""
    cells = [cell.strip() for cell in (line or "").splitlines()[:1] for cell in cell.split(",")]
    return dict(zip(ASKED, cells, strict=True)) if len(cells) == len(ASKED) else None


def gpu_process_bytes() -> int | None:
    """What the driver counts for this process, CUDA context included; containers often hide it."""
    return read_process(_smi(["--query-compute-apps=pid,used_memory"]), os.getpid())


def read_process(lines: str | None, pid: int) -> int | None:
    """`1234, 812` per line, in MiB; the sum over GPUs of this process."""
    rows = [line.split(",") for line in (lines or "").splitlines()]
    used = [
        int(row[1])
        for row in rows
        if len(row) == 2 and row[0].strip() == str(pid) and row[1].strip().isdigit()
    ]
    return sum(used) * 2**20 if used else None


def _smi(words: list[str]) -> str | None:
    """Output of nvidia-smi; None where there is none or it refuses."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *words, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
