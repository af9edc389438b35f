"""D_w: does a code come from the mapping network? (e4e paper, section 4.2)"""

from __future__ import annotations

import torch
from torch import Tensor, nn

POOL = 50  # codes kept from earlier steps
CODE_RATE = 2e-5  # of Adam
R1_WEIGHT, R1_EVERY = 10.0, 16


class LatentCritic(nn.Module):
    """(N, w_dim) -> (N, 1): four linear layers. Its pool is a buffer, so that a stopped training goes on."""

    def __init__(self, w_dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.Linear(w_dim, w_dim), nn.LeakyReLU(0.2)]
        self.mlp = nn.Sequential(*layers, nn.Linear(w_dim, 1))
        self.register_buffer("pool", torch.zeros(POOL, w_dim))
        self.register_buffer("kept", torch.zeros((), dtype=torch.int64))

    def forward(self, codes: Tensor) -> Tensor:
        return self.mlp(codes)

    def exchanged(self, codes: Tensor, generator: torch.Generator) -> Tensor:
        """(N, w_dim): each code, or with probability a half an older one, whose place it takes."""
        given = []
        for code in codes:
            kept = int(self.kept)
            if kept < POOL:
                self.pool[kept] = code
                self.kept += 1
                given.append(code)
            elif torch.rand((), generator=generator) < 0.5:
                place = int(torch.randint(POOL, (), generator=generator))
                given.append(self.pool[place].clone())
                self.pool[place] = code
            else:
                given.append(code)
        return torch.stack(given)

    def gradient_energy(self, codes: Tensor) -> Tensor:
        """Mean over codes of ‖∇D_w‖²."""
        codes = codes.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(self(codes).sum(), codes, create_graph=True)
        return gradient.square().sum(1).mean()
