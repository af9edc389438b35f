"""What a method costs, in words: one column each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

COSTS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "parameters": ("parameters", lambda cost: _scaled(cost.get("parameters"), 1e6, " M")),
    "macs": ("MACs per image", lambda cost: _scaled(cost.get("macs"), 1e9, " G")),
    "weights_bytes": ("weights", lambda cost: _scaled(cost.get("weights_bytes"), 1e6, " MB")),
    "peak_activation_bytes": (
        "peak activations",
        lambda cost: _scaled(cost.get("peak_activation_bytes"), 1e6, " MB"),
    ),
    "latency": ("ms per image, median (p90)", lambda cost: _latency(cost.get("latency"))),
    "device": ("on", lambda cost: str(cost.get("device") or "–")),
}


def _scaled(value: float | None, unit: float, suffix: str) -> str:
    return "–" if value is None else f"{value / unit:.2f}{suffix}"


def _latency(latency: Mapping[str, float] | None) -> str:
    """Seconds -> milliseconds."""
    if not latency or latency.get("median") is None:
        return "–"
    p90 = latency.get("p90")
    return f"{latency['median'] * 1e3:.1f}" + ("" if p90 is None else f" ({p90 * 1e3:.1f})")
