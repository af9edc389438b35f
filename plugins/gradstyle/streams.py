"""Both streams through the same generator: one reconstructs and finds residuals, the other edits with them.

Li, Huang, Zhang, Hu, Liu, Mao: "Gradual Residuals Alignment: A Dual-Stream Framework for GAN Inversion and
Image Attribute Editing", AAAI 2024, arXiv 2402.14398. No code of the authors is known.

    reconstruction   F = GRM(T, f),        f ← f + g ⊙ F,    g = σ(W_g [f, F])
    editing          F' = Aligner(F, e),   e ← e + g' ⊙ F',  g' = σ(W_g [e, F'])

at each refined place, whose own features have been refined at the places before it. Noise is the stored one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from faceedit_bench.api import BadConfig

from ..e4e.encoder import Pyramid
from ..stylegan2.generator import Generator, Hook
from . import Options
from .aligner import Aligner
from .places import Place, places_of
from .residuals import Gate, GradualResidual, Projection

ResidualAt = Callable[[int, Tensor], Tensor]  # number of a place and the features there -> residual


@dataclass(frozen=True)
class Refined:
    """What happened at one place; all (B, c, h, w)."""

    before: Tensor  # f or e
    residual: Tensor  # F or F'
    gate: Tensor

    @property
    def added(self) -> Tensor:
        return self.gate * self.residual

    @property
    def after(self) -> Tensor:
        return self.before + self.added


@dataclass
class Stream:
    """One pass of the generator."""

    picture: Tensor  # (B, 3, size, size), not clamped; where the pass ended early its last features
    refined: list[Refined] = field(default_factory=list)  # by place

    @property
    def residuals(self) -> tuple[Tensor, ...]:
        return tuple(place.residual for place in self.refined)


class Refinement(nn.Module):
    """The modules of all places: `grm`, `gate` (of both streams), `aligner`."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.places = places_of(options)
        self.reaches_rgb = options.torgb_sees_refined
        encoded = options.widths[-1]
        self.grm = nn.ModuleList(residual_module(place, encoded, options) for place in self.places)
        self.gate = nn.ModuleList(Gate(place.channels) for place in self.places)
        self.aligner = nn.ModuleList(aligner(place, options) for place in self.places if options.gam)
        for name in ("generator", "encoder"):  # of the base it was trained on; zeros before training
            self.register_buffer(f"{name}_sha256", torch.zeros(32, dtype=torch.uint8))

    def forward(self, generator: Generator, codes: Tensor, residuals: Sequence[Tensor]) -> Tensor:
        """The editing stream's picture."""
        return self.edit(generator, codes, residuals).picture

    def encoded(self, pyramid: Pyramid) -> list[Tensor]:
        """T for each place: the encoder's features at the place's size."""
        return [resized(pyramid[place.feature], place.side) for place in self.places]

    def reconstruct(
        self, generator: Generator, codes: Tensor, encoded: Sequence[Tensor], *, is_partial: bool = False
    ) -> Stream:
        """The reconstruction stream; `is_partial` ends it where the last residual is known."""

        def residual_at(number: int, features: Tensor) -> Tensor:
            module = self.grm[number]
            if isinstance(module, Projection):
                return module(encoded[number])
            return module(encoded[number], features)

        return self.refine(generator, codes, residual_at, is_partial=is_partial)

    def reconstruct_again(self, generator: Generator, codes: Tensor, residuals: Sequence[Tensor]) -> Stream:
        """The reconstruction stream, to the bit, once residuals are known."""
        return self.refine(generator, codes, lambda number, _: residuals[number])

    def edit(
        self,
        generator: Generator,
        codes: Tensor,
        residuals: Sequence[Tensor],
        *,
        are_gates_frozen: bool = False,
    ) -> Stream:
        """The editing stream. `are_gates_frozen`: gradients pass the gates and leave their weights alone."""

        def residual_at(number: int, features: Tensor) -> Tensor:
            if not self.aligner:
                return residuals[number]
            return self.aligner[number](residuals[number], features)

        return self.refine(generator, codes, residual_at, are_gates_frozen=are_gates_frozen)

    def refine(
        self,
        generator: Generator,
        codes: Tensor,
        residual_at: ResidualAt,
        *,
        are_gates_frozen: bool = False,
        is_partial: bool = False,
    ) -> Stream:
        """A pass of the generator with residuals added at every place."""
        refined: list[Refined] = []

        def hook(number: int) -> Hook:
            def add(features: Tensor) -> Tensor:
                residual = residual_at(number, features)
                gate = self.gate_of(number, features, residual, is_frozen=are_gates_frozen)
                refined.append(Refined(features, residual, gate))
                return refined[-1].after

            return add

        hooks = {place.layer: hook(number) for number, place in enumerate(self.places)}
        picture = generator.synthesize(
            codes,
            "const",
            hooks,
            hooks_reach_rgb=self.reaches_rgb,
            until=self.places[-1].layer if is_partial else None,
        )
        return Stream(picture, refined)

    def gate_of(self, number: int, features: Tensor, residual: Tensor, *, is_frozen: bool = False) -> Tensor:
        gate = self.gate[number]
        if not is_frozen:
            return gate(features, residual)
        weights = {name: value.detach() for name, value in gate.named_parameters()}
        return functional_call(gate, weights, (features, residual))


def residual_module(place: Place, encoded: int, options: Options) -> nn.Module:
    if not options.grm:
        return Projection(encoded, place.channels)
    return GradualResidual(encoded, place.channels, min(options.width, place.channels))


def aligner(place: Place, options: Options) -> Aligner:
    if place.channels % options.head_width or place.channels % 4:
        raise BadConfig(
            f"gradstyle: block {place.block} has {place.channels} channels; wanted a multiple of 4 and of "
            f"head_width, found head_width={options.head_width}"
        )
    return Aligner(
        place.channels,
        place.side,
        layers=options.layers,
        head_width=options.head_width,
        ffn=options.ffn,
        mu=options.mu,
        mask=options.mask,
        positions=options.positions,
        carries_positions=options.carries_positions,
        query_gain=options.query_gain,
    )


def resized(features: Tensor, side: int) -> Tensor:
    """Bilinear; halving takes the mean of 2×2."""
    if features.shape[-1] == side:
        return features
    return F.interpolate(features, size=(side, side), mode="bilinear", align_corners=False)


def sha256(network: nn.Module) -> Tensor:
    """(32,) uint8 over names, shapes and numbers of a network's state."""
    total = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        total.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        total.update(value.detach().cpu().contiguous().numpy().tobytes())
    return torch.tensor(list(total.digest()), dtype=torch.uint8)
