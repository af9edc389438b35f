"""faceedit-bench: compare face attribute editing methods under one protocol.

import faceedit_bench as fb

editor = fb.load_method("coogan")                 # edit(batch) -> edited faces
scores = fb.run("coogan", suite="drawn-128")      # a pandas DataFrame
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from .contracts import Editor

__version__ = "0.1.0"
__all__ = ["__version__", "load_method", "run"]


def load_method(
    name: str,
    *,
    preset: str | None = None,
    weights: str | Path | None = None,
    device: str = "cpu",
    **options: Any,
) -> Editor:
    """The editor of method `name`, ready for `edit(batch)`; options override those of the preset."""
    from .weights import load_method as load

    return load(name, preset=preset, weights=weights, device=device, options=options)


def run(method: str, *, suite: str | None = None, **settings: Any) -> pd.DataFrame:
    """Run `method` over `suite` and return its scores, one row per metric and edit.

    `settings` are those of `faceedit_bench.runs.run`: preset, weights, data, results, workers, limit, ….
    """
    from .runs import run as use_case

    return use_case(method, suite=suite, **settings).table()
