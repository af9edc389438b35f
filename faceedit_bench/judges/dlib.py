"""dlib's face recognition network, as face-api packs it: an identity judge that anybody can have offline.

King, "dlib_face_recognition_resnet_model_v1", 2017: a residual network of 29 convolutions whose norms were
folded into a scale and a shift per channel; 5.6 million parameters, 128 numbers. face-api
(@vladmandic/face-api, MIT) stores them as tensors of one byte with a scale and a least value each, in shards
that a JSON manifest describes. Nothing in the package is executed.

dlib calls faces the same person below a distance of 0.6; here the cosine is what counts, as for the others.
"""

from __future__ import annotations

import json
import math
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..contracts import JudgeContext
from ..errors import WrongWeights

MANIFEST = "package/model/face_recognition_model-weights_manifest.json"
SIDE = 150  # pixels that the network looks at
ROWS, COLUMNS = slice(64, 248), slice(36, 220)
"""Of 256 pixels aligned as FFHQ: about where dlib's own chips, padded by a quarter, have eyes and mouth."""


# ---- the network ------------------------------------------------------------------------------------


class Scale(nn.Module):
    """A factor and a shift per channel: what is left of a norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class Scaled(nn.Module):
    """A convolution and its scale."""

    def __init__(self, inside: int, outside: int, taps: int = 3, stride: int = 1) -> None:
        super().__init__()
        padding = 0 if stride > 1 else taps // 2  # where it halves, no border is made up
        self.conv = nn.Conv2d(inside, outside, taps, stride, padding)
        self.scale = Scale(outside)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale(self.conv(x))


class Block(nn.Module):
    """Two convolutions and a way round them; one that halves pools on that way, and adds empty channels."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.conv1, self.conv2 = Scaled(inside, outside, stride=stride), Scaled(outside, outside)

    def forward(self, x: Tensor) -> Tensor:
        found = self.conv2(self.conv1(x).relu())
        if self.stride > 1:
            x = F.avg_pool2d(x, 2)
            found = F.pad(found, (0, x.shape[-1] - found.shape[-1], 0, x.shape[-2] - found.shape[-2]))
            x = F.pad(x, (0, 0, 0, 0, 0, found.shape[1] - x.shape[1]))
        return (found + x).relu()


class DlibResNet(nn.Module):
    """(B, 3, 150, 150), less the mean colour, over 255 -> (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv32_down = Scaled(3, 32, taps=7, stride=2)
        self.conv32_1, self.conv32_2, self.conv32_3 = (Block(32, 32) for _ in range(3))
        self.conv64_down = Block(32, 64, stride=2)
        self.conv64_1, self.conv64_2, self.conv64_3 = (Block(64, 64) for _ in range(3))
        self.conv128_down = Block(64, 128, stride=2)
        self.conv128_1, self.conv128_2 = (Block(128, 128) for _ in range(2))
        self.conv256_down = Block(128, 256, stride=2)
        self.conv256_1, self.conv256_2 = (Block(256, 256) for _ in range(2))
        self.conv256_down_out = Block(256, 256, stride=2)
        self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Every layer in the order in which they stand above."""
        seen = F.max_pool2d(self.conv32_down(faces).relu(), 3, 2)
        for layer in self.children():
            if isinstance(layer, Block):
                seen = layer(seen)
        return self.fc(seen.mean((2, 3)))


class Recogniser(nn.Module):
    """(B, 3, 256, 256), as the view scales them -> (B, 128)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, faces: Tensor) -> Tensor:
        window = faces[:, :, ROWS, COLUMNS]
        size = (SIDE, SIDE)
        return self.network(F.interpolate(window, size, mode="bilinear", align_corners=False, antialias=True))


def load(context: JudgeContext) -> Recogniser:
    package = context.file()
    network = DlibResNet()
    try:
        network.load_state_dict(our_names(read_package(package)))
    except RuntimeError as error:
        raise WrongWeights(f"{package}: does not fit DlibResNet: {error}") from None
    return Recogniser(network.to(context.device).eval().requires_grad_(False))


# ---- the package ------------------------------------------------------------------------------------


def read_package(path: Path, manifest: str = MANIFEST) -> dict[str, Tensor]:
    """The tensors of one network of face-api's package, under the names of its manifest."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            groups = json.loads(_member(archive, manifest))
            folder = manifest.rpartition("/")[0]
            found: dict[str, Tensor] = {}
            for group in groups:
                shards = [_member(archive, f"{folder}/{name}") for name in group["paths"]]
                found |= read_shards(group["weights"], b"".join(shards))
            return found
    except (tarfile.TarError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise WrongWeights(
            f"{path}: not face-api's package, or damaged ({error}); get it again with npm pack"
        ) from None


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)  # KeyError where there is none
    if file is None:
        raise KeyError(f"{name} is no file")
    return file.read()


def read_shards(weights: Sequence[Mapping[str, Any]], data: bytes) -> dict[str, Tensor]:
    """Float32 tensors from the entries of a manifest and the bytes of its shards, one after another.

    A quantised tensor is number · scale + min. Values are multiplied as float32, as TensorFlow.js does.
    """
    found, start = {}, 0
    for entry in weights:
        packed = entry.get("quantization")
        kind = np.dtype(packed["dtype"] if packed else entry["dtype"]).newbyteorder("<")
        count = math.prod(entry["shape"])
        if start + count * kind.itemsize > len(data):
            raise ValueError(f"the shards end within {entry['name']}")
        values = np.frombuffer(data, kind, count, start).astype(np.float32)
        if packed:
            values = values * np.float32(packed["scale"]) + np.float32(packed["min"])
        found[entry["name"]] = torch.from_numpy(values.reshape(entry["shape"]).copy())
        start += count * kind.itemsize
    if start != len(data):
        raise ValueError(f"{len(data) - start} bytes are left over behind the last tensor")
    return found


def our_names(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`conv32_1/conv1/conv/filters` (H, W, in, out) -> `conv32_1.conv1.conv.weight` (out, in, H, W)."""
    ends = {"filters": "weight", "bias": "bias", "weights": "weight", "biases": "bias"}
    found = {}
    for name, value in published.items():
        if name == "fc":  # (in, out)
            found["fc.weight"] = value.T
            continue
        *path, end = name.split("/")
        axes = (3, 2, 0, 1) if end == "filters" else range(value.dim())
        found[".".join([*path, ends[end]])] = value.permute(*axes)
    return found
