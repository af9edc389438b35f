"""StarGAN: one generator for all attributes, told the target labels as extra input planes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import THIRTEEN, LoadContext, MethodSpec, Pin, Preset, hookimpl

from .layouts import LAYOUTS

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from .editor import StarGAN

FIVE = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
"""The attributes of the released CelebA weights, in their order."""


@dataclass(frozen=True)
class Options:
    """Defaults are the released code's for CelebA at 128 pixels; rates and their decay are the paper's."""

    attributes: tuple[str, ...] = FIVE
    width: int = 64  # channels of the generator's first layer
    blocks: int = 6  # residual blocks
    label_rule: Literal["suite", "stargan"] = (
        "suite"  # "stargan": editing a hair colour sets it, never clears
    )

    # training
    size: int = 128  # pixels per side
    critic_width: int = 64
    critic_layers: int = 6
    penalty: float = 10.0  # weight of the gradient penalty
    attributes_weight: float = 1.0  # of both classification losses, which are summed over attributes
    cycle: float = 10.0  # weight of L1 between the picture and its edit edited back
    identity: float = 0.0  # weight of L1 between the picture and its edit to the labels that it has
    critic_steps: int = 5  # critic updates per editor update
    lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    steps: int = 200_000  # critic updates
    batch_size: int = 16
    decay: Literal["tenth", "linear", "release", "none"] = "linear"  # of the learning rate
    decay_at: float = 0.5  # fraction of the steps from which it falls
    targets: Literal["permuted", "mixed"] = "permuted"  # "mixed": half of the rows ask for one flip


PAPER = Options()
DEMO = Options(
    attributes=THIRTEEN,
    width=16,
    blocks=3,
    critic_width=32,
    critic_layers=5,
    cycle=20.0,
    identity=200.0,
    critic_steps=1,
    lr=5e-4,
    decay="tenth",
    decay_at=0.8,
    targets="mixed",
)
PRESETS = {
    "paper": Preset(PAPER, weights=None, summary="five attributes, 128 px"),
    "celeba13": Preset(
        Options(attributes=THIRTEEN), weights=None, summary="the thirteen attributes of the other methods"
    ),
    "256": Preset(Options(size=256), weights=None, summary="five attributes, 256 px"),
    "release": Preset(
        Options(decay="release"), weights=None, summary="released code: the learning rate hardly falls"
    ),
}


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "stargan-demo.json")
    demo = Preset(DEMO, weights=pin and (pin,), summary="narrow, thirteen attributes, trained on drawn faces")
    return [
        MethodSpec(
            name="stargan",
            version="1",
            summary="residual generator told the target labels at its input, cycle consistency",
            paper="arXiv:1711.09020",
            attributes=FIVE,
            resolutions=(),
            load=load,
            options=Options,
            presets={"demo": demo, **PRESETS},
            recipes=recipes,
            layouts=LAYOUTS,
            needs=("labels",),
        )
    ]


def load(options: Options, context: LoadContext) -> StarGAN:
    """The editor with checked weights, keys `editor.*`."""
    from .editor import editor

    return editor(options, context)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """One stage: generator and critic."""
    from .losses import stage

    return (stage(options),)
