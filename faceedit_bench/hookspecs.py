"""The whole plugin vocabulary: four hooks, each returning a list of specs."""

from __future__ import annotations

import pluggy

from .contracts import DatasetSpec, JudgeSpec, MethodSpec, MetricSpec

PROJECT = "faceedit_bench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def faceedit_methods() -> list[MethodSpec]:
    """Editing methods this plugin offers."""
    raise NotImplementedError


@hookspec
def faceedit_metrics() -> list[MetricSpec]:
    """Metrics this plugin offers."""
    raise NotImplementedError


@hookspec
def faceedit_judges() -> list[JudgeSpec]:
    """Judges (pinned networks that metrics ask) this plugin offers."""
    raise NotImplementedError


@hookspec
def faceedit_datasets() -> list[DatasetSpec]:
    """Data sets this plugin offers."""
    raise NotImplementedError
