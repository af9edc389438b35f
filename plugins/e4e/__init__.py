"""e4e: an encoder finds a face's codes in StyleGAN2's latent space, a direction changes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from faceedit_bench.api import THIRTEEN, LoadContext, MethodSpec, Pin, Preset, hookimpl

from ..stylegan2.sizes import FULL1024, MICRO64, SMALL128, Sizes, config_f
from . import direction_file
from .layouts import LAYOUTS
from .sizes import EncoderSizes

if TYPE_CHECKING:
    from faceedit_bench.train import Recipe

    from .editor import E4E


@dataclass(frozen=True)
class InversionOptions:
    """What an inversion is made of, and its directions. Defaults are the released model's, 1024 pixels."""

    size: int = FULL1024.size  # pixels per side of the generator's pictures
    channels: tuple[int, ...] = FULL1024.channels  # of the generator, from 4 px up
    w_dim: int = FULL1024.w_dim
    n_mlp: int = FULL1024.n_mlp  # layers of the mapping network
    encoder_size: int = 256  # pixels per side of what the encoder sees
    widths: tuple[int, ...] = (64, 128, 256, 512)  # of the encoder's stages
    units: tuple[int, ...] = (3, 4, 14, 3)
    heads: Literal["e4e", "psp"] = "e4e"  # distances from the first code, or codes

    # editing
    directions: str = ""  # TOML file that says which attribute is which direction
    directions_sha256: str = ""  # of that file and those it names; always computed
    offered: tuple[str, ...] = ()  # attributes of that file to offer, in this order; () all
    learned: tuple[str, ...] = ()  # attributes whose directions are in the weights file
    step: float = 2.0  # α of a linear direction at strength 1; GradStyle's for pose and smile

    def __post_init__(self) -> None:
        found = direction_file.digest(Path(self.directions)) if self.directions else ""
        object.__setattr__(self, "directions_sha256", found)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What it can change: of the directions file first, then what its weights learned."""
        named = tuple(direction_file.read(Path(self.directions))) if self.directions else ()
        return self.offered or (*named, *(name for name in self.learned if name not in named))

    @property
    def generator_sizes(self) -> Sizes:
        return Sizes(self.size, self.channels, self.w_dim, self.n_mlp)

    @property
    def encoder_sizes(self) -> EncoderSizes:
        codes = self.generator_sizes.n_latent
        return EncoderSizes(codes, self.w_dim, self.encoder_size, self.widths, self.units, self.heads)


@dataclass(frozen=True)
class Options(InversionOptions):
    """With the training of generator, encoder and directions."""

    holds: Literal["inversion", "generator"] = "inversion"  # "generator": weights without an encoder

    # training
    lr: float = 2e-3  # of generator and discriminator
    r1: float = 10.0  # weight of the discriminator's gradient penalty, every 16 steps
    path_length: float = 2.0  # weight of the generator's, every 4 steps
    mixing: float = 0.9  # share of pictures made with two codes
    gan_steps: int = 800_000  # 0: no such stage, the generator is the decoder of an autoencoder instead
    gan_batch: int = 32
    autoencoder_steps: int = 20_000  # of that stage; only without the other
    autoencoder_lr: float = 2e-3
    encoder_lr: float = 1e-4
    l2: float = 1.0
    l1: float = 0.0  # weight of differences at four scales, for want of LPIPS
    offset_norm: float = 2e-4  # weight of the lengths of the Δ
    latent_adversarial: float = 0.1  # weight of looking like mapped codes; 0 leaves its critic out
    progressive_from: int = 20_000  # steps with the first code only
    progressive_every: int = 2_000  # steps after which one more Δ joins
    encoder_steps: int = 200_000
    encoder_batch: int = 8
    direction_steps: int = 2_000


def sized(sizes: Sizes, widths: tuple[int, ...], units: tuple[int, ...], **others: object) -> Options:
    """Options of a generator's sizes and a smaller encoder that sees pictures of at most 256 px."""
    return Options(
        sizes.size,
        sizes.channels,
        sizes.w_dim,
        sizes.n_mlp,
        encoder_size=min(sizes.size, 256),
        widths=widths,
        units=units,
        **others,  # type: ignore[arg-type]
    )


DRAWN = {
    "learned": THIRTEEN,
    "gan_steps": 0,
    "autoencoder_steps": 14_000,
    "encoder_lr": 5e-4,
    "l1": 1.0,
    "latent_adversarial": 0.01,
    "progressive_from": 1000,
    "progressive_every": 100,
    "encoder_steps": 3000,
}
DEMO = sized(MICRO64, (8, 16, 32, 64), (2, 2, 2, 2), **DRAWN)
PRESETS = {
    "paper": Preset(Options(), weights=None, summary="released sizes, 1024 px; import the authors' weights"),
    "256": Preset(
        sized(config_f(256), (64, 128, 256, 512), (3, 4, 14, 3)), weights=None, summary="the same for 256 px"
    ),
    "small128": Preset(
        sized(SMALL128, (32, 64, 128, 256), (3, 4, 6, 3), learned=THIRTEEN, latent_adversarial=0.0),
        weights=None,
        summary="128 px, half as wide, directions learned from labels",
    ),
}


@hookimpl
def faceedit_methods() -> list[MethodSpec]:
    pin = Pin.from_card(Path(__file__).parent / "e4e-demo.json")
    demo = Preset(DEMO, weights=pin and (pin,), summary="64 px, narrow, trained on drawn faces")
    return [
        MethodSpec(
            name="e4e",
            version="1",
            summary="inversion into StyleGAN2's W+ by an encoder, editing along directions",
            paper="arXiv:2102.02766",
            attributes=(),
            resolutions=(),
            load=load,
            options=Options,
            presets={"demo": demo, **PRESETS},
            recipes=recipes,
            layouts=LAYOUTS,
        )
    ]


def load(options: Options, context: LoadContext) -> E4E:
    """The editor with checked weights, keys `stylegan2.*`, `encoder.*`, `directions.*`."""
    from .editor import editor

    return editor(options, context)


def recipes(options: Options) -> tuple[Recipe, ...]:
    """Generator, then encoder, then directions for what is to be learned."""
    from .training import stages

    return stages(options)
