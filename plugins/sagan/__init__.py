"""SaGAN: one network paints the edited face, another says where to paint; a model per attribute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import THIRTEEN, BadConfig, LoadContext, MethodSpec, Pin, Preset, hookimpl

from .layouts import LAYOUTS

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from .editor import SaGAN

FOUR = ("Eyeglasses", "Mouth_Slightly_Open", "Smiling", "No_Beard")
"""The attributes of the paper, each with a model of its own."""


@dataclass(frozen=True)
class Options:
    """Defaults are the paper's, or ours where the paper is silent; README.md says which."""

    attributes: tuple[str, ...] = FOUR  # one model each
    size: int = 128  # pixels per side of what the networks see, a power of two
    width: int = 32  # channels of the first layer of both halves of the generator
    blocks: int = 4  # residual blocks of each half
    res_norm: Literal["in", "bn"] = "in"  # norm inside residual blocks; "bn" for the third-party checkpoints
    critic_width: int = 32

    # training
    penalty: float = 10.0  # weight of the gradient penalty
    attributes_weight: float = 1.0  # of both classification losses
    dual: float = 20.0  # λ1: weight of L1 between the picture and its edit edited back
    identity: float = 100.0  # λ2: weight of L1 between the picture and its edit to its own label
    critic_steps: int = 3  # critic updates per update of the generator, each with a fresh batch
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay: Literal["tenth", "linear", "none"] = "none"  # of the learning rate, from half of the steps on
    balanced: bool = False  # batches hold as many faces with the attribute as without it
    steps: int = 62_500  # critic updates of each model: a million pictures
    batch_size: int = 16

    def __post_init__(self) -> None:
        if self.size < 16 or self.size & (self.size - 1):
            raise BadConfig(f"sagan: size must be a power of two of at least 16, found {self.size}")
        if not self.attributes or len(set(self.attributes)) < len(self.attributes):
            raise BadConfig(
                "sagan: attributes wants at least one name, each once, "
                f"found {', '.join(self.attributes) or 'none'}"
            )


PAPER = Options()
RELEASE = Options(res_norm="bn")
DEMO = Options(
    attributes=THIRTEEN,
    size=64,
    width=7,
    blocks=0,
    critic_width=16,
    dual=10.0,
    identity=30.0,
    critic_steps=1,
    lr=1e-3,
    decay="linear",
    balanced=True,
    steps=2000,
    batch_size=8,
)


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "sagan-demo.json")
    return [
        MethodSpec(
            name="sagan",
            version="1",
            summary="paints a face only where an attention mask allows it; one model per attribute",
            paper="ECCV 2018, pp. 417–432",
            attributes=FOUR,
            resolutions=(),
            load=load,
            options=Options,
            presets={
                "demo": Preset(
                    DEMO, weights=pin and (pin,), summary="narrow, thirteen models, trained on drawn faces"
                ),
                "paper": Preset(PAPER, weights=None, summary="the four attributes of the paper, 128 px"),
                "release": Preset(
                    RELEASE, weights=None, summary="batch norm in residual blocks: third-party checkpoints"
                ),
            },
            recipes=recipes,
            layouts=LAYOUTS,
        )
    ]


def load(options: Options, context: LoadContext) -> SaGAN:
    """The editor with checked weights, keys `<attribute>.amn.*` and `<attribute>.san.*`."""
    from .editor import editor

    return editor(options, context)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """One stage per attribute, under its name; none needs another."""
    from .losses import stage

    return tuple(stage(attribute, options) for attribute in options.attributes)
