"""CooGAN: a global editor works on a small snapshot, a local one renders the full picture patch by patch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import (
    THIRTEEN,
    BadConfig,
    LoadContext,
    MethodSpec,
    Pin,
    Preset,
    Reproduction,
    hookimpl,
)

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from .pipeline import CooGAN


@dataclass(frozen=True)
class Options:
    """Defaults are the paper's, or the released code's where the paper is silent; README.md says which."""

    # global generator and its critic
    width: int = 32  # channels of the first layer; doubled per layer, at most 1024
    layers: int = 5  # halvings of the snapshot
    skip: int = 4  # levels joined by skip connections, counted from the deepest
    unit: Literal["lstu", "stu", "none"] = "lstu"  # what filters a skip connection
    critic_width: int = 32
    critic_layers: int = 5
    critic_fc: int = 768  # hidden units of each head

    # local generator and its critic
    local_width: int = 32
    local_layers: int = 5
    local_skip: int = 4
    local_unit: Literal["lstu", "stu", "none"] = "lstu"
    local_critic_width: int = 32
    local_critic_layers: int = 7
    local_critic_fc: int = 768
    local_view: Literal["stitched", "macro"] = "stitched"  # what the local critic sees: all, or 2×2 patches
    local_size: int = 768  # side of the training pictures of stage 2, a multiple of `patch`

    # inference, section 3.2 and our choices
    snapshot: int = 256  # pixels per side of what the global generator sees
    patch: int = 128  # pixels per side of what the local generator sees
    patch_batch: int = 1  # patches per call of the local generator; changes memory and speed, not the result
    pad_mode: Literal["replicate", "constant"] = "replicate"  # to a square of whole patches
    down_mode: Literal["bicubic", "bilinear"] = "bicubic"  # picture -> snapshot, anti-aliased
    up_mode: Literal["bilinear", "bicubic", "nearest"] = "bilinear"  # edited snapshot -> picture size
    keep_on_device: bool = False  # full-size pictures on the device as well: faster, more memory
    strength: float = 2.0  # the released tester doubles the edited entry before subtracting: ±1.5
    guide: Literal["edited", "input"] = "edited"  # "input": without the global generator, figure 6

    # training, section 3.3 and the released code
    penalty: float = 10.0  # weight of the gradient penalty
    critic_attributes: float = 1.0  # weight of the critic's attribute loss on real pictures
    editor_attributes: float = 10.0  # weight of the attribute loss on edited pictures
    reconstruction: float = 100.0  # weight of L1 under zero difference
    consistency: float = 0.0  # ours: weight of L1 between the shrunken result and the edited snapshot; try 10
    critic_steps: int = 5  # critic updates per editor update, each with a fresh batch
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.99
    steps: int = 758_000  # of each stage, critic updates: 200 epochs of 758 editor updates
    batch_size: int = 40  # of stage 1
    local_batch_size: int = 2  # of stage 2: 72 patches
    decay: Literal["tenth", "linear", "none"] = "tenth"  # of the learning rate, from `decay_at` on
    decay_at: float = 0.5  # fraction of the steps: epoch 100 of 200
    momentum: float = 0.001  # of running batch-norm statistics; TensorFlow's decay 0.999
    targets: Literal["permuted", "mixed"] = "permuted"  # "mixed": half of the rows ask for one flip
    checkpointing: bool = False  # stage 2: recompute each row of patches in the backward pass, for memory

    def __post_init__(self) -> None:
        for name, wanted in (
            ("snapshot", 2**self.layers),
            ("patch", 2**self.local_layers),
            ("local_size", self.patch),
        ):
            if (found := getattr(self, name)) < 1 or found % wanted:
                raise BadConfig(f"coogan: {name} must be a multiple of {wanted}, found {found}")
        if self.patch_batch < 1:
            raise BadConfig(f"coogan: patch_batch must be at least 1, found {self.patch_batch}")
        if self.consistency and self.local_view != "stitched":
            raise BadConfig('coogan: consistency compares whole pictures and wants local_view = "stitched"')


PAPER = Options()
RELEASE = Options(lr=3e-4, beta2=0.999)
MACRO = Options(local_view="macro", local_critic_layers=5)
NO_GLOBAL = Options(guide="input")
DEMO = Options(
    width=16,
    layers=4,
    skip=3,
    critic_width=32,
    critic_layers=4,
    critic_fc=128,
    local_width=16,
    local_layers=3,
    local_skip=2,
    local_critic_width=32,
    local_critic_layers=5,
    local_critic_fc=128,
    local_size=128,
    snapshot=64,
    patch=64,
    patch_batch=4,
    editor_attributes=20.0,
    critic_steps=2,
    lr=5e-4,
    momentum=0.01,
    decay_at=0.8,
    targets="mixed",
)


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "coogan-demo.json")
    return [
        MethodSpec(
            name="coogan",
            version="1",
            summary="patch-wise editing of large pictures, guided by an edited snapshot",
            paper="arXiv:2011.01563",
            attributes=THIRTEEN,
            resolutions=(),
            load=load,
            options=Options,
            presets={
                "demo": Preset(DEMO, weights=pin and (pin,), summary="narrow, trained on drawn faces"),
                "paper": Preset(PAPER, weights=None, summary="sizes and rates of the paper"),
                "release": Preset(RELEASE, weights=None, summary="sizes and rates of the released code"),
                "macro": Preset(MACRO, weights=None, summary="the local critic sees 2×2 patches"),
                "no-global": Preset(NO_GLOBAL, weights=None, summary="no global generator: figure 6"),
            },
            recipes=recipes,
            reproductions={"coogan-table3": table3},
        )
    ]


def load(options: Options, context: LoadContext) -> CooGAN:
    """The editor with checked weights: one file, keys `global.*` and `local.*`."""
    from .model import generators
    from .pipeline import CooGAN

    return CooGAN(context.restore(generators(options)), options, context.device)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """Stage 1 trains the global generator, stage 2 the local one beside the frozen global one."""
    from .losses import stages

    return stages(options)


def table3() -> Reproduction:
    """Memory at 768 px."""
    from .table3 import reproduce

    return reproduce()
