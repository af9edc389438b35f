"""StyleGAN2 as two released programs compute it, from their own state dictionaries.

    rosinality  rosinality/stylegan2-pytorch: modulated weights per sample, grouped convolutions
    nvidia      NVlabs/stylegan2-ada-pytorch: unscaled weights, demodulation as the only normalisation

Resampling is written out: zeros between pixels, padding, convolution with the flipped kernel, decimation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

Variables = Mapping[str, Tensor]
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])


def resampled(x: Tensor, kernel: Tensor, up: int = 1, down: int = 1, pad: tuple[int, int] = (0, 0)) -> Tensor:
    """upfirdn: zeros between pixels, padding, true convolution, every `down`-th pixel."""
    count, channels, height, width = x.shape
    spread = x.new_zeros(count, channels, height * up, width * up)
    spread[:, :, ::up, ::up] = x
    padded = F.pad(spread, (*pad, *pad))
    flipped = kernel.to(x.dtype).flip(0, 1)[None, None]
    rows = F.conv2d(padded.reshape(-1, 1, *padded.shape[2:]), flipped)
    return rows.reshape(count, channels, *rows.shape[2:])[:, :, ::down, ::down]


def leaky(x: Tensor, bias: Tensor) -> Tensor:
    shape = [1, -1, *[1] * (x.dim() - 2)]
    return torch.where(x + bias.view(shape) > 0, x + bias.view(shape), 0.2 * (x + bias.view(shape))) * 2**0.5


# ---- rosinality -----------------------------------------------------------------------------------


def mapping(v: Variables, z: Tensor) -> Tensor:
    """z (B, D) -> w (B, D)."""
    x = z * torch.rsqrt(torch.mean(z**2, dim=1, keepdim=True) + 1e-8)
    number = 1
    while f"style.{number}.weight" in v:
        weight = v[f"style.{number}.weight"]
        x = leaky(F.linear(x, weight * (0.01 / math.sqrt(weight.shape[1]))), v[f"style.{number}.bias"] * 0.01)
        number += 1
    return x


def rosinality(v: Variables, w_plus: Tensor) -> Tensor:
    """W+ (B, n, D) -> pictures, with the stored noise."""
    x = v["input.input"].repeat(len(w_plus), 1, 1, 1)
    x = _styled(v, "conv1", x, w_plus[:, 0], v["noises.noise_0"])
    picture = _rgb(v, "to_rgb1", x, w_plus[:, 1])
    index = 1
    for number in range((w_plus.shape[1] - 2) // 2):
        x = _styled(v, f"convs.{2 * number}", x, w_plus[:, index], v[f"noises.noise_{2 * number + 1}"])
        x = _styled(
            v, f"convs.{2 * number + 1}", x, w_plus[:, index + 1], v[f"noises.noise_{2 * number + 2}"]
        )
        enlarged = resampled(picture, v[f"to_rgbs.{number}.upsample.kernel"], up=2, pad=(2, 1))
        picture = enlarged + _rgb(v, f"to_rgbs.{number}", x, w_plus[:, index + 2])
        index += 2
    return picture


def _modulated(v: Variables, name: str, x: Tensor, w: Tensor, demodulate: bool) -> Tensor:
    weight = v[f"{name}.weight"]  # (1, out, in, k, k)
    _, outputs, inputs, kernel, _ = weight.shape
    affine = v[f"{name}.modulation.weight"]
    style = F.linear(w, affine * (1 / math.sqrt(affine.shape[1])), v[f"{name}.modulation.bias"])
    weight = weight * (1 / math.sqrt(inputs * kernel**2)) * style.view(-1, 1, inputs, 1, 1)
    if demodulate:
        weight = weight * torch.rsqrt(weight.pow(2).sum([2, 3, 4], keepdim=True) + 1e-8)
    count = len(x)
    x = x.reshape(1, count * inputs, *x.shape[2:])
    if f"{name}.blur.kernel" not in v:
        x = F.conv2d(x, weight.reshape(-1, inputs, kernel, kernel), padding=kernel // 2, groups=count)
        return x.view(count, outputs, *x.shape[2:])
    weight = weight.transpose(1, 2).reshape(count * inputs, outputs, kernel, kernel)
    x = F.conv_transpose2d(x, weight, stride=2, groups=count)
    return resampled(x.view(count, outputs, *x.shape[2:]), v[f"{name}.blur.kernel"], pad=(1, 1))


def _styled(v: Variables, name: str, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
    x = _modulated(v, f"{name}.conv", x, w, demodulate=True)
    return leaky(x + v[f"{name}.noise.weight"] * noise, v[f"{name}.activate.bias"])


def _rgb(v: Variables, name: str, x: Tensor, w: Tensor) -> Tensor:
    return _modulated(v, f"{name}.conv", x, w, demodulate=False) + v[f"{name}.bias"]


def rosinality_critic(v: Variables, images: Tensor) -> Tensor:
    """(B, 3, size, size) -> (B, 1)."""
    x = _conv(v, "convs.0", images, 0)
    number = 1
    while f"convs.{number}.skip.1.weight" in v:
        name = f"convs.{number}"
        inside = _conv(v, f"{name}.conv2", _conv(v, f"{name}.conv1", x, 0), 1, (2, 2))
        x = (inside + _conv(v, f"{name}.skip", x, 1, (1, 1))) / math.sqrt(2)
        number += 1
    group = min(len(x), 4)
    deviation = torch.sqrt(x.view(group, -1, *x.shape[1:]).var(0, unbiased=False) + 1e-8)
    deviation = deviation.mean([1, 2, 3], keepdim=True).repeat(group, 1, *x.shape[2:])
    x = _conv(v, "final_conv", torch.cat([x, deviation], 1), 0).flatten(1)
    first, last = v["final_linear.0.weight"], v["final_linear.1.weight"]
    x = leaky(F.linear(x, first / math.sqrt(first.shape[1])), v["final_linear.0.bias"])
    return F.linear(x, last / math.sqrt(last.shape[1]), v["final_linear.1.bias"])


def _conv(v: Variables, name: str, x: Tensor, place: int, pad: tuple[int, int] | None = None) -> Tensor:
    """Blur at place 0 if it halves, convolution at `place`, bias behind it if there is one."""
    weight = v[f"{name}.{place}.weight"]
    scaled = weight / math.sqrt(weight.shape[1] * weight.shape[2] ** 2)
    if pad is None:
        x = F.conv2d(x, scaled, padding=weight.shape[2] // 2)
    else:
        x = F.conv2d(resampled(x, v[f"{name}.0.kernel"], pad=pad), scaled, stride=2)
    bias = v.get(f"{name}.{place + 1}.bias")
    return x if bias is None else leaky(x, bias)


# ---- NVIDIA-ADA -----------------------------------------------------------------------------------


def nvidia_mapping(v: Variables, z: Tensor) -> Tensor:
    x = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
    number = 0
    while f"mapping.fc{number}.weight" in v:
        weight = v[f"mapping.fc{number}.weight"]
        x = leaky(
            x.matmul((weight * (0.01 / math.sqrt(weight.shape[1]))).t()), v[f"mapping.fc{number}.bias"] * 0.01
        )
        number += 1
    return x


def nvidia(v: Variables, w_plus: Tensor, *, flips: bool = False) -> Tensor:
    """W+ (B, n, D) -> pictures, noise_mode="const". `flips` mirrors the kernels of up-convolutions: wrong."""
    x = v["synthesis.b4.const"].unsqueeze(0).repeat(len(w_plus), 1, 1, 1)
    x = _synthesis(v, "synthesis.b4.conv1", x, w_plus[:, 0])
    picture = _torgb(v, "synthesis.b4.torgb", x, w_plus[:, 1])
    side, index = 8, 1
    kernel = torch.outer(TAPS, TAPS) / 64
    while f"synthesis.b{side}.conv0.weight" in v:
        block = f"synthesis.b{side}"
        x = _synthesis(v, f"{block}.conv0", x, w_plus[:, index], up=True, flips=flips)
        x = _synthesis(v, f"{block}.conv1", x, w_plus[:, index + 1])
        picture = resampled(picture, kernel * 4, up=2, pad=(2, 1))
        picture = picture + _torgb(v, f"{block}.torgb", x, w_plus[:, index + 2])
        side, index = 2 * side, index + 2
    return picture


def _affine(v: Variables, name: str, w: Tensor) -> Tensor:
    weight = v[f"{name}.affine.weight"]
    return torch.addmm(v[f"{name}.affine.bias"], w, weight.t() / math.sqrt(weight.shape[1]))


def _synthesis(
    v: Variables, name: str, x: Tensor, w: Tensor, up: bool = False, flips: bool = False
) -> Tensor:
    weight = (
        v[f"{name}.weight"].unsqueeze(0) * _affine(v, name, w)[:, None, :, None, None]
    )  # (B, out, in, 3, 3)
    weight = weight * (weight.square().sum(dim=[2, 3, 4], keepdim=True) + 1e-8).rsqrt()
    made = []
    for row, kernel in zip(x, weight, strict=True):
        if up:
            kernel = kernel.flip(2, 3) if flips else kernel
            large = F.conv_transpose2d(row[None], kernel.transpose(0, 1), stride=2)
            made.append(resampled(large, torch.outer(TAPS, TAPS) / 16, pad=(1, 1)))
        else:
            made.append(F.conv2d(row[None], kernel, padding=1))
    noise = v[f"{name}.noise_const"] * v[f"{name}.noise_strength"]
    return leaky(torch.cat(made) + noise, v[f"{name}.bias"])


def _torgb(v: Variables, name: str, x: Tensor, w: Tensor) -> Tensor:
    weight = v[f"{name}.weight"][:, :, 0, 0]  # (3, in)
    style = _affine(v, name, w) / math.sqrt(weight.shape[1])
    return torch.einsum("oi,bi,bihw->bohw", weight, style, x) + v[f"{name}.bias"][None, :, None, None]


def nvidia_critic(v: Variables, images: Tensor) -> Tensor:
    side = images.shape[2]
    x = _conv2d(v, f"b{side}.fromrgb", images)
    while side > 4:
        block = f"b{side}"
        skip = _conv2d(v, f"{block}.skip", x, pad=(1, 1)) * math.sqrt(0.5)
        x = skip + _conv2d(v, f"{block}.conv1", _conv2d(v, f"{block}.conv0", x), pad=(2, 2)) * math.sqrt(0.5)
        side //= 2
    group = min(4, len(x))
    y = x.reshape(group, -1, 1, *x.shape[1:])
    y = ((y - y.mean(dim=0)).square().mean(dim=0) + 1e-8).sqrt().mean(dim=[2, 3, 4])
    x = torch.cat([x, y.reshape(-1, 1, 1, 1).repeat(group, 1, *x.shape[2:])], dim=1)
    x = _conv2d(v, "b4.conv", x).flatten(1)
    for name in ("b4.fc", "b4.out"):
        weight, bias = v[f"{name}.weight"], v[f"{name}.bias"]
        x = x.matmul(weight.t() / math.sqrt(weight.shape[1]))
        x = leaky(x, bias) if name == "b4.fc" else x + bias
    return x


def _conv2d(v: Variables, name: str, x: Tensor, pad: tuple[int, int] | None = None) -> Tensor:
    weight = v[f"{name}.weight"] / math.sqrt(v[f"{name}.weight"][0].numel())
    if pad is None:
        x = F.conv2d(x, weight, padding=weight.shape[2] // 2)
    else:
        x = F.conv2d(resampled(x, torch.outer(TAPS, TAPS) / 64, pad=pad), weight, stride=2)
    return leaky(x, v[f"{name}.bias"]) if f"{name}.bias" in v else x


# ---- names and shapes -----------------------------------------------------------------------------


def rosinality_shapes(channels: tuple[int, ...], w_dim: int, n_mlp: int) -> dict[str, tuple[int, ...]]:
    """Every key of a generator of `channels` from 4 px up."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number in range(1, n_mlp + 1):
        shapes |= {f"style.{number}.weight": (w_dim, w_dim), f"style.{number}.bias": (w_dim,)}
    shapes["input.input"] = (1, channels[0], 4, 4)

    def modulated(name: str, inputs: int, outputs: int, kernel: int) -> None:
        shapes[f"{name}.weight"] = (1, outputs, inputs, kernel, kernel)
        shapes[f"{name}.modulation.weight"], shapes[f"{name}.modulation.bias"] = (inputs, w_dim), (inputs,)

    def styled(name: str, inputs: int, outputs: int, doubles: bool = False) -> None:
        modulated(f"{name}.conv", inputs, outputs, 3)
        shapes[f"{name}.noise.weight"], shapes[f"{name}.activate.bias"] = (1,), (outputs,)
        if doubles:
            shapes[f"{name}.conv.blur.kernel"] = (4, 4)

    def rgb(name: str, inputs: int) -> None:
        shapes[f"{name}.bias"] = (1, 3, 1, 1)
        modulated(f"{name}.conv", inputs, 3, 1)

    styled("conv1", channels[0], channels[0])
    rgb("to_rgb1", channels[0])
    shapes["noises.noise_0"] = (1, 1, 4, 4)
    for j, (before, after) in enumerate(pairwise(channels)):
        styled(f"convs.{2 * j}", before, after, doubles=True)
        styled(f"convs.{2 * j + 1}", after, after)
        rgb(f"to_rgbs.{j}", after)
        shapes[f"to_rgbs.{j}.upsample.kernel"] = (4, 4)
        for number in (2 * j + 1, 2 * j + 2):
            shapes[f"noises.noise_{number}"] = (1, 1, 8 << j, 8 << j)
    return shapes


