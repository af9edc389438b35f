"""AttGAN, STGAN and LSTU-Net as their TensorFlow 1 programs compute them.

Sources: LynnHo/AttGAN-Tensorflow (first generation `Genc/Gdec/D`, second `UNetGenc/UNetGdec/ConvD`),
csmliu/STGAN, neuralchen/CooGAN (its latest unit, with the LeakyReLU). Defaults of slim that matter: padding
SAME; batch norm with scale, epsilon 1e-3; instance norm with epsilon 1e-6; `leaky_relu` with slope 0.2.
Kernels are [height, width, in, out], those of transposed convolutions [height, width, out, in],
matrices [in, out].

Tensors are NHWC inside, as there, so that channels and the flattened order come out of the same arithmetic.
Functions take and give NCHW images, in whatever precision the variables have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

Variables = Mapping[str, Tensor]
Unit = Callable[[Variables, int, Tensor, Tensor], tuple[Tensor, Tensor]]

BATCH_EPSILON = 1e-3
INSTANCE_EPSILON = 1e-6
SLOPE = 0.2


# ---- programs -------------------------------------------------------------------------------------


def attgan(
    v: Variables,
    images: Tensor,
    condition: Tensor,
    training: bool = False,
    *,
    shortcut: int = 1,
    inject: int = 1,
    prefix: str = "",
) -> Tensor:
    """AttGAN: plain skips. `prefix` is "UNet" in the second generation."""
    features = encoder(v, nhwc(images), training, f"{prefix}Genc")
    return decoder(v, features, condition, training, f"{prefix}Gdec", shortcut=shortcut, inject=inject)


def stgan(v: Variables, images: Tensor, difference: Tensor, training: bool = False) -> Tensor:
    """STGAN: every skip through a selective transfer unit."""
    return _with_units(v, images, difference, training, selective_transfer)


def lstunet(v: Variables, images: Tensor, difference: Tensor, training: bool = False) -> Tensor:
    """LSTU-Net: every skip through a light unit."""
    return _with_units(v, images, difference, training, light_selective_transfer)


def critic(v: Variables, images: Tensor, scope: str = "D") -> tuple[Tensor, Tensor]:
    """Score (B, 1) and attribute logits (B, A). `scope` is "ConvD" in the second generation."""
    x = nhwc(images)
    for i in range(count(v, f"{scope}/Conv")):
        layer = numbered(f"{scope}/Conv", i)
        x = leaky(instance_norm(v, f"{layer}/InstanceNorm", conv(x, v[f"{layer}/weights"])))
    flat = x.reshape(len(x), -1)  # rows of the matrices: height, width, channel

    def linear(x: Tensor, j: int) -> Tensor:
        name = dense(scope, j)
        return x @ v[f"{name}/weights"] + v[f"{name}/biases"]

    return linear(leaky(linear(flat, 0)), 1), linear(leaky(linear(flat, 2)), 3)


# ---- parts ----------------------------------------------------------------------------------------


def encoder(v: Variables, x: Tensor, training: bool, scope: str = "Genc") -> list[Tensor]:
    features = []
    for i in range(count(v, f"{scope}/Conv")):
        layer = numbered(f"{scope}/Conv", i)
        x = leaky(batch_norm(v, f"{layer}/BatchNorm", conv(x, v[f"{layer}/weights"]), training))
        features.append(x)
    return features


def decoder(
    v: Variables,
    features: list[Tensor],
    condition: Tensor,
    training: bool,
    scope: str = "Gdec",
    *,
    shortcut: int,
    inject: int,
) -> Tensor:
    depth = len(features)
    x = tile(features[-1], condition)
    for i in range(depth - 1):
        layer = numbered(f"{scope}/Conv2d_transpose", i)
        x = transposed(x, v[f"{layer}/weights"])
        x = batch_norm(v, f"{layer}/BatchNorm", x, training).clamp(min=0)
        if i < shortcut:
            x = torch.cat([x, features[depth - 2 - i]], dim=3)
        if i < inject:
            x = tile(x, condition)
    last = numbered(f"{scope}/Conv2d_transpose", depth - 1)
    return nchw(torch.tanh(transposed(x, v[f"{last}/weights"]) + v[f"{last}/biases"]))


def selective_transfer(v: Variables, j: int, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """STGAN's unit number j, 0 the deepest: what replaces the skip, and the state for the next."""
    raised = biased(v, numbered("Gstu/Conv2d_transpose", j), state, transposed)
    reset = sigmoid(biased(v, numbered("Gstu/Conv", 3 * j), torch.cat([x, raised], 3), conv1))
    update = sigmoid(biased(v, numbered("Gstu/Conv", 3 * j + 1), torch.cat([x, raised], 3), conv1))
    passed = reset * raised
    candidate = torch.tanh(biased(v, numbered("Gstu/Conv", 3 * j + 2), torch.cat([x, passed], 3), conv1))
    return (1 - update) * raised + update * candidate, passed


