"""dlib's identity network out of face-api's package: random numbers of the published shapes."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from faceedit_bench import weights
from faceedit_bench.errors import WrongWeights
from faceedit_bench.judges import dlib
from faceedit_bench.judges.photographs import SPECS
from faceedit_bench.judges.view import look

(JUDGE,) = (spec for spec in SPECS if spec.name == "dlib-resnet")
DOWN = ("64_down", "128_down", "256_down", "256_down_out")
BLOCKS = (
    *("32_1", "32_2", "32_3", "64_down", "64_1", "64_2", "64_3", "128_down", "128_1", "128_2"),
    *("256_down", "256_1", "256_2", "256_down_out"),
)


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of face-api's manifest, in its order."""
    shapes: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, taps: int, inside: int, outside: int) -> None:
        shapes[f"{name}/conv/filters"] = (taps, taps, inside, outside)
        for end in ("conv/bias", "scale/weights", "scale/biases"):
            shapes[f"{name}/{end}"] = (outside,)

    inside = 32
    convolution("conv32_down", 7, 3, 32)
    for block in BLOCKS:
        outside = int(block.partition("_")[0])
        convolution(f"conv{block}/conv1", 3, inside, outside)
        convolution(f"conv{block}/conv2", 3, outside, outside)
        inside = outside
    return {**shapes, "fc": (256, 128)}


def package(path: Path, *, spoil: Any = None) -> tuple[Path, dict[str, Tensor]]:
    """A package as npm packs it, and its tensors: bytes with a scale and a least value."""
    generator = np.random.default_rng(0)
    entries, shards, tensors = [], [], {}
    for name, shape in published_shapes().items():
        entry: dict[str, Any] = {"name": name, "shape": list(shape), "dtype": "float32"}
        if name == "fc":
            values = generator.normal(size=shape).astype(np.float32) / 16
            shards.append(values.tobytes())
        else:
            fan = np.prod(shape[:3]) if name.endswith("filters") else 1
            middle = 1.0 if name.endswith("weights") else 0.0
            scale, least = 2 / 255 / fan**0.5, middle - 1 / fan**0.5
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": least}
            levels = generator.integers(0, 256, shape, dtype=np.uint8)
            shards.append(levels.tobytes())
            values = levels.astype(np.float32) * np.float32(scale) + np.float32(least)
        entries.append(entry)
        tensors[name] = torch.from_numpy(values)
    data = b"".join(shards)
    half = len(data) // 2
    files = {
        dlib.MANIFEST: json.dumps([{"weights": entries, "paths": ["a.bin", "b.bin"]}]).encode(),
        "package/model/a.bin": data[:half],
        "package/model/b.bin": data[half:],
        "package/index.js": b"throw 1",
    }
    if spoil is not None:
        spoil(files)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path, tensors


def by_hand(tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """face-api's forward pass (src/faceRecognitionNet), layer by layer with plain functions."""

    def convolution(x: Tensor, name: str, stride: int, same: bool) -> Tensor:
        kernel = tensors[f"{name}/conv/filters"].permute(3, 2, 0, 1)
        x = F.conv2d(x, kernel, tensors[f"{name}/conv/bias"], stride, kernel.shape[-1] // 2 if same else 0)
        scale, shift = (tensors[f"{name}/scale/{end}"].view(1, -1, 1, 1) for end in ("weights", "biases"))
        return x * scale + shift

    x = F.max_pool2d(F.relu(convolution(x, "conv32_down", 2, same=False)), 3, 2)
    for block in BLOCKS:
        down = block in DOWN
        out = F.relu(convolution(x, f"conv{block}/conv1", 2 if down else 1, same=not down))
        out = convolution(out, f"conv{block}/conv2", 1, same=True)
        if down:
            pooled = F.avg_pool2d(x, 2, 2)
            around = torch.zeros(len(x), out.shape[1], *pooled.shape[2:])
            around[:, : pooled.shape[1]] = pooled
            whole = torch.zeros_like(around)
            whole[:, :, : out.shape[2], : out.shape[3]] = out
            out, x = whole, around
        x = F.relu(out + x)
    return x.mean((2, 3)) @ tensors["fc"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    return package(tmp_path_factory.mktemp("npm") / "face-api.tgz")


def loaded(path: Path) -> Any:
    return JUDGE.load(weights.Context("cpu", (weights.pin_of(path),), (path,)))


def test_the_network_has_the_published_parameters() -> None:
    network = dlib.DlibResNet()
    assert sum(value.numel() for value in network.parameters()) == 5_614_592
    assert len(published_shapes()) == 117 == len(network.state_dict())


def test_shards_are_read_and_the_network_answers_as_face_apis_layers_do(
    packed: tuple[Path, dict[str, Tensor]],
) -> None:
    path, tensors = packed
    faces = torch.rand(2, 3, dlib.SIDE, dlib.SIDE, generator=torch.Generator().manual_seed(1)) - 0.4
    found = loaded(path).network(faces)
    wanted = by_hand(tensors, faces)
    assert found.shape == (2, 128) and float(wanted.abs().max()) > 0.01
    # float32 sums in another order, 29 convolutions deep
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


def test_the_judge_looks_at_the_middle_and_takes_the_mean_colour_away(
    packed: tuple[Path, dict[str, Tensor]],
) -> None:
    judge = loaded(packed[0])
    faces = torch.rand(2, 3, 256, 256, generator=torch.Generator().manual_seed(2)) * 2 - 1
    seen = look(faces, JUDGE.view)
    colour = torch.tensor([122.782, 117.001, 104.298]).view(1, 3, 1, 1)
    torch.testing.assert_close(seen, ((faces + 1) * 127.5 - colour) / 255)
    framed = faces.clone()
    framed[:, :, :64], framed[:, :, :, :36], framed[:, :, 248:], framed[:, :, :, 220:] = 1, 1, 1, 1
    assert judge(seen).shape == (2, 128)
    assert torch.equal(judge(look(framed, JUDGE.view)), judge(seen))
    framed[:, :, 64:248, 36:220] = 1
    assert not torch.equal(judge(look(framed, JUDGE.view)), judge(seen))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda files: files.update({"package/model/b.bin": b"short"}), "the shards end within"),
        (
            lambda files: files.update({"package/model/b.bin": files["package/model/b.bin"] + b"x"}),
            "1 bytes are left",
        ),
        (lambda files: files.pop("package/model/a.bin"), "package/model/a.bin"),
        (lambda files: files.pop(dlib.MANIFEST), "manifest"),
        (lambda files: files.update({dlib.MANIFEST: b"<html>"}), "not face-api's package"),
    ],
)
def test_a_package_that_is_not_whole_is_refused(spoil: Any, said: str, tmp_path: Path) -> None:
    path, _ = package(tmp_path / "face-api.tgz", spoil=spoil)
    with pytest.raises(WrongWeights, match=said):
        loaded(path)


def test_a_package_of_another_network_is_refused(tmp_path: Path) -> None:
    def spoil(files: dict[str, bytes]) -> None:
        files[dlib.MANIFEST] = files[dlib.MANIFEST].replace(b"conv32_1/conv1", b"conv32_9/conv1")

    path, _ = package(tmp_path / "face-api.tgz", spoil=spoil)
    with pytest.raises(WrongWeights, match="does not fit DlibResNet"):
        loaded(path)


def test_another_version_of_the_package_is_not_accepted(packed: tuple[Path, dict[str, Tensor]]) -> None:
    path, _ = packed
    with pytest.raises(WrongWeights, match="wanted 12677476 bytes"):
        weights.check(path, JUDGE.pin)
