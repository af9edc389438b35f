"""Records of runs made of given numbers, and a board that shows them: no run, no method, no judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faceedit_bench.board import Board, Column
from faceedit_bench.manifest import Manifest

BOARD = Board(
    title="Tiny faces",
    suite="tiny",
    rank_by="tarr",
    per_edit="tarr",
    columns=(
        Column("tarr", "TARR %", "higher", digits=1),
        Column("psnr", "reconstruction PSNR dB", "higher", edit="reconstruction"),
        Column("ssfid", "ssFID", "lower"),
    ),
)


def record(name: str, low: float, value: float, high: float, **changes: Any) -> dict[str, Any]:
    """A run of the method `name` with this TARR; keyword arguments replace parts of the identity."""
    identity = {
        "method": {"name": name, "version": "1", "preset": "default", "options": {}, "saw": []},
        "weights": [],
        "suite": {"name": "tiny", "version": "1", "fingerprint": "f" * 64},
        "data": {"digest": "d" * 64},
        "judges": {"attributes": {"name": "toy", "version": "1", "sha256": "a" * 64}},
        "metrics": {"tarr": "1", "psnr": "1", "ssfid": "1"},
        "numerics": {"threads": 1, "tarr": [low, value, high]},  # a different number is a different run here
        **changes,
    }

    def score(
        metric: str, edit: str, value: float, low: float | None, high: float | None, kind: str
    ) -> dict[str, Any]:
        bounds = {"value": value, "low": low, "high": high}
        return {"metric": metric, "version": "1", "edit": edit, **bounds, "n": 10, "kind": kind}

    return {
        "format": 1,
        "id": Manifest(identity, {}).id,
        "manifest": {"identity": identity, "provenance": {}},
        "scores": [
            score("tarr", "all", value, low, high, "bootstrap 95 %"),
            score("tarr", "Bald", value - 1, low - 1, high - 1, "wilson 95 %"),
            score("tarr", "Young", value + 1, low + 1, high + 1, "wilson 95 %"),
            score("psnr", "reconstruction", 30.125, 30.0, 30.25, "bootstrap 95 %"),
            score("ssfid", "all", 1.5, 1.4, 1.6, "spread"),
        ],
        "cost": {
            "parameters": 1_250_000,
            "macs": 2_500_000_000,
            "weights_bytes": 5_000_000,
            "peak_activation_bytes": 40_000_000,
            "latency": {"median": 0.0125, "p90": 0.015},
            "device": "a processor",
        },
    }


def two() -> list[dict[str, Any]]:
    floor = record("copy", 5, 6, 7)
    floor["scores"][3].update(value=float("inf"), low=None, high=None)  # the same picture
    floor["scores"][4]["value"] = None
    return [floor, record("a", 70, 71, 72)]


def leaderboards(folder: Path) -> Path:
    """The folder, with one board and two runs in it."""
    (folder / "tiny.toml").write_text(
        'title = "Tiny faces"\nsuite = "tiny"\nrank_by = "tarr"\nper_edit = "tarr"\n'
        'columns = [{ metric = "tarr", title = "TARR %", better = "higher", digits = 1 }]\n'
    )
    runs = folder / "runs" / "tiny"
    runs.mkdir(parents=True)
    for one in (record("a", 70, 71, 72), record("copy", 5, 6, 7)):
        (runs / f"{one['id']}.json").write_text(json.dumps(one))
    return folder