def light_selective_transfer(v: Variables, j: int, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The light unit number j, 0 the deepest."""
    raised = biased(v, numbered("Gstu/Conv2d_transpose", j), state, transposed)
    linear = biased(v, numbered("Gstu/Conv", 3 * j), raised, conv1)  # 1×1
    forget = sigmoid(biased(v, numbered("Gstu/Conv", 3 * j + 1), raised, conv1))
    reset = sigmoid(biased(v, numbered("Gstu/Conv", 3 * j + 2), raised, conv1))
    cell = forget * x + (1 - forget) * linear
    return reset * leaky(cell) + (1 - reset) * raised, cell


def _with_units(v: Variables, images: Tensor, difference: Tensor, training: bool, unit: Unit) -> Tensor:
    features = encoder(v, nhwc(images), training)
    levels = len(features) - 1
    state, passed = tile(features[-1], difference), [features[-1]]
    for j in range(levels):
        skip, new = unit(v, j, features[levels - 1 - j], state)
        passed.insert(0, skip)
        state = tile(new, difference)
    return decoder(v, passed, difference, training, shortcut=levels, inject=levels)


# ---- operations -----------------------------------------------------------------------------------


def conv(x: Tensor, weights: Tensor, stride: int = 2) -> Tensor:
    """SAME: as many outputs as strides fit, the odd pixel of padding at the end."""
    sides = []
    for n, k in zip(x.shape[1:3], weights.shape[:2], strict=True):
        total = max((-(-n // stride) - 1) * stride + k - n, 0)
        sides.append((total // 2, total - total // 2))
    (top, bottom), (left, right) = sides
    padded = F.pad(nchw(x), (left, right, top, bottom))
    return nhwc(F.conv2d(padded, weights.permute(3, 2, 0, 1), stride=stride))


def conv1(x: Tensor, weights: Tensor) -> Tensor:
    return conv(x, weights, stride=1)


def transposed(x: Tensor, weights: Tensor) -> Tensor:
    """The gradient of a SAME convolution of stride 2 with respect to its input: how TensorFlow defines it.

    Written as its meaning: zeros between the pixels, then a convolution with the mirrored kernel.
    """
    batch, height, width, channels = x.shape
    k = weights.shape[0]
    spread = x.new_zeros(batch, channels, 2 * height - 1, 2 * width - 1)
    spread[:, :, ::2, ::2] = nchw(x)
    before = (k - 2) // 2  # of the forward convolution: total padding k − 2
    edge = k - 1 - before
    return nhwc(F.conv2d(spread, weights.permute(2, 3, 0, 1).flip(2, 3), padding=edge))


def biased(v: Variables, name: str, x: Tensor, operation: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    return operation(x, v[f"{name}/weights"]) + v[f"{name}/biases"]


def batch_norm(v: Variables, name: str, x: Tensor, training: bool) -> Tensor:
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2), correction=0)
    else:
        mean, variance = v[f"{name}/moving_mean"], v[f"{name}/moving_variance"]
    return (x - mean) / torch.sqrt(variance + BATCH_EPSILON) * v[f"{name}/gamma"] + v[f"{name}/beta"]


def instance_norm(v: Variables, name: str, x: Tensor) -> Tensor:
    mean, variance = x.mean((1, 2), keepdim=True), x.var((1, 2), correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + INSTANCE_EPSILON) * v[f"{name}/gamma"] + v[f"{name}/beta"]


def leaky(x: Tensor) -> Tensor:
    return torch.maximum(x, SLOPE * x)


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def tile(x: Tensor, condition: Tensor) -> Tensor:
    """Append each attribute as a constant plane behind the features."""
    planes = condition.reshape(-1, 1, 1, condition.shape[1]).expand(-1, x.shape[1], x.shape[2], -1)
    return torch.cat([x, planes], dim=3)


def nhwc(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def nchw(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


# ---- names ----------------------------------------------------------------------------------------


def numbered(name: str, i: int) -> str:
    """TensorFlow's naming of repeated layers: the first has no number."""
    return f"{name}_{i}" if i else name


def dense(scope: str, j: int) -> str:
    """Fully connected layer number j of a discriminator; the first generation gives it an own scope."""
    if scope == "ConvD":
        return numbered("ConvD/fully_connected", j)
    return numbered(f"{scope}/flatten_fully_connected", j) + "/fully_connected"


def count(v: Variables, name: str) -> int:
    i = 0
    while f"{numbered(name, i)}/weights" in v:
        i += 1
    return i
