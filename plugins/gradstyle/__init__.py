"""GradStyle: what e4e's inversion loses is added to the generator's features, moved to fit the edit."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from faceedit_bench.api import BadConfig, LoadContext, MethodSpec, Pin, Preset, hookimpl

from .. import e4e

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from .editor import GradStyle

BASE = "../e4e/e4e-demo"  # beside this plugin: the weights that the demo stands on


@dataclass(frozen=True)
class Options(e4e.InversionOptions):
    """Defaults are the paper's, or the build sheet's where the paper is silent; README.md says which."""

    base: str = ""  # weights file of e4e these stand on; "" the one that is shipped for the demo

    # modules
    blocks: tuple[int, ...] = (3, 6, 8)  # refined ones, counted from 1: Table 3
    hierarchy: Literal["all", "c3", "p2", "p1"] = "all"  # Table 4, "only hierarchical I, II, III"
    grm: bool = True  # False is Table 4's "w/o GRM": the encoder's features, projected
    gam: bool = True  # False is Table 4's "w/o GAM": residuals are added where they are
    width: int = 512  # t, channels inside a residual module; at most those of its block
    head_width: int = 64  # d_k, channels of an attention head
    layers: int = 3  # N, of attention
    ffn: int = 1024
    mu: float = 20.0  # μ: per cent of the residuals that a place may look at; 100 is ordinary attention
    mask: Literal["neg_inf", "multiply"] = "neg_inf"  # "multiply": the others keep a share, as printed
    positions: Literal["1d", "2d"] = "1d"  # code of the flattened place, or of row and column
    carries_positions: bool = True  # False: the code helps to look, and is no part of what is brought
    query_gain: float = 0.0  # above 0 queries and keys start alike and so many times as large as usual
    torgb_sees_refined: bool = True

    # training
    l2: float = 1.0
    adversarial: float = 0.001  # 0 leaves the critic out
    residual: float = 0.01  # weight of Σ ‖g ⊙ F‖₁
    alignment: float = 0.1  # weight of Σ ‖F' − F‖₁
    distortion: float = 0.15  # of the warp that aligners learn to undo
    warped: float = 0.8  # share of pictures that are warped
    gate_grad_from_edit: bool = False  # whether gates learn from the editing stream as well
    loss_size: int = 256  # pixels per side at which L2 is taken; the critic sees the full size
    r1: float = 10.0  # weight of the critic's gradient penalty, every 16 steps
    lr: float = 1e-4
    critic_lr: float = 1e-4
    lookahead: int = 6  # updates between two of Lookahead's; 0 is plain Adam
    steps: int = 70_000
    batch_size: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        last = self.generator_sizes.n_latent
        if not self.blocks or list(self.blocks) != sorted(set(self.blocks)):
            raise BadConfig(f"gradstyle: blocks wants rising numbers, found {list(self.blocks)}")
        if self.blocks[0] < 3 or self.blocks[-1] > last:
            raise BadConfig(
                f"gradstyle: a generator of {self.size} px has blocks 3 to {last} to refine, "
                f"found {list(self.blocks)}"
            )
        if not 0 < self.mu <= 100:
            raise BadConfig(f"gradstyle: mu wants more than 0 and at most 100 per cent, found {self.mu:g}")
        if self.query_gain < 0:
            raise BadConfig(f"gradstyle: query_gain must not be negative, found {self.query_gain:g}")
        if self.loss_size > self.size:
            raise BadConfig(
                f"gradstyle: loss_size {self.loss_size} is more than the generator's {self.size} px"
            )


def over(base: e4e.Options, **others: Any) -> Options:
    """Options for the inversion that e4e's options make."""
    inversion = {field.name: getattr(base, field.name) for field in fields(e4e.InversionOptions)}
    return Options(**inversion, **others)


SMALL = {"width": 128, "head_width": 64, "layers": 2, "ffn": 512, "loss_size": 128}
PAPER = Options()
LITE = replace(PAPER, width=128, layers=2, ffn=512)
DEMO = over(
    e4e.DEMO,
    width=32,
    head_width=16,
    layers=1,
    ffn=64,
    positions="2d",
    carries_positions=False,
    query_gain=10.0,
    alignment=1.0,
    loss_size=64,
    lr=1e-3,
    critic_lr=1e-3,
    steps=1600,
)


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    here = Path(__file__).parent
    pin, base = Pin.from_card(here / "gradstyle-demo.json"), Pin.from_card(here / f"{BASE}.json")
    pins = (pin, replace(base, file=f"{BASE}.safetensors")) if pin and base else None
    small = over(e4e.PRESETS["small128"].options, **SMALL)
    return [
        MethodSpec(
            name="gradstyle",
            version="1",
            summary="e4e's inversion, and the lost detail added to features where attention fits it in",
            paper="arXiv:2402.14398",
            attributes=(),
            resolutions=(),
            load=load,
            options=Options,
            presets={
                "demo": Preset(DEMO, pins, "64 px, narrow, trained on drawn faces over e4e's demo"),
                "paper": Preset(PAPER, None, "1024 px, over the released e4e: --option base=FILE"),
                "lite": Preset(LITE, None, "the same with residual modules a quarter as wide"),
                "small128": Preset(small, None, "128 px, over e4e's small128"),
            },
            recipes=recipes,
        )
    ]


def load(options: Options, context: LoadContext) -> GradStyle:
    """The editor with checked weights, keys `gradstyle.*`; e4e's come from a file of their own."""
    from .editor import editor

    return editor(options, context)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """One stage; generator and encoder are given."""
    from .training import stage

    return (stage(options),)
