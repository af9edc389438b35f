"""The encoder of e4e and pSp as the released program computes it, from its own state dictionary."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Variables = Mapping[str, Tensor]


def encoder(v: Variables, images: Tensor, units: tuple[int, ...], adds_first: bool) -> Tensor:
    """(B, 3, S, S) -> (B, n, D); e4e adds the first head's answer to every other, pSp does not."""
    x = F.conv2d(images, v["input_layer.0.weight"], padding=1)
    x = F.prelu(_norm(v, "input_layer.1", x), v["input_layer.2.weight"])
    ends = [sum(units[: i + 1]) - 1 for i in range(4)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    taps = {}
    for number in range(sum(units)):
        x = _unit(v, f"body.{number}", x, 2 if number in starts else 1)
        taps[number] = x
    c1, c2, c3 = (taps[end] for end in ends[1:])
    p2 = _up(c3, F.conv2d(c2, v["latlayer1.weight"], v["latlayer1.bias"]))
    p1 = _up(p2, F.conv2d(c1, v["latlayer2.weight"], v["latlayer2.bias"]))
    codes: list[Tensor] = []
    while f"styles.{len(codes)}.linear.weight" in v:
        number = len(codes)
        answer = _head(v, f"styles.{number}", c3 if number < 3 else p2 if number < 7 else p1)
        codes.append(answer + codes[0] if adds_first and codes else answer)
    return torch.stack(codes, 1)


def _norm(v: Variables, name: str, x: Tensor) -> Tensor:
    statistics = v[f"{name}.running_mean"], v[f"{name}.running_var"]
    return F.batch_norm(x, *statistics, v[f"{name}.weight"], v[f"{name}.bias"], eps=1e-5)


def _unit(v: Variables, name: str, x: Tensor, stride: int) -> Tensor:
    y = F.conv2d(_norm(v, f"{name}.res_layer.0", x), v[f"{name}.res_layer.1.weight"], padding=1)
    y = F.prelu(y, v[f"{name}.res_layer.2.weight"])
    y = _norm(
        v, f"{name}.res_layer.4", F.conv2d(y, v[f"{name}.res_layer.3.weight"], stride=stride, padding=1)
    )
    pooled = F.adaptive_avg_pool2d(y, 1)
    gate = F.conv2d(
        F.relu(F.conv2d(pooled, v[f"{name}.res_layer.5.fc1.weight"])), v[f"{name}.res_layer.5.fc2.weight"]
    )
    y = y * torch.sigmoid(gate)
    if f"{name}.shortcut_layer.0.weight" not in v:
        return y + x[:, :, ::stride, ::stride]
    return y + _norm(
        v, f"{name}.shortcut_layer.1", F.conv2d(x, v[f"{name}.shortcut_layer.0.weight"], stride=stride)
    )


def _up(x: Tensor, lateral: Tensor) -> Tensor:
    return F.interpolate(x, size=lateral.shape[2:], mode="bilinear", align_corners=True) + lateral


def _head(v: Variables, name: str, x: Tensor) -> Tensor:
    number = 0
    while f"{name}.convs.{number}.weight" in v:
        weight, bias = v[f"{name}.convs.{number}.weight"], v[f"{name}.convs.{number}.bias"]
        x = F.leaky_relu(F.conv2d(x, weight, bias, stride=2, padding=1), 0.01)
        number += 2
    weight = v[f"{name}.linear.weight"]
    return F.linear(x.flatten(1), weight / math.sqrt(weight.shape[1]), v[f"{name}.linear.bias"])


def encoder_shapes(
    n_latent: int, w_dim: int, side: int, widths: tuple[int, ...], units: tuple[int, ...]
) -> dict[str, tuple[int, ...]]:
    """Every key of an encoder."""
    shapes: dict[str, tuple[int, ...]] = {"input_layer.0.weight": (widths[0], 3, 3, 3)}

    def norm(name: str, channels: int) -> None:
        shapes.update(
            {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
        )
        shapes[f"{name}.num_batches_tracked"] = ()

    norm("input_layer.1", widths[0])
    shapes["input_layer.2.weight"] = (widths[0],)
    number, before = 0, widths[0]
    for after, count in zip(widths, units, strict=True):
        for _ in range(count):
            name = f"body.{number}"
            norm(f"{name}.res_layer.0", before)
            shapes[f"{name}.res_layer.1.weight"] = (after, before, 3, 3)
            shapes[f"{name}.res_layer.2.weight"] = (after,)
            shapes[f"{name}.res_layer.3.weight"] = (after, after, 3, 3)
            norm(f"{name}.res_layer.4", after)
            hidden = after // min(16, after)
            shapes[f"{name}.res_layer.5.fc1.weight"] = (hidden, after, 1, 1)
            shapes[f"{name}.res_layer.5.fc2.weight"] = (after, hidden, 1, 1)
            if before != after:
                shapes[f"{name}.shortcut_layer.0.weight"] = (after, before, 1, 1)
                norm(f"{name}.shortcut_layer.1", after)
            number, before = number + 1, after
    for code in range(n_latent):
        spatial = side // (16 if code < 3 else 8 if code < 7 else 4)
        for place in range(int(math.log2(spatial))):
            inputs = widths[3] if place == 0 else w_dim
            shapes[f"styles.{code}.convs.{2 * place}.weight"] = (w_dim, inputs, 3, 3)
            shapes[f"styles.{code}.convs.{2 * place}.bias"] = (w_dim,)
        shapes[f"styles.{code}.linear.weight"], shapes[f"styles.{code}.linear.bias"] = (
            (w_dim, w_dim),
            (w_dim,),
        )
    for layer, width in (("latlayer1", widths[2]), ("latlayer2", widths[1])):
        shapes[f"{layer}.weight"], shapes[f"{layer}.bias"] = (widths[3], width, 1, 1), (widths[3],)
    return shapes
