"""How large e4e's encoder is, and which codes see which features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faceedit_bench.api import BadConfig

COARSE, MIDDLE = 3, 7  # codes 0–2 see the coarsest features, 3–6 the middle ones, the others the finest


@dataclass(frozen=True)
class EncoderSizes:
    """Defaults are the released encoder's for a generator of 1024 pixels."""

    n_latent: int = 18  # codes: as many as the generator has
    w_dim: int = 512
    side: int = 256  # pixels per side of what it sees
    widths: tuple[int, ...] = (64, 128, 256, 512)  # channels of the four stages
    units: tuple[int, ...] = (3, 4, 14, 3)  # of each stage
    heads: Literal["e4e", "psp"] = "e4e"  # distances from the first code, or codes

    def __post_init__(self) -> None:
        if self.side < 32 or self.side & (self.side - 1):
            raise BadConfig(f"encoder_size wants a power of two from 32 up, found {self.side}")
        for name, values in (("widths", self.widths), ("units", self.units)):
            if len(values) != 4 or min(values) < 1:
                raise BadConfig(f"{name} wants four positive numbers, found {list(values)}")
