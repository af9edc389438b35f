"""SeCGAN: a second GAN edits the face's segments beside the first, in training only, and both must agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import THIRTEEN, BadConfig, LoadContext, MethodSpec, Pin, Preset, hookimpl

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from ..unet.editor import WholePicture
    from .editor import Concat


@dataclass(frozen=True)
class Options:
    """What both backbones have in common."""

    attributes: tuple[str, ...] = THIRTEEN
    branch: Literal["semantic", "concat", "none"] = "semantic"  # "none": the plain difference-vector baseline
    lambda_sc: float = 0.01  # weight of both semantic consistency losses, equations 11 and 12
    sc_start: int = 0  # critic step after which they count

    # the parser P
    parser: Literal["unet", "bisenet"] = "bisenet"  # "unet": small, a first stage trains it on exact segments
    parser_width: int = 16  # channels of the U-Net's first level
    parser_size: int = 512  # pixels per side at which BiSeNet looks; 0 that of the picture

    # networks
    width: int = 64  # channels of the generators' first layer
    critic_width: int = 64
    size: int = 128  # pixels per side in training

    # training
    penalty: float = 10.0  # λ_gp
    critic_attributes: float = 1.0  # λ_cls of the critics
    editor_attributes: float = 1.0  # λ_cls of the generators
    reconstruction: float = 10.0  # λ_rec, of L1 and of the segments' cross-entropy
    critic_steps: int = 5  # critic updates per generator update
    editor_batch: Literal["same", "fresh"] = "same"  # algorithm 1: that of the critic step before
    lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    steps: int = 200_000  # critic updates
    batch_size: int = 16
    decay: Literal["tenth", "linear", "exponential", "none"] = "linear"  # of the learning rate
    decay_at: float = 0.5  # fraction of the steps from which it falls
    targets: Literal["permuted", "mixed"] = "permuted"  # "mixed": half of the rows ask for one flip
    parser_lr: float = 1e-3  # of the stage that trains the small parser

    def __post_init__(self) -> None:
        if self.lambda_sc < 0 or self.sc_start < 0:
            found = f"{self.lambda_sc} and {self.sc_start}"
            raise BadConfig(f"secgan: lambda_sc and sc_start must not be negative, found {found}")
        if self.branch != "semantic" and (self.lambda_sc or self.sc_start):
            raise BadConfig(
                f"secgan: branch={self.branch!r} has no second generator to agree with; give lambda_sc=0 and "
                f"sc_start=0 with it, found {self.lambda_sc:g} and {self.sc_start}"
            )


@dataclass(frozen=True)
class StarGANOptions(Options):
    """The StarGAN backbone at the paper's settings."""

    blocks: int = 6  # residual blocks
    critic_layers: int = 6


@dataclass(frozen=True)
class AttGANOptions(Options):
    """The AttGAN backbone at the paper's settings and with the constants of the PyTorch port."""

    layers: int = 5  # halvings of the picture
    slope: float = 0.01  # of the encoder's LeakyReLU
    epsilon: float = 1e-5  # of batch norm
    momentum: float = 0.1  # of its running statistics
    critic_layers: int = 5
    critic_fc: int = 1024  # hidden units of each head
    critic_norm: bool = True  # instance norm; the paper's table shows none, the port has it
    editor_attributes: float = 10.0
    reconstruction: float = 100.0
    lr: float = 2e-4
    steps: int = 1_137_400  # 200 epochs of 5 687 batches
    batch_size: int = 32
    decay: Literal["tenth", "linear", "exponential", "none"] = "exponential"  # to 2e-6; the port steps once


STARGAN_DEMO = StarGANOptions(
    parser="unet",
    parser_width=8,
    width=16,
    blocks=3,
    critic_width=32,
    critic_layers=5,
    reconstruction=200.0,
    critic_steps=1,
    lr=5e-4,
    decay="tenth",
    decay_at=0.8,
    targets="mixed",
    parser_lr=1e-2,
)
ATTGAN_DEMO = AttGANOptions(
    parser="unet",
    parser_width=8,
    width=16,
    layers=4,
    critic_width=32,
    critic_fc=128,
    editor_attributes=20.0,
    momentum=0.01,
    critic_steps=2,
    lr=5e-4,
    decay="tenth",
    decay_at=0.8,
    targets="mixed",
    parser_lr=1e-2,
)


def presets(name: str, paper: Options, demo: Options) -> dict[str, Preset]:
    """SeCGAN and what the paper compares it with: the same networks without it, or told the segments."""
    baseline = {"branch": "none", "lambda_sc": 0.0}
    concat = {"branch": "concat", "lambda_sc": 0.0}
    demos = {
        "demo": (demo, "narrow, trained on drawn faces"),
        "concat-demo": (replace(demo, **concat), "as demo, told the segments instead"),
        "baseline-demo": (replace(demo, **baseline), "as demo, without any segments"),
    }
    papers = {
        "paper": (paper, "SeCGAN, 128 px"),
        "256": (replace(paper, size=256), "SeCGAN, 256 px"),
        "concat": (replace(paper, **concat), "the paper's Concat: told the segments, needs the parser"),
        "baseline": (replace(paper, **baseline), "the paper's baseline: difference vector, no segments"),
    }
    found = {key: Pin.from_card(Path(__file__).parent / f"{name}-{key}.json") for key in demos}
    return {
        **{
            key: Preset(options, found[key] and (found[key],), told) for key, (options, told) in demos.items()
        },
        **{key: Preset(options, None, told) for key, (options, told) in papers.items()},
    }


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    stargan = presets("secgan-stargan", StarGANOptions(), STARGAN_DEMO)
    attgan = presets("secgan-attgan", AttGANOptions(), ATTGAN_DEMO)
    unnormed = AttGANOptions(critic_norm=False)
    attgan["paper-table"] = Preset(unnormed, None, "critics without a norm, as the paper's table prints them")
    return [
        method("secgan-stargan", "StarGAN", StarGANOptions, stargan),
        method("secgan-attgan", "AttGAN", AttGANOptions, attgan),
    ]


def method(name: str, backbone: str, options: type, offered: dict[str, Preset]) -> MethodSpec:
    return MethodSpec(
        name=name,
        version="1",
        summary=f"{backbone} told the label difference, taught by a second GAN on the face's segments",
        paper="arXiv:2111.09298",
        attributes=THIRTEEN,
        resolutions=(),
        load=load,
        options=options,
        presets=offered,
        recipes=recipes,
    )


def load(options: Options, context: LoadContext) -> WholePicture | Concat:
    """The editor with checked weights, keys `editor.*`, and `parser.*` where it is told the segments."""
    from .editor import editor

    return editor(options, context)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """The small parser, where it is used; then generators and critics."""
    from .training import stages

    return stages(options)
