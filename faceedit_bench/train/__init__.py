"""Training shared by all methods: a plugin gives networks and losses, never a loop."""

from .adversarial import critic_loss, editor_loss, gradient_penalty
from .config import TrainingConfig
from .faces import TrainingFaces
from .method import Trained, train_method
from .recipe import Phase, Recipe, Settings, TrainBatch
from .schedule import Schedule
from .trainer import Result, train

__all__ = [
    "Phase",
    "Recipe",
    "Result",
    "Schedule",
    "Settings",
    "TrainBatch",
    "Trained",
    "TrainingConfig",
    "TrainingFaces",
    "critic_loss",
    "editor_loss",
    "gradient_penalty",
    "train",
    "train_method",
]
