"""Training shared by all methods: a plugin gives networks and losses, never a loop."""

from .adversarial import critic_loss, editor_loss, gradient_penalty
from .recipe import Phase, Recipe, Settings, TrainBatch

__all__ = [
    "Phase",
    "Recipe",
    "Settings",
    "TrainBatch",
    "critic_loss",
    "editor_loss",
    "gradient_penalty",
]
