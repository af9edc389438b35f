"""What the core itself offers, through the same hooks as anyone's plugin."""

from __future__ import annotations

from pathlib import Path

from .api import DatasetSpec, JudgeSpec, MetricSpec, Samples, hookimpl
from .suite import THIRTEEN


def _drawn(root: Path | None, split: str, resolution: int, count: int) -> Samples:
    from .data.drawn_faces import open_drawn

    return open_drawn(root, split, resolution, count)


@hookimpl
def faceedit_datasets() -> list[DatasetSpec]:
    from .data import specs

    return [
        *specs.SPECS,
        DatasetSpec(
            name="drawn-faces",
            version="1",
            summary="faces drawn from numbers, with the exact picture of every edit",
            attributes=THIRTEEN,
            splits=("train", "validation", "test"),
            open=_drawn,
            provides=("labels", "truth", "regions", "landmarks"),
            faces="drawn",
            conflicts="drawn",
        ),
    ]


@hookimpl
def faceedit_metrics() -> list[MetricSpec]:
    from .metrics.specs import SPECS

    return list(SPECS)


@hookimpl
def faceedit_judges() -> list[JudgeSpec]:
    from .judges import photographs, specs

    return [*specs.SPECS, *photographs.SPECS]
