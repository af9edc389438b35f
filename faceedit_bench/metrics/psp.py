"""Paired scores as papers of pSp's family compute them: both pictures are brought to 256×256 first.

The rule is that of pSp's released evaluation (Richardson et al., "Encoding in Style", 2021): torchvision's
`Resize((256, 256))` of 8-bit pictures, which is Pillow's bilinear with antialias, rounded to 8 bits. At 1024
pixels an inversion scores better so than at its full size, because fine detail is averaged away. The released
program reads batches of four and drops an incomplete last one, up to three pictures; here none is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from PIL import Image

from .answers import once
from .states import Rows

if TYPE_CHECKING:
    from torch import Tensor

    from ..contracts import Observation, Undefined

SIDE = 256


class OfPairs(Protocol):
    """A metric of edited and source pictures, face by face."""

    def empty(self) -> Rows: ...
    def update(self, state: Rows, seen: Any) -> None: ...
    def per_sample(self, state: Rows) -> dict[str, np.ndarray]: ...
    def finish(self, state: Rows) -> dict[str, float]: ...


def resized(pictures: Tensor, side: int = SIDE) -> Tensor:
    """(B, 3, H, W) uint8 -> (B, 3, side, side) uint8; as they are where they have this size."""
    if pictures.shape[-2:] == (side, side):
        return pictures
    shrunk = [
        np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
        for picture in pictures.permute(0, 2, 3, 1).cpu().numpy()
    ]
    return torch.from_numpy(np.stack(shrunk)).permute(0, 3, 1, 2).contiguous()


class Resized:
    """An observation whose pictures are resized, once for all metrics; everything else is as it was."""

    def __init__(self, seen: Observation) -> None:
        self.seen = seen

    @property
    def source(self) -> Tensor:
        return once(self.seen, f"source at {SIDE}", lambda: resized(self.seen.source))

    @property
    def edited(self) -> Tensor:
        return once(self.seen, f"edited at {SIDE}", lambda: resized(self.seen.edited))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.seen, name)


class AtPspsSize:
    """Another metric, of pictures of 256×256."""

    def __init__(self, metric: OfPairs) -> None:
        self.metric = metric

    def empty(self) -> Rows:
        return self.metric.empty()

    def update(self, state: Rows, seen: Observation) -> None:
        self.metric.update(state, Resized(seen))

    def per_sample(self, state: Rows) -> dict[str, np.ndarray]:
        return self.metric.per_sample(state)

    def finish(self, state: Rows) -> dict[str, float | Undefined]:
        return {**self.metric.finish(state)}
