"""AttGAN, STGAN and LSTU-Net in one pass over the whole picture: one network, one condition."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from faceedit_bench.api import EditBatch, LoadContext

from .generator import UNet
from .options import FamilyOptions
from .pictures import pad_to_multiple


class WholePicture:
    """An editor (faceedit_bench.api.Editor) around one network.

    `condition` turns a batch into what the network is told, (B, A). Pictures whose sides are no multiple of
    `multiple` are padded right and bottom by repeating the border, and cropped afterwards.
    """

    def __init__(self, network: nn.Module, condition: Callable[[EditBatch], Tensor], multiple: int) -> None:
        self.network, self.condition, self.multiple = network, condition, multiple

    def edit(self, batch: EditBatch) -> Tensor:
        """(B, 3, H, W)."""
        height, width = batch.images.shape[2:]
        edited = self.network(pad_to_multiple(batch.images, self.multiple), self.condition(batch))
        return edited[:, :, :height, :width]


def whole_picture(
    generator: UNet,
    condition: Callable[[EditBatch], Tensor],
    options: FamilyOptions,
    context: LoadContext,
) -> WholePicture:
    """The editor with checked weights, keys `editor.*`."""
    networks = context.restore(nn.ModuleDict({"editor": generator}))
    return WholePicture(networks.get_submodule("editor"), condition, 2**options.layers)
