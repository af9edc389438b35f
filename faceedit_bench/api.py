"""Everything a plugin may use, in one module. Stable: names are added, not changed."""

from .contracts import (
    THIRTEEN,
    DatasetSpec,
    EditBatch,
    Editor,
    JudgeSpec,
    LoadContext,
    MethodSpec,
    Metric,
    MetricSpec,
    NoOptions,
    Observation,
    Pin,
    Preset,
    Sample,
    Samples,
    View,
)
from .errors import BadConfig, BadDataset, BadImage, BrokenPromise, FaceEditError, WrongWeights
from .hookspecs import hookimpl

__all__ = [
    "THIRTEEN",
    "BadConfig",
    "BadDataset",
    "BadImage",
    "BrokenPromise",
    "DatasetSpec",
    "EditBatch",
    "Editor",
    "FaceEditError",
    "JudgeSpec",
    "LoadContext",
    "MethodSpec",
    "Metric",
    "MetricSpec",
    "NoOptions",
    "Observation",
    "Pin",
    "Preset",
    "Sample",
    "Samples",
    "View",
    "WrongWeights",
    "hookimpl",
]
