"""Names and shapes of the released checkpoints' variables, and values for them: random, or along a sine."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .tensorflow import dense, numbered

Shapes = dict[str, tuple[int, ...]]
WIDEST = 1024


# ---- shapes ---------------------------------------------------------------------------------------


def widths(width: int, layers: int) -> list[int]:
    return [min(width * 2**i, WIDEST) for i in range(layers)]


def tensorflow_generator(
    *,
    width: int,
    layers: int,
    attributes: int,
    shortcut: int,
    inject: int,
    unit: str = "none",
    unit_width: int | None = None,
    prefix: str = "",
) -> Shapes:
    """Variables of `Genc`, `Gstu` (for the units "stu" and "lstu") and `Gdec`."""
    down = widths(width, layers)
    inside = widths(width if unit_width is None else unit_width, layers)
    shapes: Shapes = {}

    def normed(layer: str, shape: tuple[int, ...], channels: int) -> None:
        shapes[f"{layer}/weights"] = shape
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{layer}/BatchNorm/{part}"] = (channels,)

    def biased(layer: str, shape: tuple[int, ...], channels: int) -> None:
        shapes[f"{layer}/weights"], shapes[f"{layer}/biases"] = shape, (channels,)

    for i, (before, after) in enumerate(zip([3, *down], down, strict=False)):
        normed(numbered(f"{prefix}Genc/Conv", i), (4, 4, before, after), after)

    passed, state = down[-2::-1], down[-1]
    if unit != "none":
        passed = inside[-2::-1]
        for j, (encoder, after) in enumerate(zip(down[-2::-1], passed, strict=True)):
            biased(numbered("Gstu/Conv2d_transpose", j), (4, 4, after, state + attributes), after)
            both = encoder + after
            kernels = [(3, 3, both)] * 3 if unit == "stu" else [(1, 1, after), (3, 3, after), (3, 3, after)]
            for part, kernel in enumerate(kernels):
                biased(numbered("Gstu/Conv", 3 * j + part), (*kernel, after), after)
            state = after

    before = down[-1] + attributes
    for i in range(layers - 1):
        after = down[-1 - i]
        normed(numbered(f"{prefix}Gdec/Conv2d_transpose", i), (4, 4, after, before), after)
        before = after + (passed[i] if i < shortcut else 0) + (attributes if i < inject else 0)
    biased(numbered(f"{prefix}Gdec/Conv2d_transpose", layers - 1), (4, 4, 3, before), 3)
    return shapes


def tensorflow_critic(
    *, width: int, layers: int, fc: int, size: int, attributes: int, scope: str = "D"
) -> Shapes:
    """Variables of `D`, or of `ConvD` in AttGAN's second generation."""
    down, shapes = widths(width, layers), {}
    for i, (before, after) in enumerate(zip([3, *down], down, strict=False)):
        layer = numbered(f"{scope}/Conv", i)
        shapes[f"{layer}/weights"] = (4, 4, before, after)
        shapes[f"{layer}/InstanceNorm/gamma"] = shapes[f"{layer}/InstanceNorm/beta"] = (after,)
    flat = down[-1] * (size // 2**layers) ** 2
    for j, (before, after) in enumerate([(flat, fc), (fc, 1), (flat, fc), (fc, attributes)]):
        name = dense(scope, j)
        shapes[f"{name}/weights"], shapes[f"{name}/biases"] = (before, after), (after,)
    return shapes


def port_generator(*, width: int, layers: int, attributes: int, shortcut: int, inject: int) -> Shapes:
    """The generator of AttGAN's PyTorch port."""
    down, shapes = widths(width, layers), {}
    for i, (before, after) in enumerate(zip([3, *down], down, strict=False)):
        shapes[f"enc_layers.{i}.layers.0.weight"] = (after, before, 4, 4)
        shapes |= _torch_norm(f"enc_layers.{i}.layers.1", after)
    before = down[-1] + attributes
    for i in range(layers - 1):
        after = down[-1 - i]
        shapes[f"dec_layers.{i}.layers.0.weight"] = (before, after, 4, 4)
        shapes |= _torch_norm(f"dec_layers.{i}.layers.1", after)
        before = after + (down[-2 - i] if i < shortcut else 0) + (attributes if i < inject else 0)
    shapes[f"dec_layers.{layers - 1}.layers.0.weight"] = (before, 3, 4, 4)
    shapes[f"dec_layers.{layers - 1}.layers.0.bias"] = (3,)
    return shapes


def stargan_generator(*, width: int, attributes: int, residual: int = 6, counters: bool = True) -> Shapes:
    """StarGAN's generator. Files of PyTorch 0.3 have running statistics without their counters."""
    shapes: Shapes = {}

    def normed(conv: str, norm: str, shape: tuple[int, ...], channels: int) -> None:
        shapes[f"{conv}.weight"] = shape
        shapes.update(_torch_norm(norm, channels, counters))

    normed("main.0", "main.1", (width, 3 + attributes, 7, 7), width)
    normed("main.3", "main.4", (2 * width, width, 4, 4), 2 * width)
    normed("main.6", "main.7", (4 * width, 2 * width, 4, 4), 4 * width)
    for i in range(9, 9 + residual):
        for j in (0, 3):
            normed(f"main.{i}.main.{j}", f"main.{i}.main.{j + 1}", (4 * width, 4 * width, 3, 3), 4 * width)
    i = 9 + residual
    normed(f"main.{i}", f"main.{i + 1}", (4 * width, 2 * width, 4, 4), 2 * width)
    normed(f"main.{i + 3}", f"main.{i + 4}", (2 * width, width, 4, 4), width)
    shapes[f"main.{i + 6}.weight"] = (3, width, 7, 7)
    return shapes


def stargan_critic(*, width: int, attributes: int, size: int, layers: int = 6) -> Shapes:
    """StarGAN's discriminator."""
    shapes: Shapes = {}
    before = 3
    for i in range(layers):
        after = width * 2**i
        shapes[f"main.{2 * i}.weight"], shapes[f"main.{2 * i}.bias"] = (after, before, 4, 4), (after,)
        before = after
    side = size // 2**layers
    shapes["conv1.weight"], shapes["conv2.weight"] = (1, before, 3, 3), (attributes, before, side, side)
    return shapes


def _torch_norm(name: str, channels: int, counter: bool = True) -> Shapes:
    shapes: Shapes = {
        f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")
    }
    return shapes | ({f"{name}.num_batches_tracked": ()} if counter else {})


# ---- values ---------------------------------------------------------------------------------------


def drawn(shapes: Shapes, seed: int, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Random values under which every part of a network can be seen in its output.

    Moving statistics are far from 0 and 1, and variances so small that the epsilons count.
    """
    generator = torch.Generator().manual_seed(seed)

    def fraction(name: str, shape: tuple[int, ...]) -> Tensor:
        return 2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1

    return _filled(shapes, fraction, dtype)


def along_a_sine(shapes: Shapes, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """sin(index² + number of the tensor in order of names), scaled: another program can make it again."""
    numbers = {name: i for i, name in enumerate(sorted(shapes))}

    def fraction(name: str, shape: tuple[int, ...]) -> Tensor:
        index = torch.arange(math.prod(shape), dtype=torch.float64)
        return torch.sin(index.square() + numbers[name]).reshape(shape)

    return _filled(shapes, fraction, dtype)


def _filled(
    shapes: Shapes, fraction: Callable[[str, tuple[int, ...]], Tensor], dtype: torch.dtype
) -> dict[str, Tensor]:
    """From `fraction(name, shape)` in [-1, 1]: weights, biases, norms and variances of a likely size."""
    values = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            values[name] = torch.tensor(1000)
        else:
            centre, spread = _span(name, shape)
            values[name] = (centre + spread * fraction(name, shape)).to(dtype)
    return values


def _span(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Centre and half-width of a variable's values."""
    if name.endswith(("moving_variance", "running_var")):
        return 0.05, 0.04
    if name.endswith(("moving_mean", "running_mean")):
        return 0.1, 0.2
    if len(shape) == 1 and name.endswith(("gamma", "weight")):
        return 1.0, 0.4
    if len(shape) == 1:  # biases and betas
        return 0.1, 0.3
    return 0.0, 0.5 / math.sqrt(_fan_in(name, shape))


def _fan_in(name: str, shape: tuple[int, ...]) -> int:
    """Products that add up to one output value."""
    if "/" not in name:  # PyTorch: (out, in, k, k), transposed convolutions (in, out, k, k)
        if "dec_layers" in name:
            return shape[0] * 4  # of a 4×4 kernel with stride 2, a quarter meets each output
        return math.prod(shape[1:])
    if "transpose" in name:
        return shape[3] * 4
    return math.prod(shape[:-1])
