"""Layers of StyleGAN2 (Karras et al., CVPR 2020), named so that state dicts have rosinality's keys.

Weights are drawn from N(0, 1) and scaled where they are used ("equalised learning rate"). Everything is plain
torch: blurs are depthwise convolutions, the fused activation is three operations that a compiler fuses.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
GAIN = math.sqrt(2)
TAPS = (1.0, 3.0, 3.0, 1.0)  # of every blur
TINY = 1e-8


def activate(x: Tensor, bias: Tensor) -> Tensor:
    """√2 · LeakyReLU(x + bias), over channels."""
    return F.leaky_relu(x + bias.reshape(1, -1, *[1] * (x.dim() - 2)), SLOPE) * GAIN


def blur_kernel(gain: float = 1.0) -> Tensor:
    """(4, 4), sums to `gain`."""
    taps = torch.tensor(TAPS)
    return torch.outer(taps, taps) * (gain / taps.sum().square())


def per_channel(kernel: Tensor, channels: int) -> Tensor:
    """(4, 4) -> (C, 1, 4, 4): the same for each channel."""
    return kernel.expand(channels, 1, *kernel.shape)


class PixelNorm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + TINY)


class Blur(nn.Module):
    """(B, C, H, W) -> (B, C, H + before + after − 3, …): convolution with the kernel, zeros around."""

    def __init__(self, pad: tuple[int, int], gain: float = 1.0) -> None:
        super().__init__()
        self.pad = pad
        self.register_buffer("kernel", blur_kernel(gain))

    def forward(self, x: Tensor) -> Tensor:
        before, after = self.pad
        kernel = per_channel(self.kernel.flip(0, 1).to(x.dtype), x.shape[1])
        return F.conv2d(F.pad(x, (before, after, before, after)), kernel, groups=x.shape[1])


class Upsample(nn.Module):
    """(B, C, H, W) -> (B, C, 2H, 2W): zeros between pixels, then the blur kernel with gain 4, pad (2, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", blur_kernel(4.0))

    def forward(self, x: Tensor) -> Tensor:
        kernel = per_channel(self.kernel.to(x.dtype), x.shape[1])
        return F.conv_transpose2d(x, kernel, stride=2, padding=1, groups=x.shape[1])


class EqualLinear(nn.Module):
    """Linear layer with weight · lr_mul / √in and bias · lr_mul."""

    def __init__(
        self, inputs: int, outputs: int, *, bias: float = 0.0, lr_mul: float = 1.0, is_activated: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_mul)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.scale, self.lr_mul, self.is_activated = lr_mul / math.sqrt(inputs), lr_mul, is_activated

    def forward(self, x: Tensor) -> Tensor:
        if self.is_activated:
            return activate(F.linear(x, self.weight * self.scale), self.bias * self.lr_mul)
        return F.linear(x, self.weight * self.scale, self.bias * self.lr_mul)


class EqualConv2d(nn.Module):
    """Convolution without bias, weight / √(in · k²)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale, self.stride, self.padding = 1 / math.sqrt(inputs * kernel**2), stride, padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class Activation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return activate(x, self.bias)


class ModulatedConv(nn.Module):
    """Convolution whose input channels are scaled by a style (StyleGAN2 paper, section 2.2).

    Scaling the input by s and the output by the demodulation σ equals a convolution with weights σ·W·s of
    its own for each sample, and needs no grouped convolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        w_dim: int,
        *,
        is_demodulated: bool = True,
        doubles: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, outputs, inputs, kernel, kernel))
        self.modulation = EqualLinear(w_dim, inputs, bias=1.0)
        self.blur = Blur((1, 1), gain=4.0) if doubles else None
        self.scale, self.padding, self.is_demodulated = (
            1 / math.sqrt(inputs * kernel**2),
            kernel // 2,
            is_demodulated,
        )

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(B, in, H, W) and (B, w_dim) -> (B, out, H, W), or twice the size."""
        style, weight = self.modulation(w), self.weight[0] * self.scale
        x = x * style[:, :, None, None]
        if self.blur is None:
            x = F.conv2d(x, weight, padding=self.padding)
        else:
            x = self.blur(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        if not self.is_demodulated:
            return x
        energy = style.square() @ weight.square().sum((2, 3)).T  # (B, out): Σ over in and kernel of (W·s)²
        return x * torch.rsqrt(energy + TINY)[:, :, None, None]


class Noise(nn.Module):
    """x + weight · noise, one weight per layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        return x + self.weight * noise


class StyledConv(nn.Module):
    """Modulated 3×3 convolution, noise, activation."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, *, doubles: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, w_dim, doubles=doubles)
        self.noise = Noise()
        self.activate = Activation(outputs)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        return self.activate(self.noise(self.conv(x, w), noise))


class ToRGB(nn.Module):
    """Modulated 1×1 convolution to RGB, without demodulation, added to the smaller picture enlarged."""

    def __init__(self, inputs: int, w_dim: int, *, is_first: bool = False) -> None:
        super().__init__()
        self.upsample = None if is_first else Upsample()
        self.conv = ModulatedConv(inputs, 3, 1, w_dim, is_demodulated=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, w: Tensor, smaller: Tensor | None) -> Tensor:
        rgb = self.conv(x, w) + self.bias
        return rgb if self.upsample is None or smaller is None else rgb + self.upsample(smaller)


class ConstantInput(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))

    def forward(self, count: int) -> Tensor:
        return self.input.expand(count, -1, -1, -1)


def conv_layer(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    halves: bool = False,
    activation: Literal["leaky", "none"] = "leaky",
) -> nn.Sequential:
    """The discriminator's layer: blur if it halves, equalised convolution, activation."""
    layers: list[nn.Module] = []
    if halves:
        layers.append(Blur((2, 2) if kernel == 3 else (1, 1)))
    layers.append(
        EqualConv2d(inputs, outputs, kernel, stride=2 if halves else 1, padding=0 if halves else kernel // 2)
    )
    if activation == "leaky":
        layers.append(Activation(outputs))
    return nn.Sequential(*layers)
