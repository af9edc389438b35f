"""Everything a plugin may use, in one module. Stable: names are added, not changed."""

from .conflicts import CONFLICTS, HAIR_COLOURS
from .contracts import (
    THIRTEEN,
    DatasetSpec,
    EditBatch,
    Editor,
    Imported,
    JudgeSpec,
    Layout,
    LoadContext,
    MethodSpec,
    Metric,
    MetricSpec,
    NoOptions,
    Observation,
    Pin,
    Preset,
    Reproduction,
    Sample,
    Samples,
    View,
)
from .errors import BadConfig, BadDataset, BadImage, BrokenPromise, FaceEditError, WrongWeights
from .hookspecs import hookimpl
from .renaming import Names

__all__ = [
    "CONFLICTS",
    "HAIR_COLOURS",
    "THIRTEEN",
    "BadConfig",
    "BadDataset",
    "BadImage",
    "BrokenPromise",
    "DatasetSpec",
    "EditBatch",
    "Editor",
    "FaceEditError",
    "Imported",
    "JudgeSpec",
    "Layout",
    "LoadContext",
    "MethodSpec",
    "Metric",
    "MetricSpec",
    "Names",
    "NoOptions",
    "Observation",
    "Pin",
    "Preset",
    "Reproduction",
    "Sample",
    "Samples",
    "View",
    "WrongWeights",
    "hookimpl",
]
