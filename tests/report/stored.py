"""Finished runs written by hand: a few faces of 16 pixels, numbers made up, no method needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from faceedit_bench.manifest import Manifest
from faceedit_bench.store.folder import RunFolder

FACES, KEPT, SIDE = 12, 3, 16
EDITS = ("Male", "Eyeglasses")
INTERVAL = "bootstrap 95 % over faces, 2000 replicates"


def identity(name: str, **changes: Any) -> dict[str, Any]:
    """A manifest's identity; `changes` replace whole parts."""
    return {
        "method": {"name": name, "version": "1", "preset": "demo", "options": {}, "saw": []},
        "weights": [],
        "suite": {"name": "few", "version": "1", "fingerprint": "f" * 64},
        "data": {"name": "drawn-faces", "version": "1", "split": "test", "count": FACES, "digest": "d" * 64},
        "judges": {"identity": {"name": "identity-demo", "version": "1", "sha256": "a" * 64}},
        "metrics": {"tarr": "1", "leakage": "1", "id": "1", "psnr": "1"},
        "numerics": {"dtype": "float32", "device": "cpu"},
        **changes,
    }


def write_run(
    root: Path,
    name: str,
    *,
    tarr: float = 50.0,
    kept_id: float = 0.8,
    edits: tuple[str, ...] = EDITS,
    samples: list[str] | None = None,
    strengths: dict[str, float] | None = None,
    **changes: Any,
) -> RunFolder:
    """A complete run folder. TARR and ID are what is given, with a little spread over faces."""
    manifest = Manifest(identity(name, **changes), {"when": "2026-01-01T00:00:00+00:00"})
    folder = root / f"run-{manifest.id}"
    (folder / "images").mkdir(parents=True)
    names = samples or [f"{1000 + face}" for face in range(FACES)]
    rows = _rows(names, edits, tarr, kept_id, strengths or {})
    rows.to_parquet(folder / "samples.parquet", index=False)
    _json(folder / "manifest.json", {"identity": manifest.identity, "provenance": manifest.provenance})
    _json(folder / "scores.json", _scores(rows, edits))
    _json(folder / "suite.json", {"edits": [_edit(name, strengths or {}) for name in edits]})
    latency = {"median": tarr / 1e4, "p90": tarr / 9e3}
    cost = {"parameters": 10, "macs": 20, "weights_bytes": 1e6 * tarr, "peak_activation_bytes": 2e6}
    _json(folder / "cost.json", {**cost, "latency": latency, "device": "a laptop", "resolution": SIDE})
    _pictures(folder / "images", edits)
    return RunFolder(folder)


def _rows(
    names: list[str], edits: tuple[str, ...], tarr: float, kept_id: float, strengths: dict[str, float]
) -> pd.DataFrame:
    spread = np.linspace(-0.05, 0.05, len(names))
    tables = [pd.DataFrame({"sample": names, "edit": "reconstruction", "id": 0.99, "psnr": 30 + spread})]
    for edit in edits:
        strength = strengths.get(edit, 1.0)
        numbers = {
            "tarr": tarr,
            "leakage": 2.0,
            "id": kept_id - 0.1 * strength + spread,
            "response": strength / 2,
        }
        flipped = {f"leakage/{name}": 100.0 if name == edit else 5.0 for name in edits}
        tables.append(pd.DataFrame({"sample": names, "edit": edit, **numbers, **flipped}))
    return pd.concat(tables, ignore_index=True)


def _scores(rows: pd.DataFrame, edits: tuple[str, ...]) -> list[dict[str, Any]]:
    groups = {**{edit: rows[rows.edit == edit] for edit in edits}, "all": rows[rows.edit != "reconstruction"]}
    groups["reconstruction"] = rows[rows.edit == "reconstruction"]
    found = []
    for edit, group in groups.items():
        for metric in group.columns.drop(["sample", "edit"]):
            value = group[metric].mean()
            if value == value and not (edit == "all" and "/" in metric):
                bounds = {"low": value - 0.01, "high": value + 0.01}
                entry = {"metric": metric, "version": "1", "edit": edit, "value": float(value), **bounds}
                found.append({**entry, "n": len(group), "kind": INTERVAL})
    return found


def _edit(name: str, strengths: dict[str, float]) -> dict[str, Any]:
    if name in strengths:
        return {"name": name, "flips": [], "set": {"Male": 1}, "strength": strengths[name]}
    return {"name": name, "flips": [name], "set": {}, "strength": 1.0}


def _pictures(folder: Path, edits: tuple[str, ...]) -> None:
    generator = np.random.default_rng(1)
    for face in range(KEPT):
        (folder / f"{face:02d}").mkdir()
        for place, name in enumerate(["source", "reconstruction", *(e for e in edits if "/" not in e)]):
            colours = generator.integers(0, 200, (SIDE, SIDE, 3), dtype=np.uint8) + place
            Image.fromarray(colours.astype(np.uint8)).save(folder / f"{face:02d}" / f"{name}.png")


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
