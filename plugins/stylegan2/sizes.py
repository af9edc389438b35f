"""How large a StyleGAN2 is: resolution, channels per resolution, mapping network."""

from __future__ import annotations

from dataclasses import dataclass

from faceedit_bench.api import BadConfig

WIDEST = 512  # channels


@dataclass(frozen=True)
class Sizes:
    """Defaults are configuration F at 1024 pixels (StyleGAN2 paper, appendix B)."""

    size: int = 1024  # pixels per side: a power of two, at least 8
    channels: tuple[int, ...] = (512, 512, 512, 512, 512, 256, 128, 64, 32)  # from 4 px up
    w_dim: int = 512  # also of z
    n_mlp: int = 8  # layers of the mapping network

    def __post_init__(self) -> None:
        if self.size < 8 or self.size & (self.size - 1):
            raise BadConfig(f"size wants a power of two from 8 up, found {self.size}")
        wanted = self.size.bit_length() - 2
        if len(self.channels) != wanted or min(self.channels) < 1:
            raise BadConfig(
                f"channels wants {wanted} positive numbers for {self.size} px, one for each of "
                f"{', '.join(map(str, self.resolutions))} px; found {list(self.channels)}"
            )
        if self.w_dim < 1 or self.n_mlp < 1:
            raise BadConfig(f"w_dim and n_mlp want at least 1, found {self.w_dim} and {self.n_mlp}")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """4, 8, … size."""
        return tuple(2**power for power in range(2, self.size.bit_length()))

    @property
    def n_latent(self) -> int:
        """Codes of W+: 2 · log2(size) − 2."""
        return 2 * self.size.bit_length() - 4

    def at(self, resolution: int) -> int:
        """Channels at a resolution."""
        return self.channels[self.resolutions.index(resolution)]


def config_f(size: int, multiplier: int = 2) -> Sizes:
    """Configuration F: channels halve with every doubling above 64 px; the multiplier scales 64 px and up."""
    resolutions = (2**power for power in range(2, size.bit_length()))
    return Sizes(
        size, tuple(min(WIDEST, multiplier * 16_384 // side) if side > 32 else WIDEST for side in resolutions)
    )


NANO32 = Sizes(32, (64, 64, 64, 32), w_dim=64, n_mlp=4)
MICRO64 = Sizes(64, (64, 64, 64, 32, 16), w_dim=64, n_mlp=4)
TINY64 = Sizes(64, (128, 128, 128, 64, 32), w_dim=128, n_mlp=4)
SMALL128 = Sizes(128, (256, 256, 256, 128, 64, 32), w_dim=256)
FULL1024 = Sizes()
