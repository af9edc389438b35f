"""Checkpoints that AttGAN's released programs write, for `faceedit-bench weights import`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from faceedit_bench.api import Imported, Layout

if TYPE_CHECKING:
    from torch import Tensor


def port(tensors: Mapping[str, Tensor]) -> Imported:
    """The PyTorch port has PyTorch's defaults where TensorFlow has its own."""
    from ..unet.layouts import convert, port_names

    return convert(tensors, port_names(), unit="none", slope=0.01, epsilon=1e-5, scale=0.5)


def tf1(tensors: Mapping[str, Tensor]) -> Imported:
    from ..unet.layouts import convert, tensorflow_names

    return convert(tensors, tensorflow_names(), unit="none", slope=0.2, epsilon=1e-3, scale=0.5)


def tf2(tensors: Mapping[str, Tensor]) -> Imported:
    """Twice the label codes of the first release."""
    from ..unet.layouts import convert, tensorflow_names

    return convert(tensors, tensorflow_names("UNet"), unit="none", slope=0.2, epsilon=1e-3, scale=1.0)


LAYOUTS = {
    "port": Layout("AttGAN-PyTorch, checkpoint/weights.*.pth", port, preset="port"),
    "tf1": Layout("AttGAN-Tensorflow, first release: .npz of Genc/…, Gdec/…", tf1, preset="paper"),
    "tf2": Layout("AttGAN-Tensorflow, second release: .npz of UNetGenc/…, UNetGdec/…", tf2, preset="v2"),
}
