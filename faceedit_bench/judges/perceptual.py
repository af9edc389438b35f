"""LPIPS 0.1: how different two pictures look (Zhang et al., 2018), on AlexNet, VGG-16 or SqueezeNet.

Network and linear heads are the package lpips'; its backbone comes from a checked file and never from its
constructor.
"""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import lpips
import torch
from torch import Tensor, nn

from ..contracts import JudgeContext
from ..errors import WrongWeights
from .official import as_slices

HEADS = {  # sha256 of weights/v0.1/<net>.pth inside lpips 0.1.4
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
}
SLICES = {
    "alex": (2, 5, 8, 10, 12),
    "vgg": (4, 9, 16, 23, 30),
    "squeeze": (2, 5, 8, 10, 11, 12, 13),
}  # layers of `features` before which lpips cuts


class Lpips(nn.Module):
    """(B, 3, H, W), (B, 3, H, W) in [-1, 1] -> (B, 1); of a spatial network (B, H·W), row by row."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, edited: Tensor, reference: Tensor) -> Tensor:
        return self.network(edited, reference).flatten(1)


def load(context: JudgeContext, net: str, *, spatial: bool = False) -> Lpips:
    """`spatial`: the map of distances, each layer's brought to the pictures' size."""
    network = untrained(net)
    network.spatial = spatial
    context.adopt(network.net, as_slices(SLICES[net]))
    read_heads(network, bundled(net))
    return Lpips(network.to(context.device).eval().requires_grad_(False))


def untrained(net: str) -> lpips.LPIPS:
    """lpips' network, backbone and heads not filled yet; its constructor downloads nothing.

    It makes the whole of VGG-16 to keep a tenth: on the meta device that takes no time and no memory.
    """
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore", UserWarning)  # lpips asks torchvision in an old way
        network = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
    scale = lpips.lpips.ScalingLayer()  # its two constants
    network.to_empty(device="cpu").scaling_layer = scale
    return network


def bundled(net: str) -> Path:
    """The heads that lpips ships."""
    return Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth"


def read_heads(network: lpips.LPIPS, path: Path) -> None:
    """Fill the linear heads; another file than that of lpips 0.1.4 would be another measure."""
    net = path.stem
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no such file"
    if found != HEADS[net]:
        raise WrongWeights(f"{path}: wanted sha256 {HEADS[net]}, found {found}; install lpips 0.1.4 again")
    weights = torch.load(path, map_location="cpu", weights_only=True)
    for index, head in enumerate(network.lins):
        head.load_state_dict({"model.1.weight": weights[f"lin{index}.model.1.weight"]})
