"""Run folders made of given numbers: complete, readable by every command, without a method or a judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faceedit_bench import scoring
from faceedit_bench.catalog import catalog
from faceedit_bench.evaluate import ShardResult
from faceedit_bench.manifest import Manifest
from faceedit_bench.metrics.states import Rows
from faceedit_bench.store.folder import RunFolder, begin
from faceedit_bench.suite import THIRTEEN, Edit, Suite

EDITS = ("Bald", "Bangs", "Eyeglasses", "Male")
WIDTH = 3  # features of the judge of "features"

SUITE = Suite(
    name="made",
    version="1",
    summary="four flips and a reconstruction, of numbers that a test chose",
    dataset="drawn-faces",
    split="test",
    resolution=16,
    attributes=THIRTEEN,
    edits=(*(Edit(name, (name,)) for name in EDITS), Edit("reconstruction")),
    metrics=("tarr", "id", "psnr"),
    judges={"attributes": "attributes-demo", "identity": "identity-demo"},
    shard_size=25,
)
WITH_DISTANCE = dataclasses.replace(
    SUITE, metrics=(*SUITE.metrics, "ssfid"), judges={**SUITE.judges, "features": "swav-demo"}
)


def a_run(
    root: Path,
    method: str,
    *,
    hit: np.ndarray,  # (E, N) bool
    cosine: np.ndarray | None = None,  # (E + 1, N)
    edited: np.ndarray | None = None,  # (E, N, WIDTH) features
    response: np.ndarray | None = None,  # (E, N)
    unusable: Mapping[int, str] | None = None,  # position -> reason
    complete: bool = True,
    suite: Suite = SUITE,
    **identity: Any,
) -> RunFolder:
    """A run whose metrics had these answers; `identity` replaces parts of the manifest's."""
    edits, count = hit.shape
    generator = np.random.default_rng(7)
    source = generator.normal(size=(count, WIDTH))
    cosine = np.full((edits + 1, count), 0.5) if cosine is None else cosine
    edited = np.tile(source, (edits, 1, 1)) + 1 if edited is None else edited
    gone = dict(unusable or {})
    folder = begin(root, Manifest(_identity(method, count, suite) | identity, {"when": "now"}), suite)
    for shard in suite.shards(count):
        rows = np.array([i for i in range(shard.start, shard.stop) if i not in gone], dtype=np.int64)
        place = {"sample": rows, "edit": np.full(len(rows), shard.edit)}
        states: dict[str, dict[str, np.ndarray]] = {"id": {**place, "cosine": cosine[shard.edit, rows]}}
        if shard.edit < edits:
            label = (rows % 2).astype(np.int8)
            states["tarr"] = {
                **place,
                "hit": hit[shard.edit, rows],
                "flip": hit[shard.edit, rows],
                "label": label,
            }
            for name in ("ssfid", "fid"):
                states[name] = {**place, "source": source[rows], "edited": edited[shard.edit, rows]}
            if response is not None:
                states["response"] = {**place, "moved": response[shard.edit, rows]}
        else:
            states["psnr"] = {**place, "sse": rows + 1, "values": np.full(len(rows), 768)}
        folder.put(
            ShardResult(
                number=shard.number,
                states={name: _state(arrays, shard.number) for name, arrays in states.items()},
                images=len(rows),
                seconds=1.0,
                pictures=np.zeros((0, 3, 16, 16), np.uint8),
                explained={},
                unusable={i: (f"face {i}", why) for i, why in gone.items() if shard.start <= i < shard.stop},
            )
        )
    if complete:
        _finish(folder, suite, count)
    return folder


def _state(arrays: Mapping[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    state = Rows()
    state.append(**arrays)
    state.shards = range(number, number + 1)
    return state.to_arrays()


def _identity(method: str, count: int, suite: Suite) -> dict[str, Any]:
    judges = {
        role: {"name": name, "version": "1", "sha256": "ab" * 32}
        for role, name in sorted(suite.judges.items())
    }
    return {
        "method": {"name": method, "version": "1", "preset": "default", "options": {}, "saw": []},
        "weights": [],
        "suite": {"name": suite.name, "version": suite.version, "fingerprint": suite.fingerprint()},
        "data": {"name": suite.dataset, "version": "1", "split": "test", "count": count, "digest": "cd" * 32},
        "judges": judges,
        "metrics": {name: catalog().metric(name).version for name in suite.metrics},
        "numerics": {"dtype": "float32", "threads": 1, "device": "cpu", "torch": "2.15.0"},
    }


def _finish(folder: RunFolder, suite: Suite, count: int) -> None:
    shards = suite.shards(count)
    read = {shard.number: folder.read_shard(shard.number) for shard in shards}
    unusable, states = scoring.without(
        shards,
        {number: shard.states for number, shard in read.items()},
        {number: shard.unusable for number, shard in read.items()},
    )
    scores = scoring.scores(suite, [catalog().metric(name) for name in suite.metrics], shards, states)
    folder.finish(scores, pd.DataFrame({"sample": []}), {}, scoring.faces(count, unusable))
