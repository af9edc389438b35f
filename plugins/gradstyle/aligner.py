"""Global Alignment: attention re-arranges residuals so that they fit the edited features (section 3.3)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from .memory import has_numbers
from .residuals import zeroed

PERIOD = 10_000.0  # of the slowest sine of a position code
Mask = Literal["neg_inf", "multiply"]


def attention_weights(q: Tensor, k: Tensor, keep: int, mask: Mask) -> Tensor:
    """softmax of the `keep` largest scores of each row, (B, heads, L, d) twice -> (B, heads, L, L).

    Equal scores at the edge are all kept. "neg_inf" leaves the others nothing. "multiply" is the paper's
    formula as printed: their scores become 0, and they keep weight e⁰.
    """
    scores = q / math.sqrt(q.shape[-1]) @ k.transpose(-2, -1)
    if keep < scores.shape[-1]:
        is_left_out = scores < least_kept(scores.detach(), keep)
        scores = scores.masked_fill_(is_left_out, -math.inf if mask == "neg_inf" else 0.0)
    return torch.softmax(scores, dim=-1)


def least_kept(scores: Tensor, keep: int) -> Tensor:
    """(…, L) -> (…, 1): the `keep`-th largest of each row."""
    is_plain = not torch.compiler.is_compiling() and has_numbers(scores)
    if is_plain and scores.device.type == "cpu":  # there NumPy takes a seventh of the time
        place = scores.shape[-1] - keep
        return torch.from_numpy(np.partition(scores.float().numpy(), place)[..., place, None])
    return scores.topk(keep, sorted=False).values.amin(-1, keepdim=True)


def kept(mu: float, tokens: int) -> int:
    """How many residuals a place may look at: μ per cent, at least one."""
    return max(1, math.ceil(mu / 100 * tokens))


class SelectiveAttention(nn.Module):
    """Queries look at the tokens with the most similar keys only.

    `query_gain` above 0 lets queries and keys start alike, as many times as large as linear layers usually
    start: each place first looks at itself and near by.
    """

    def __init__(self, channels: int, heads: int, keep: int, mask: Mask, query_gain: float = 0.0) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.v, self.out = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.heads, self.keep, self.mask = heads, keep, mask
        if query_gain > 0:
            with torch.no_grad():
                self.q.weight.mul_(query_gain)
                self.k.weight.copy_(self.q.weight)
                for layer in (self.q, self.k):
                    layer.bias.zero_()

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(B, L, c) each -> (B, L, c)."""
        q, k, v = (
            self._split(part)  # (B, heads, L, d)
            for part in (self.q(queries), self.k(keys), self.v(values))
        )
        attended = attention_weights(q, k, self.keep, self.mask) @ v
        return self.out(attended.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """Attention and two linear layers, each followed by layer norm."""

    def __init__(self, attention: SelectiveAttention, channels: int, ffn: int, *, is_first: bool) -> None:
        super().__init__()
        self.attention = attention
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.ffn = nn.Sequential(nn.Linear(channels, ffn), nn.ReLU(), nn.Linear(ffn, channels))
        self.is_first = is_first

    def forward(self, queries: Tensor, keys: Tensor, tokens: Tensor) -> Tensor:
        """Around the first layer's attention there is no way past: its tokens lie where residuals were."""
        attended = self.attention(queries, keys, tokens)
        tokens = self.norm1(attended if self.is_first else tokens + attended)
        return self.norm2(tokens + self.ffn(tokens))


class Aligner(nn.Module):
    """F' of residuals F and edited features e, both (B, c, h, w).

    e only asks: it is the query of every layer and no part of the answer, which is made of residuals alone.
    The last layer starts at zero, so that at first an edit is e4e's. Position codes are part of queries and
    keys; where `carries_positions` they are part of tokens, and so of what attention brings.
    """

    def __init__(
        self,
        channels: int,
        side: int,
        *,
        layers: int,
        head_width: int,
        ffn: int,
        mu: float,
        mask: Mask,
        positions: Literal["1d", "2d"],
        carries_positions: bool = True,
        query_gain: float = 0.0,
    ) -> None:
        super().__init__()
        heads, keep = channels // head_width, kept(mu, side * side)
        self.layers = nn.ModuleList(
            Layer(
                SelectiveAttention(channels, heads, keep, mask, query_gain),
                channels,
                ffn,
                is_first=number == 0,
            )
            for number in range(layers)
        )
        self.carries_positions = carries_positions
        self.out = zeroed(nn.Linear(channels, channels))
        self.register_buffer("places", position_code(side, channels, positions), persistent=False)

    def forward(self, residual: Tensor, features: Tensor) -> Tensor:
        queries, tokens = (x.flatten(2).transpose(1, 2) for x in (features, residual))  # (B, L, c)
        queries = queries + self.places
        if self.carries_positions:
            tokens = tokens + self.places
        for layer in self.layers:
            tokens = layer(queries, tokens if self.carries_positions else tokens + self.places, tokens)
        return self.out(tokens).transpose(1, 2).unflatten(2, residual.shape[2:])


def position_code(side: int, channels: int, kind: Literal["1d", "2d"]) -> Tensor:
    """(L, c): sines and cosines of the flattened place, or half of them of the row, half of the column."""
    if kind == "1d":
        return sines(torch.arange(side * side), channels)
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.cat([sines(x.flatten(), channels // 2) for x in (row, column)], 1)


def sines(places: Tensor, channels: int) -> Tensor:
    """(L,) -> (L, channels), interleaved (Vaswani et al., 2017, section 3.5)."""
    rates = PERIOD ** (-torch.arange(0, channels, 2) / channels)
    angles = places[:, None] * rates  # (L, channels / 2)
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)
