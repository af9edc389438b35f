"""Where things are kept: cache, weights, results. Each can be moved by an environment variable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CACHES = ("auto", "device", "host", "pack", "none")
"""Where decoded faces may be kept: see faceedit_bench.data.reading."""


def make(folder: Path) -> None:
    """Make a folder, and those above it, where there is none; OSError where it cannot be written into."""
    import tempfile

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the place of `path` when the block ends, and none if it fails."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield fresh
        os.replace(fresh, path)
    finally:
        with suppress(OSError):  # what ended the block is to be told
            fresh.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Write a small file whole or not at all."""
    with whole(path) as fresh:
        fresh.write_bytes(content)


def cache() -> Path:
    """Drawn faces and packed data: $FACEEDIT_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("FACEEDIT_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "faceedit-bench"


def weights() -> Path:
    """Weights files that are not shipped: $FACEEDIT_WEIGHTS, else a folder in the cache."""
    chosen = os.environ.get("FACEEDIT_WEIGHTS")
    return Path(chosen) if chosen else cache() / "weights"


def results(chosen: str | Path | None = None) -> Path:
    """Results of runs: the argument, else $FACEEDIT_RESULTS, else `results/` here."""
    return Path(chosen or os.environ.get("FACEEDIT_RESULTS") or "results")
