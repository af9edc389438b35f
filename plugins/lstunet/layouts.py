"""The checkpoint that CooGAN's released program writes for LSTU-Net, for `faceedit-bench weights import`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from faceedit_bench.api import Imported, Layout

if TYPE_CHECKING:
    from torch import Tensor


def tf1(tensors: Mapping[str, Tensor]) -> Imported:
    """The unit with a 1×1 convolution and a LeakyReLU; older drafts have other names or arithmetic."""
    from ..unet.layouts import LSTU, convert, tensorflow_names

    return convert(tensors, tensorflow_names(unit=LSTU), unit="lstu", slope=0.2, epsilon=1e-3)


LAYOUTS = {"tf1": Layout("CooGAN's LSTU-Net: .npz of Genc/…, Gstu/…, Gdec/…", tf1, preset="paper")}
