"""StyleGAN2's generator: mapping network and synthesis, with hooks for methods that change its features.

Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: "Analyzing and Improving the Image Quality of StyleGAN",
CVPR 2020, arXiv 1912.04958, configuration F. Keys and buffers of the state dict are those of
rosinality/stylegan2-pytorch, which e4e, pSp, ReStyle, HyperStyle, HFGI and CLCAE share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from faceedit_bench.api import BadConfig

from .layers import ConstantInput, EqualLinear, PixelNorm, StyledConv, ToRGB
from .sizes import Sizes

MAPPING_RATE = 0.01  # learning rate of the mapping network relative to the rest
Hook = Callable[[Tensor], Tensor]  # features (B, C, r, r) of a layer -> those that take their place


class Generator(nn.Module):
    """Codes to pictures; z (B, w_dim) ~ N(0, 1), w (B, w_dim), W+ (B, n_latent, w_dim).

    Code 0 drives `conv1`, code 1 `to_rgb1`; of the j-th doubling, codes 2j + 1 and 2j + 2 drive `convs.{2j}`
    and `convs.{2j+1}`, and code 2j + 3, which the next doubling uses too, drives `to_rgbs.{j}`.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        w_dim = sizes.w_dim
        self.style = nn.Sequential(
            PixelNorm(),
            *(EqualLinear(w_dim, w_dim, lr_mul=MAPPING_RATE, is_activated=True) for _ in range(sizes.n_mlp)),
        )
        first = sizes.channels[0]
        self.input = ConstantInput(first)
        self.conv1 = StyledConv(first, first, w_dim)
        self.to_rgb1 = ToRGB(first, w_dim, is_first=True)
        self.convs, self.to_rgbs, self.noises = nn.ModuleList(), nn.ModuleList(), nn.Module()
        for before, after in pairwise(sizes.channels):
            self.convs.append(StyledConv(before, after, w_dim, doubles=True))
            self.convs.append(StyledConv(after, after, w_dim))
            self.to_rgbs.append(ToRGB(after, w_dim))
        for number, noise in enumerate(stored_noise(sizes)):
            self.noises.register_buffer(f"noise_{number}", noise)

    def forward(self, z: Tensor) -> Tensor:
        """(B, w_dim) -> (B, 3, size, size): one code for all layers, stored noise."""
        return self.synthesize(self.spread(self.style(z)))

    def spread(self, w: Tensor) -> Tensor:
        """(B, w_dim) -> (B, n_latent, w_dim): the same code for every layer."""
        return w[:, None].expand(-1, self.sizes.n_latent, -1)

    def synthesize(
        self,
        w_plus: Tensor,
        noise: Literal["const", "random"] | Sequence[Tensor] = "const",
        hooks: Mapping[str, Hook] | None = None,
        *,
        hooks_reach_rgb: bool = True,
        until: str | None = None,
    ) -> Tensor:
        """(B, n_latent, w_dim) -> (B, 3, size, size), not clamped.

        `noise` is the stored one, fresh from torch's global generator, or given, (1 or B, 1, r, r) per
        layer. `hooks` are called on the output of the layer of that name, before the ToRGB that follows it;
        what they return is used from there on, by that ToRGB too unless `hooks_reach_rgb` is False. With
        `until`, the name of a layer, nothing after it is computed, and its features are given back.
        """
        hooks = hooks or {}
        self._check(w_plus, [*hooks, *([until] if until else [])])
        sources = self._noise(noise, w_plus)
        x = self.conv1(self.input(len(w_plus)), w_plus[:, 0], sources[0])
        x, shown = _hooked(x, hooks.get("conv1"), hooks_reach_rgb)
        if until == "conv1":
            return x
        picture = self.to_rgb1(shown, w_plus[:, 1], None)
        for j, to_rgb in enumerate(self.to_rgbs):
            for number in (2 * j, 2 * j + 1):
                x = self.convs[number](x, w_plus[:, number + 1], sources[number + 1])
                x, shown = _hooked(x, hooks.get(f"convs.{number}"), hooks_reach_rgb)
                if until == f"convs.{number}":
                    return x
            picture = to_rgb(shown, w_plus[:, 2 * j + 3], picture)
        return picture

    @torch.no_grad()
    def mean_code(self, generator: torch.Generator, samples: int = 10_000) -> Tensor:
        """(w_dim,): mean of mapped z, for checkpoints that do not store it."""
        z = torch.randn(samples, self.sizes.w_dim, generator=generator)
        return self.style(z.to(self.input.input.device)).mean(0)

    def layers(self) -> list[str]:
        """Names that hooks may have."""
        return ["conv1", *(f"convs.{number}" for number in range(len(self.convs)))]

    def _check(self, w_plus: Tensor, layers: Sequence[str]) -> None:
        wanted = (self.sizes.n_latent, self.sizes.w_dim)
        if w_plus.dim() != 3 or w_plus.shape[1:] != wanted:
            raise BadConfig(
                f"a generator of {self.sizes.size} px wants codes (B, {wanted[0]}, {wanted[1]}), "
                f"found {tuple(w_plus.shape)}"
            )
        unknown = [name for name in layers if name not in self.layers()]
        if unknown:
            raise BadConfig(f"no layer {unknown[0]!r} to hook; layers: {', '.join(self.layers())}")

    def _noise(self, noise: str | Sequence[Tensor], w_plus: Tensor) -> list[Tensor]:
        if isinstance(noise, str) and noise == "const":
            return [getattr(self.noises, f"noise_{number}") for number in range(1 + len(self.convs))]
        if isinstance(noise, str):
            return [
                w_plus.new_empty(len(w_plus), 1, side, side).normal_() for side in noise_sides(self.sizes)
            ]
        if len(noise) != 1 + len(self.convs):
            raise BadConfig(f"noise wants {1 + len(self.convs)} tensors, one per layer; found {len(noise)}")
        return list(noise)


class StyleGAN2(nn.Module):
    """A generator together with the average of its codes, as weights files keep them."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.generator = Generator(sizes)
        self.register_buffer("latent_avg", torch.zeros(sizes.n_latent, sizes.w_dim))

    def forward(self, w_plus: Tensor, noise: Literal["const", "random"] = "const") -> Tensor:
        """(B, n_latent, w_dim) -> (B, 3, size, size)."""
        return self.generator.synthesize(w_plus, noise)

    def codes(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """(B, w_dim) -> (B, n_latent, w_dim): w̄ + ψ(w − w̄)."""
        return torch.lerp(self.latent_avg, self.generator.spread(self.generator.style(z)), truncation)


def stored_noise(sizes: Sizes) -> list[Tensor]:
    """(1, 1, r, r) for each layer, the same in every new generator."""
    place, source = torch.get_default_device(), torch.Generator().manual_seed(0)
    return [
        torch.randn(1, 1, side, side, generator=source, device="cpu").to(place) for side in noise_sides(sizes)
    ]


def noise_sides(sizes: Sizes) -> list[int]:
    """Pixels per side of each layer's noise: 4, 8, 8, 16, 16, …"""
    return [4, *(side for side in sizes.resolutions[1:] for _ in range(2))]


def _hooked(x: Tensor, hook: Hook | None, reaches_rgb: bool) -> tuple[Tensor, Tensor]:
    """(features from here on, features that the next ToRGB sees)."""
    if hook is None:
        return x, x
    changed = hook(x)
    return changed, changed if reaches_rgb else x
