"""STGAN: told what changes, with selective transfer units in every skip connection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faceedit_bench.api import THIRTEEN, LoadContext, MethodSpec, Pin, Preset, hookimpl

from ..unet.options import FamilyOptions
from .layouts import LAYOUTS

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from ..unet.editor import WholePicture


@dataclass(frozen=True)
class Options(FamilyOptions):
    """Defaults are the released code's."""

    skip: int = 4  # levels joined through units, counted from the deepest
    inject: int = 4  # decoder layers after which the difference is appended once more
    unit_width: int = 0  # base width of the units; 0 as `width`. The released 384 model has 64 beside 48


PAPER = Options()
DEMO = Options(
    width=16,
    layers=4,
    skip=3,
    inject=3,
    critic_width=32,
    critic_fc=128,
    editor_attributes=20.0,
    critic_steps=2,
    lr=5e-4,
    momentum=0.01,
    decay_at=0.8,
    targets="mixed",
)
PRESETS = {
    "paper": Preset(PAPER, weights=None, summary="released code, 128 px"),
    "256": Preset(Options(size=256), weights=None, summary="256 px"),
    "384": Preset(
        Options(width=48, critic_width=48, critic_fc=512, size=384), weights=None, summary="384 px, width 48"
    ),
    "hr": Preset(
        Options(
            width=48,
            layers=7,
            skip=6,
            inject=6,
            critic_width=48,
            critic_layers=7,
            critic_fc=512,
            size=768,
        ),
        weights=None,
        summary="STGAN-HR of the CooGAN paper: seven layers, 768 px",
    ),
}


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "stgan-demo.json")
    demo = Preset(DEMO, weights=pin and (pin,), summary="narrow, trained on drawn faces")
    return [
        MethodSpec(
            name="stgan",
            version="1",
            summary="U-Net told the label difference, selective transfer units in its skips",
            paper="arXiv:1904.09709",
            attributes=THIRTEEN,
            resolutions=(),
            load=load,
            options=Options,
            presets={"demo": demo, **PRESETS},
            recipes=recipes,
            layouts=LAYOUTS,
        )
    ]


def load(options: Options, context: LoadContext) -> WholePicture:
    """The editor with checked weights, keys `editor.*`."""
    from .model import editor

    return editor(options, context)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """One stage: generator and critic."""
    from .model import stage

    return (stage(options),)
