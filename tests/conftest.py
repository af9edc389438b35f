"""Every test has its own cache, results and weights folders; nothing of the user's is read or written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from in_browser import chromium, opened  # noqa: F401  (fixtures)

os.environ.setdefault("OMP_NUM_THREADS", "1")
TINY = Path(__file__).parent / "data" / "tiny.toml"


@pytest.fixture(scope="session")
def drawn_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faces drawn once per worker and used by all its tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def isolated(drawn_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEEDIT_CACHE", str(drawn_cache))
    monkeypatch.setenv("FACEEDIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("FACEEDIT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("FACEEDIT_QUIET", "1")


@pytest.fixture
def tiny() -> str:
    """Path of a suite of ten faces, three edits and every metric."""
    return str(TINY)
