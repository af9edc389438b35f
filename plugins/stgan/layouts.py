"""The checkpoint that STGAN's released program writes, for `faceedit-bench weights import`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from faceedit_bench.api import Imported, Layout

if TYPE_CHECKING:
    from torch import Tensor


def tf1(tensors: Mapping[str, Tensor]) -> Imported:
    """Base widths of network and units are read separately: those of the 384 model differ."""
    from ..unet.layouts import STU, convert, tensorflow_names

    return convert(tensors, tensorflow_names(unit=STU), unit="stu", slope=0.2, epsilon=1e-3)


LAYOUTS = {"tf1": Layout("STGAN: .npz of Genc/…, Gstu/…, Gdec/…", tf1, preset="paper")}
