"""Training shared by all methods: a plugin gives networks and losses, never a loop."""

from .adversarial import critic_loss, editor_loss, gradient_penalty
from .faces import TrainingFaces
from .recipe import Phase, Recipe, Settings, TrainBatch
from .trainer import Result, train

__all__ = [
    "Phase",
    "Recipe",
    "Result",
    "Settings",
    "TrainBatch",
    "TrainingFaces",
    "critic_loss",
    "editor_loss",
    "gradient_penalty",
    "train",
]
