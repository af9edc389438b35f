"""LSTU-Net: STGAN with light units in its skip connections; the design of CooGAN's global generator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import THIRTEEN, LoadContext, MethodSpec, Pin, Preset, Reproduction, hookimpl

from ..unet.options import FamilyOptions
from .layouts import LAYOUTS

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from ..unet.editor import WholePicture


@dataclass(frozen=True)
class Options(FamilyOptions):
    """Defaults are STGAN's, which the paper starts from."""

    unit: Literal["lstu", "none"] = "lstu"  # what filters a skip connection
    skip: int = 4  # levels joined by skip connections, counted from the deepest
    inject: int = 4  # decoder layers after which the difference is appended once more


PAPER = Options(beta2=0.99)
RELEASE = Options(lr=3e-4)
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
    "paper": Preset(PAPER, weights=None, summary="rates of the paper's text, 128 px"),
    "release": Preset(RELEASE, weights=None, summary="rates of the released configuration, 128 px"),
    "256": Preset(
        Options(width=32, critic_width=32, critic_fc=768, size=256, lr=3e-4, batch_size=40, steps=758_000),
        weights=None,
        summary="256 px, width 32: CooGAN's global generator alone",
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
        summary="LSTU-net-HR of the CooGAN paper: seven layers, 768 px",
    ),
    **{
        f"sc{skip}": Preset(
            Options(unit="none", skip=skip, beta2=0.99),
            weights=None,
            summary=f"CooGAN paper, table 1: {skip} plain skip connections, no units",
        )
        for skip in range(5)
    },
}


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "lstunet-demo.json")
    demo = Preset(DEMO, weights=pin and (pin,), summary="narrow, trained on drawn faces")
    return [
        MethodSpec(
            name="lstunet",
            version="1",
            summary="U-Net told the label difference, light selective transfer units in its skips",
            paper="arXiv:2011.01563",
            attributes=THIRTEEN,
            resolutions=(),
            load=load,
            options=Options,
            presets={"demo": demo, **PRESETS},
            recipes=recipes,
            layouts=LAYOUTS,
            reproductions={"coogan-table5": coogan_table5},
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


def coogan_table5() -> Reproduction:
    """The sizes of both units, printed, by formula and counted."""
    from .table5 import reproduce

    return reproduce()
