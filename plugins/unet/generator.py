"""The U-Net of AttGAN, STGAN, LSTU-Net and CooGAN: strided convolutions down, transposed convolutions up.

AttGAN    arXiv 1711.10678: one plain skip, attributes at the bottleneck and after the first decoder layer.
STGAN     arXiv 1904.09709: units in the skips, attribute difference in every unit and decoder layer.
LSTU-Net  arXiv 2011.01563, section 3.4: STGAN with light units; CooGAN's global generator.

Original code: TensorFlow 1, hence LeakyReLU slope 0.2, batch-norm epsilon 1e-3 and decay 0.999, Xavier
initialisation. Parameter names are the checkpoint format: enc.{i}.{conv,bn}, units.{j}.*, dec.{i}.{conv,bn},
with units counted from the deepest.
"""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor, nn

from .units import LSTU, SLOPE, STU, PlainSkip, append_planes

MAX_WIDTH = 1024


def level_widths(width: int, layers: int) -> list[int]:
    """Channels per level, shallow to deep: doubling, at most 1024."""
    return [min(width * 2**level, MAX_WIDTH) for level in range(layers)]


class Down(nn.Module):
    """Halve the side: convolution 4/2/1, batch norm, LeakyReLU."""

    def __init__(self, before: int, after: int, slope: float, **norm: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 4, 2, 1, bias=False)
        self.bn = nn.BatchNorm2d(after, **norm)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.bn(self.conv(x)), self.slope)


class Up(nn.Module):
    """Double the side: transposed convolution 4/2/1, batch norm, ReLU; the last has a bias and a tanh.

    With `logits` the last has no tanh.
    """

    def __init__(self, before: int, after: int, last: bool, logits: bool, **norm: float) -> None:
        super().__init__()
        self.logits = logits
        self.conv = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=last)
        self.bn = None if last else nn.BatchNorm2d(after, **norm)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.bn is not None:
            return torch.relu_(self.bn(x))
        return x if self.logits else torch.tanh(x)


class UNet(nn.Module):
    """(B, channels, H, W) and condition (B, A) -> (B, outputs, H, W) in [-1, 1], or `logits`.

    H and W are multiples of 2^layers.

    `skip` levels are joined by skip connections, counted from the deepest, each through a `unit`; the
    condition is appended at the bottleneck and after the first `inject` decoder layers.
    """

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        attributes: int,
        skip: int,
        inject: int,
        unit: str = "lstu",  # "lstu", "stu" or "none"
        unit_width: int | None = None,  # base width of STUs where it differs (STGAN's 384 model)
        channels: int = 3,
        outputs: int = 3,
        logits: bool = False,  # no tanh at the end
        slope: float = SLOPE,  # of the encoder's LeakyReLU
        epsilon: float = 1e-3,  # of batch norm
        momentum: float = 0.001,  # of the running statistics: TensorFlow's decay 0.999
    ) -> None:
        super().__init__()
        if not 0 <= skip < layers or not 0 <= inject < layers:
            raise ValueError(f"skip and inject must be in 0..{layers - 1}, found {skip} and {inject}")
        if unit == "lstu" and unit_width not in (None, width):
            raise ValueError(
                f"an LSTU mixes encoder feature and state, so unit_width must be {width}, found {unit_width}"
            )
        down = level_widths(width, layers)
        unit_widths = level_widths(width if unit_width is None else unit_width, layers)
        self.skip, self.inject = skip, inject
        norm = {"eps": epsilon, "momentum": momentum}
        self.enc = nn.ModuleList(
            Down(before, after, slope, **norm) for before, after in zip([channels, *down], down, strict=False)
        )
        self.units = nn.ModuleList()
        passed = []  # channels of each skip feature, deep to shallow
        state = down[-1]
        for encoder, inside in zip(down[-2::-1][:skip], unit_widths[-2::-1][:skip], strict=True):
            if unit == "lstu":
                self.units.append(LSTU(deeper=state, width=encoder, attributes=attributes))
                state = encoder
            elif unit == "stu":
                self.units.append(STU(deeper=state, encoder=encoder, width=inside, attributes=attributes))
                state = inside
            elif unit == "none":
                self.units.append(PlainSkip())
            else:
                raise ValueError(f"unknown unit {unit!r}; known: lstu, stu, none")
            passed.append(encoder if unit == "none" else inside)
        self.dec = nn.ModuleList()
        before = down[-1] + attributes
        for i in range(layers):
            last = i == layers - 1
            after = outputs if last else down[-1 - i]
            self.dec.append(Up(before, after, last, logits, **norm))
            before = after + (passed[i] if i < skip else 0) + (attributes if i < inject else 0)
        self.apply(initialise)

    def forward(self, images: Tensor, condition: Tensor) -> Tensor:
        """(B, channels, H, W) and (k·B, A) -> (k·B, outputs, H, W), condition row i with image i mod B.

        The encoder does not see the condition, so k edits of an image cost one pass through it.
        """
        edits = len(condition) // len(images)
        features = self.encode(images)
        if edits > 1:
            features = [level.repeat(edits, 1, 1, 1) for level in features]
        return self.decode(features, condition)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features of the levels that the decoder wants, shallow to deep, whatever the condition."""
        features: deque[Tensor] = deque(maxlen=self.skip + 1)
        for layer in self.enc:
            images = layer(images)
            features.append(images)
        return list(features)

    def decode(self, features: list[Tensor], condition: Tensor) -> Tensor:
        """(B, outputs, H, W) from the features of `encode`, taken off the list, and a (B, A) condition."""
        state = features.pop()
        x = append_planes(state, condition)
        for i, layer in enumerate(self.dec):
            x = layer(x)
            if i < self.skip:
                passed, state = self.units[i](features.pop(), state, condition)
                x = torch.cat([x, passed], dim=1)
                del passed
            if i < self.inject:
                x = append_planes(x, condition)
        return x


def initialise(module: nn.Module) -> None:
    """Xavier uniform and zero bias, as TensorFlow 1 layers do."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