def nvidia_shapes(channels: tuple[int, ...], w_dim: int, n_mlp: int) -> dict[str, tuple[int, ...]]:
    """Every key of `G_ema.state_dict()`."""
    shapes: dict[str, tuple[int, ...]] = {
        "mapping.w_avg": (w_dim,),
        "synthesis.b4.const": (channels[0], 4, 4),
    }
    for number in range(n_mlp):
        shapes |= {f"mapping.fc{number}.weight": (w_dim, w_dim), f"mapping.fc{number}.bias": (w_dim,)}

    def layer(name: str, inputs: int, outputs: int, side: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs, 3, 3), (outputs,)
        shapes[f"{name}.affine.weight"], shapes[f"{name}.affine.bias"] = (inputs, w_dim), (inputs,)
        shapes[f"{name}.noise_const"], shapes[f"{name}.noise_strength"] = (side, side), ()
        shapes[f"{name}.resample_filter"] = (4, 4)

    before = channels[0]
    for power, after in enumerate(channels, start=2):
        side = 2**power
        block = f"synthesis.b{side}"
        shapes[f"{block}.resample_filter"] = (4, 4)
        if side > 4:
            layer(f"{block}.conv0", before, after, side)
        layer(f"{block}.conv1", after, after, side)
        shapes[f"{block}.torgb.weight"], shapes[f"{block}.torgb.bias"] = (3, after, 1, 1), (3,)
        shapes[f"{block}.torgb.affine.weight"] = (after, w_dim)
        shapes[f"{block}.torgb.affine.bias"] = (after,)
        before = after
    return shapes


def critic_names(channels: tuple[int, ...]) -> dict[str, str]:
    """NVIDIA's name -> rosinality's, of the discriminator."""
    sides = [4 * 2**power for power in range(len(channels))][::-1]  # from the picture down
    names = {f"b{sides[0]}.fromrgb.weight": "convs.0.0.weight", f"b{sides[0]}.fromrgb.bias": "convs.0.1.bias"}
    for number, side in enumerate(sides[:-1], start=1):
        ours = f"convs.{number}"
        names |= {
            f"b{side}.conv0.weight": f"{ours}.conv1.0.weight",
            f"b{side}.conv0.bias": f"{ours}.conv1.1.bias",
            f"b{side}.conv1.weight": f"{ours}.conv2.1.weight",
            f"b{side}.conv1.bias": f"{ours}.conv2.2.bias",
            f"b{side}.skip.weight": f"{ours}.skip.1.weight",
        }
    for part in ("weight", "bias"):
        names[f"b4.fc.{part}"], names[f"b4.out.{part}"] = f"final_linear.0.{part}", f"final_linear.1.{part}"
    return names | {"b4.conv.weight": "final_conv.0.weight", "b4.conv.bias": "final_conv.1.bias"}
