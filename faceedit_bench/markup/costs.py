"""What a method costs: one column each, in words and as a number to sort by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Cost = Mapping[str, Any]  # what a run stores: faceedit_bench.cost


@dataclass(frozen=True)
class CostColumn:
    """One property."""

    title: str
    value: Callable[[Cost], Any]  # None where it was not measured
    text: Callable[[Cost], str]


def _scaled(title: str, key: str, unit: float, suffix: str) -> CostColumn:
    def text(cost: Cost) -> str:
        value = cost.get(key)
        return "–" if value is None else f"{value / unit:.2f}{suffix}"

    return CostColumn(title, lambda cost: cost.get(key), text)


def median(cost: Cost) -> float | None:
    """Seconds per face at batch 1."""
    return (cost.get("latency") or {}).get("median")


def _milliseconds(cost: Cost) -> str:
    seconds, p90 = median(cost), (cost.get("latency") or {}).get("p90")
    if seconds is None:
        return "–"
    return f"{seconds * 1e3:.1f}" + ("" if p90 is None else f" ({p90 * 1e3:.1f})")


COSTS = {
    "parameters": _scaled("parameters", "parameters", 1e6, " M"),
    "macs": _scaled("MACs per image", "macs", 1e9, " G"),
    "weights_bytes": _scaled("weights", "weights_bytes", 1e6, " MB"),
    "peak_activation_bytes": _scaled("peak activations", "peak_activation_bytes", 1e6, " MB"),
    "latency": CostColumn("ms per image, median (p90)", median, _milliseconds),
    "device": CostColumn("on", lambda cost: cost.get("device"), lambda cost: str(cost.get("device") or "–")),
}
