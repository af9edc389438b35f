"""What a shard's file holds: equal answers once, long rows read when they are used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from faceedit_bench.store import arrays as files


def written(path: Path) -> dict[str, np.ndarray]:
    """Two metrics that kept the same features, and short columns that happen to be equal."""
    features = np.random.default_rng(0).normal(size=(6, 128)).astype(np.float32)
    told = {
        "fid/source": features,
        "fid/edited": features + 1,
        "kid/source": features.copy(),
        "kid/edited": features + 1,
        "fid/edit": np.zeros(6, np.int64),
        "kid/edit": np.zeros(6, np.int64),
    }
    save_file(files.distinct(told), path, metadata={"run": "mine"})
    return told


def test_equal_answers_are_written_once_and_read_under_every_name(tmp_path: Path) -> None:
    told = written(tmp_path / "a.safetensors")
    owner, found = files.read(tmp_path / "a.safetensors", lambda name: True)
    assert owner == "mine" and set(found) == set(told)
    assert all(np.array_equal(found[name], told[name]) for name in told)
    assert (tmp_path / "a.safetensors").stat().st_size < 2 * told["fid/source"].nbytes + 2048


def test_long_rows_stay_in_the_file_until_numpy_asks_for_them(tmp_path: Path) -> None:
    told = written(tmp_path / "a.safetensors")
    _, found = files.read(tmp_path / "a.safetensors", lambda name: name.startswith("kid/"), lazily=True)
    assert isinstance(found["kid/edit"], np.ndarray) and isinstance(found["kid/edited"], files.InFile)
    keep = np.array([True, False, True, False, False, True])
    chosen = found["kid/edited"][keep]
    assert len(chosen) == 3 and np.array_equal(np.asarray(chosen), told["kid/edited"][keep])
    assert np.array_equal(np.concatenate([chosen, found["kid/source"]])[3:], told["kid/source"])
