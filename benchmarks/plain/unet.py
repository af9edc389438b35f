"""AttGAN, STGAN and LSTU-Net written out: arXiv 1711.10678, 1904.09709 and 2011.01563."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def planes(condition: Tensor, like: Tensor) -> Tensor:
    """(B, A) -> (B, A, h, w)."""
    return condition.view(*condition.shape, 1, 1).repeat(1, 1, *like.shape[2:])


class Generator(nn.Module):
    """(B, 3, H, W) and (B, A) -> (B, 3, H, W)."""

    def __init__(
        self,
        *,
        unit: str,  # "none", "stu" or "lstu"
        width: int,
        layers: int,
        skip: int,
        inject: int,
        attributes: int,
        slope: float,
        epsilon: float,
        momentum: float,
    ) -> None:
        super().__init__()
        self.skip, self.inject = skip, inject
        widths = [min(width * 2**i, 1024) for i in range(layers)]
        self.encoder = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 4, 2, 1, bias=False),
                nn.BatchNorm2d(after, eps=epsilon, momentum=momentum),
                nn.LeakyReLU(slope),
            )
            for before, after in zip([3, *widths], widths, strict=False)
        )
        build = {"stu": STU, "lstu": LSTU}.get(unit)
        self.units = nn.ModuleList(
            build(widths[-1 - i], widths[-2 - i], attributes) for i in range(skip if build else 0)
        )
        self.decoder = nn.ModuleList()
        before = widths[-1] + attributes
        for i in range(layers - 1):
            after = widths[-1 - i]
            self.decoder.append(
                nn.Sequential(
                    nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(after, eps=epsilon, momentum=momentum),
                    nn.ReLU(),
                )
            )
            before = after + (widths[-2 - i] if i < skip else 0) + (attributes if i < inject else 0)
        self.decoder.append(nn.Sequential(nn.ConvTranspose2d(before, 3, 4, 2, 1), nn.Tanh()))

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        features = []
        x = images
        for layer in self.encoder:
            x = layer(x)
            features.append(x)
        state = x
        x = torch.cat([x, planes(condition, x)], dim=1)
        for i, layer in enumerate(self.decoder):
            x = layer(x)
            parts = [x]
            if i < self.skip:
                passed = features[-2 - i]
                if self.units:
                    passed, state = self.units[i](passed, state, condition)
                parts.append(passed)
            if i < self.inject:
                parts.append(planes(condition, x))
            x = torch.cat(parts, dim=1)
        return x


class STU(nn.Module):
    """Selective transfer unit: `(skip feature, state)` from encoder feature and deeper state."""

    def __init__(self, deeper: int, width: int, attributes: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(deeper + attributes, width, 4, 2, 1)
        self.reset = nn.Sequential(nn.Conv2d(2 * width, width, 3, 1, 1), nn.Sigmoid())
        self.update = nn.Sequential(nn.Conv2d(2 * width, width, 3, 1, 1), nn.Sigmoid())
        self.hidden = nn.Sequential(nn.Conv2d(2 * width, width, 3, 1, 1), nn.Tanh())

    def forward(self, x: Tensor, state: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        upsampled = self.up(torch.cat([state, planes(condition, state)], dim=1))
        r = self.reset(torch.cat([x, upsampled], dim=1))
        z = self.update(torch.cat([x, upsampled], dim=1))
        new = r * upsampled
        candidate = self.hidden(torch.cat([x, new], dim=1))
        return (1 - z) * upsampled + z * candidate, new


class LSTU(nn.Module):
    """Light selective transfer unit: `(skip feature, state)` from encoder feature and deeper state."""

    def __init__(self, deeper: int, width: int, attributes: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(deeper + attributes, width, 4, 2, 1)
        self.forget = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.Sigmoid())
        self.reset = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.Sigmoid())
        self.linear = nn.Conv2d(width, width, 1)
        self.leaky = nn.LeakyReLU(0.2)

    def forward(self, x: Tensor, state: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        upsampled = self.up(torch.cat([state, planes(condition, state)], dim=1))
        f = self.forget(upsampled)
        r = self.reset(upsampled)
        new = f * x + (1 - f) * self.linear(upsampled)
        return r * self.leaky(new) + (1 - r) * upsampled, new


class Critic(nn.Module):
    """(B, 3, size, size) -> score (B, 1) and attribute logits (B, A)."""

    def __init__(self, *, width: int, layers: int, fc: int, size: int, attributes: int) -> None:
        super().__init__()
        widths = [min(width * 2**i, 1024) for i in range(layers)]
        trunk: list[nn.Module] = []
        for before, after in zip([3, *widths], widths, strict=False):
            trunk += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
            trunk += [nn.InstanceNorm2d(after, eps=1e-6, affine=True), nn.LeakyReLU(0.2)]
        self.trunk = nn.Sequential(*trunk)
        flat = widths[-1] * (size // 2**layers) ** 2
        self.adversarial = nn.Sequential(nn.Linear(flat, fc), nn.LeakyReLU(0.2), nn.Linear(fc, 1))
        self.attributes = nn.Sequential(nn.Linear(flat, fc), nn.LeakyReLU(0.2), nn.Linear(fc, attributes))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images)
        features = features.view(features.size(0), -1)
        return self.adversarial(features), self.attributes(features)
