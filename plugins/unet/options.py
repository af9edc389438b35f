"""The options that AttGAN, STGAN and LSTU-Net have in common; each adds its own and says where it differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faceedit_bench.api import THIRTEEN


@dataclass(frozen=True)
class FamilyOptions:
    """Defaults are those of the released TensorFlow code at 128 pixels."""

    # networks
    attributes: tuple[str, ...] = THIRTEEN
    width: int = 64  # channels of the first layer; doubled per layer, at most 1024
    layers: int = 5  # halvings of the picture
    slope: float = 0.2  # of the encoder's LeakyReLU
    epsilon: float = 1e-3  # of batch norm

    # editing
    strength: float = 2.0  # the asked entry of the target code is multiplied by this

    # training
    size: int = 128  # pixels per side
    critic_width: int = 64
    critic_layers: int = 5
    critic_fc: int = 1024  # hidden units of each head
    penalty: float = 10.0  # weight of the gradient penalty
    critic_attributes: float = 1.0  # weight of the critic's attribute loss on real pictures
    editor_attributes: float = 10.0  # weight of the attribute loss on edited pictures
    reconstruction: float = 100.0  # weight of L1 where nothing is to change
    critic_steps: int = 5  # critic updates per editor update, each with a fresh batch
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    steps: int = 947_000  # critic updates: 200 epochs of 947 editor updates, five critic updates each
    batch_size: int = 32
    decay: Literal["tenth", "linear", "none"] = "tenth"  # of the learning rate, from `decay_at` on
    decay_at: float = 0.5  # fraction of the steps: epoch 100 of 200
    momentum: float = 0.001  # of running batch-norm statistics; TensorFlow's decay 0.999
    targets: Literal["permuted", "mixed"] = "permuted"  # "mixed": half of the rows ask for one flip
