"""MTCNN: its steps against the same steps by hand, with random numbers; where the wheel is, its weights."""

from __future__ import annotations

import io
import math
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data
from torch import Tensor

from faceedit_bench import weights
from faceedit_bench.errors import WrongWeights
from faceedit_bench.judges import mtcnn
from faceedit_bench.judges.photographs import SPECS
from faceedit_bench.judges.view import look
from faceedit_bench.observe import to_unit

SPEC = next(spec for spec in SPECS if spec.name == "mtcnn")
Nets = dict[str, Tensor]


def random_network(seed: int) -> mtcnn.MTCNN:
    """Random numbers under which many boxes pass all three networks, some of them beyond the border."""
    generator = torch.Generator().manual_seed(seed)
    network = mtcnn.MTCNN().eval().requires_grad_(False)
    for name, value in network.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        spread = (1.5 / max(1, value[0].numel())) ** 0.5
        value.copy_(0.25 + 0.05 * noise if "prelu" in name else noise * spread)
    for moves in (network.pnet.conv4_2, network.rnet.dense5_2):
        moves.weight.mul_(0.1)
    return network


def wheel(
    path: Path, network: mtcnn.MTCNN, spoil: Callable[[dict[str, bytes]], object] | None = None
) -> Path:
    """A wheel as facenet-pytorch packs it."""
    files = {"facenet_pytorch/__init__.py": b"raise SystemExit"}
    for name in ("pnet", "rnet", "onet"):
        content = io.BytesIO()
        torch.save(getattr(network, name).state_dict(), content)
        files[mtcnn.MEMBER.format(name)] = content.getvalue()
    if spoil:
        spoil(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data_ in files.items():
            archive.writestr(name, data_)
    return path


def context(path: Path) -> weights.Context:
    return weights.Context("cpu", (weights.pin_of(path),), (path,))


def picture(side: int, seed: int = 0) -> np.ndarray:
    """(side, side, 3) uint8: smooth spots of colour."""
    rough = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(seed))
    grown = F.interpolate(rough, (side, side), mode="bicubic").clamp(0, 1)[0]
    return (grown * 255).byte().permute(1, 2, 0).contiguous().numpy()


def answer(network: mtcnn.MTCNN, *pictures: np.ndarray) -> np.ndarray:
    seen = torch.stack([torch.from_numpy(one).permute(2, 0, 1) for one in pictures])
    with torch.inference_mode():
        return network(look(to_unit(seen), SPEC.view)).numpy()


# ---- the same by hand: Pillow, numpy, one box after another --------------------------------------------


def prepared(image: Image.Image) -> Tensor:
    levels = np.asarray(image, np.float32).transpose(2, 0, 1)
    return torch.from_numpy((levels - 127.5) * 0.0078125)[None]


def layers(nets: Nets, net: str, x: Tensor, *kinds: str) -> Tensor:
    """`conv1`, `pool3` and so on, each convolution with its rectifier behind it."""
    for kind in kinds:
        number = kind[-1]
        if kind.startswith("pool"):
            x = F.max_pool2d(x, int(number), 2, ceil_mode=True)
            continue
        if kind.startswith("dense") and x.dim() == 4:
            x = x.transpose(1, 3).reshape(len(x), -1)
        place = f"{net}.{kind}"
        layer = F.conv2d if kind.startswith("conv") else F.linear
        x = layer(x, nets[f"{place}.weight"], nets[f"{place}.bias"])
        x = F.prelu(x, nets[f"{net}.prelu{number}.weight"])
    return x


def head(nets: Nets, place: str, x: Tensor) -> Tensor:
    layer = F.conv2d if x.dim() == 4 else F.linear
    return layer(x, nets[f"{place}.weight"], nets[f"{place}.bias"])


def without_overlap(boxes: list[list[float]], most: float) -> list[list[float]]:
    """Boxes (left, top, right, bottom, sure, …), greedily; the last pixels belong to a box."""
    kept: list[list[float]] = []
    for box in sorted(boxes, key=lambda box: -box[4]):
        for other in kept:
            width = min(box[2], other[2]) - max(box[0], other[0]) + 1
            height = min(box[3], other[3]) - max(box[1], other[1]) + 1
            both = max(width, 0) * max(height, 0)
            areas = [(one[2] - one[0] + 1) * (one[3] - one[1] + 1) for one in (box, other)]
            if both / (sum(areas) - both) > most:
                break
        else:
            kept.append(box)
    return kept


def square(box: list[float]) -> list[float]:
    """Moved by its last four numbers, then made square."""
    left, top, right, bottom, _, *move = box
    width, height = right - left + 1, bottom - top + 1
    left, top, right, bottom = (
        left + move[0] * width,
        top + move[1] * height,
        right + move[2] * width,
        bottom + move[3] * height,
    )
    width, height = right - left + 1, bottom - top + 1
    side = max(width, height)
    left, top = left + width / 2 - side / 2, top + height / 2 - side / 2
    return [round(place) for place in (left, top, left + side - 1, top + side - 1)]


