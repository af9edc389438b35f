"""AttGAN: the target labels join at the bottleneck; reconstruction keeps what was not asked for."""

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
    """Defaults are the first TensorFlow release's, which the paper's numbers come from."""

    skip: int = 1  # levels joined by plain skip connections, counted from the deepest
    inject: int = 1  # decoder layers after which the labels are appended once more
    scale: float = 0.5  # labels become ±scale; the second TensorFlow release has ±1


PAPER = Options()
DEMO = Options(
    width=16,
    layers=4,
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
    "paper": Preset(PAPER, weights=None, summary="first TensorFlow release, 128 px"),
    "256": Preset(Options(size=256), weights=None, summary="256 px"),
    "384": Preset(
        Options(width=48, critic_width=48, critic_fc=512, size=384), weights=None, summary="384 px, width 48"
    ),
    "hr": Preset(
        Options(width=48, layers=7, critic_width=48, critic_layers=7, critic_fc=512, size=768),
        weights=None,
        summary="AttGAN-HR of the CooGAN paper: seven layers, 768 px",
    ),
    "v2": Preset(
        Options(scale=1.0, steps=284_000, decay="linear"),
        weights=None,
        summary="second TensorFlow release: labels ±1, 60 epochs",
    ),
    "port": Preset(
        Options(slope=0.01, epsilon=1e-5, momentum=0.1),
        weights=None,
        summary="constants of the PyTorch port, for its weights",
    ),
}


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "attgan-demo.json")
    demo = Preset(DEMO, weights=pin and (pin,), summary="narrow, trained on drawn faces")
    return [
        MethodSpec(
            name="attgan",
            version="1",
            summary="U-Net told the target labels, one skip connection",
            paper="arXiv:1711.10678",
            attributes=THIRTEEN,
            resolutions=(),
            load=load,
            options=Options,
            presets={"demo": demo, **PRESETS},
            recipes=recipes,
            layouts=LAYOUTS,
            needs=("labels",),
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