def chip(image: Image.Image, box: list[float], size: int) -> Tensor:
    """Pillow's crop is black beyond the border."""
    left, top, right, bottom = (int(place) for place in box)
    part = image.crop((left, top, right + 1, bottom + 1))
    return prepared(part.resize((size, size), Image.Resampling.BILINEAR))


def within(box: list[float], side: int) -> list[float]:
    return [max(box[0], 0), max(box[1], 0), min(box[2], side - 1), min(box[3], side - 1)]


def by_hand(nets: Nets, levels: np.ndarray) -> tuple[np.ndarray, int]:
    """The answer, and how many boxes the third network was shown."""
    image, side = Image.fromarray(levels), len(levels)
    boxes: list[list[float]] = []
    length, power = side * 12 / 20, 0
    while length > 12:
        scale = 12 / 20 * 0.707**power
        small = math.ceil(side * scale)
        x = prepared(image.resize((small, small), Image.Resampling.BILINEAR))
        x = layers(nets, "pnet", x, "conv1", "pool2", "conv2", "conv3")
        faces, moves = head(nets, "pnet.conv4_1", x)[0, 1], head(nets, "pnet.conv4_2", x)[0]
        sure = faces.exp() / faces.exp().sum(1, keepdim=True)  # of its row
        here = []
        for row, column in (sure > 0.15).nonzero().tolist():
            corner = [2 * column + 1, 2 * row + 1]
            box = [float(round(place / scale)) for place in (*corner, corner[0] + 12, corner[1] + 12)]
            here.append([*box, float(sure[row, column]), *moves[:, row, column].tolist()])
        boxes += without_overlap(here, 0.5)
        length, power = length * 0.707, power + 1
    second = []
    for box in map(square, without_overlap(boxes, 0.7)):
        cut = within(box, side)
        if cut[0] > cut[2] or cut[1] > cut[3]:
            continue
        x = layers(nets, "rnet", chip(image, box, 24), "conv1", "pool3", "conv2", "pool3", "conv3", "dense4")
        sure = head(nets, "rnet.dense5_1", x).softmax(1)[0, 1]
        if sure > 0.25:
            second.append([*cut, float(sure), *head(nets, "rnet.dense5_2", x)[0].tolist()])
    best, found, count = -1.0, np.zeros(11), 0
    for box in map(square, without_overlap(second, 0.7)):
        cut = within(box, side)
        if cut[0] > cut[2] or cut[1] > cut[3]:
            continue
        kinds = ("conv1", "pool3", "conv2", "pool3", "conv3", "pool2", "conv4", "dense5")
        x, count = layers(nets, "onet", chip(image, box, 48), *kinds), count + 1
        sure = float(head(nets, "onet.dense6_1", x).softmax(1)[0, 1])
        if sure > best:
            best, shares = sure, head(nets, "onet.dense6_3", x)[0].numpy()
            across = cut[0] + (cut[2] - cut[0] + 1) * shares[:5]
            down = cut[1] + (cut[3] - cut[1] + 1) * shares[5:]
            found = np.array([sure > 0.35, *((np.stack([across, down], axis=1) + 0.5) / side).flatten()])
    return found, count


@pytest.mark.parametrize(("side", "seed"), [(64, 5), (90, 13), (128, 5)])
def test_answers_are_those_of_the_steps_by_hand(side: int, seed: int) -> None:
    network, levels = random_network(seed), picture(side, seed)
    with torch.inference_mode():
        wanted, count = by_hand(network.state_dict(), levels)
    assert count > 3  # the third network had something to choose from
    # pixels; a level that lies between two falls to either side (below)
    assert answer(network, levels)[0] * side == pytest.approx(wanted * side, abs=0.1)


def test_pictures_are_shrunk_as_pillow_shrinks_them() -> None:
    """Pillow's weights have 22 bits: what lies midway between two levels falls to either."""
    levels = picture(150)
    noisy = (levels.astype(int) + np.random.default_rng(0).integers(-40, 40, levels.shape)).clip(0, 255)
    image = Image.fromarray(noisy.astype(np.uint8))
    for size in (90, 24, 13):
        theirs = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), int)
        ours = mtcnn.resized(torch.from_numpy(noisy).permute(2, 0, 1).float(), size).permute(1, 2, 0).numpy()
        assert np.abs(ours - theirs).max() <= 1 and (ours != theirs).mean() < 0.1


def test_a_picture_of_a_batch_is_answered_as_alone() -> None:
    network, several = random_network(1), [picture(90, seed) for seed in (1, 2, 3)]
    together = answer(network, *several)
    assert np.array_equal(together, np.concatenate([answer(network, one) for one in several]))
    assert len(np.unique(together, axis=0)) == 3


def test_where_nothing_is_found_the_answer_is_zero() -> None:
    network = random_network(1)
    assert not answer(network, picture(20)).any()  # no face of 20 pixels fits in
    network.rnet.dense5_1.bias.copy_(torch.tensor([50.0, -50.0]))
    assert not answer(network, picture(90, 1)).any()


def test_what_the_third_network_does_not_take_for_a_face_is_not_found() -> None:
    network = random_network(1)
    network.onet.dense6_1.bias.copy_(torch.tensor([50.0, -50.0]))
    found = answer(network, picture(90, 1))[0]
    assert found[0] == 0 and found[1:].any()


def test_in_double_precision_it_answers_the_same() -> None:
    network = random_network(1)
    single = answer(network, picture(90, 1))
    seen = to_unit(torch.from_numpy(picture(90, 1)).permute(2, 0, 1)[None], torch.float64)
    double = network.double()(seen)
    assert double.dtype == torch.float64
    assert double.numpy() == pytest.approx(single, abs=1e-3)


# ---- the wheel -----------------------------------------------------------------------------------------


def test_the_networks_have_the_published_parameters() -> None:
    network = mtcnn.MTCNN()
    sizes = [sum(value.numel() for value in part.parameters()) for part in network.children()]
    assert sizes == [6_632, 100_178, 389_040]


def test_a_wheel_is_read_as_the_zip_that_it_is(tmp_path: Path) -> None:
    network = random_network(1)
    loaded = SPEC.load(context(wheel(tmp_path / SPEC.pin.file, network)))
    assert np.array_equal(answer(loaded, picture(90, 1)), answer(network, picture(90, 1)))


class Trap:
    """A pickle that would end the program."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return sys.exit, ("executed",)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda files: files.pop("facenet_pytorch/data/rnet.pt"), "rnet.pt"),
        (lambda files: files.update({"facenet_pytorch/data/onet.pt": b"<html>"}), "damaged"),
        (lambda files: files.update({"facenet_pytorch/data/pnet.pt": pickle.dumps(Trap(), 2)}), "damaged"),
        (
            lambda files: files.update(
                {"facenet_pytorch/data/pnet.pt": files["facenet_pytorch/data/rnet.pt"]}
            ),
            r"does not fit MTCNN(.|\n)*pnet\.conv4_1\.weight",
        ),
    ],
)
def test_a_wheel_that_is_not_whole_is_refused(
    spoil: Callable[[dict[str, bytes]], object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongWeights, match=said):
        SPEC.load(context(wheel(tmp_path / "odd.whl", random_network(0), spoil)))


def test_what_is_no_wheel_and_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "page.whl").write_text("<html>")
    with pytest.raises(WrongWeights, match="not facenet-pytorch's wheel"):
        SPEC.load(context(tmp_path / "page.whl"))
    with pytest.raises(WrongWeights, match="wanted 1881930 bytes"):
        weights.check(wheel(tmp_path / SPEC.pin.file, random_network(0)), SPEC.pin)


@pytest.mark.weights
def test_it_finds_the_face_that_facenet_pytorch_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opt-in: FACEEDIT_TEST_WHEEL names the wheel. Its own cascade has other limits (0.6, 0.7, 0.7), sizes
    and ways to shrink, so points agree to a twentieth of the eyes' distance, not to the pixel."""
    path = os.environ.get("FACEEDIT_TEST_WHEEL")
    if not path:
        pytest.skip(f"set FACEEDIT_TEST_WHEEL to {SPEC.pin.file} ({SPEC.pin.origin})")
    weights.check(Path(path), SPEC.pin)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("requests", "requests.adapters"):  # it wants them for another network, and to download
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["requests.adapters"].HTTPAdapter = object  # type: ignore[attr-defined]
    theirs = __import__("facenet_pytorch").MTCNN(keep_all=True)
    ours = SPEC.load(context(Path(path)))
    whole = data.astronaut()
    for levels in (whole, np.ascontiguousarray(whole[:250, 100:350])):
        _, sure, points = theirs.detect(Image.fromarray(levels), landmarks=True)
        wanted = points[sure.argmax()]
        found = answer(ours, levels)[0]
        apart = float(np.linalg.norm(wanted[0] - wanted[1]))
        assert found[0] == 1 and 40 < apart < 45
        assert np.abs(found[1:].reshape(5, 2) * len(levels) - 0.5 - wanted).max() < 0.05 * apart
    monkeypatch.delitem(sys.modules, "facenet_pytorch")
    for name in [name for name in sys.modules if name.startswith("facenet_pytorch.")]:
        monkeypatch.delitem(sys.modules, name)
