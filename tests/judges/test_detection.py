"""The finder of faces: facexlib's network and decoding under our loader, with random numbers for weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from facexlib.detection.retinaface import RetinaFace

from faceedit_bench import weights
from faceedit_bench.errors import WrongWeights
from faceedit_bench.judges import detection
from faceedit_bench.judges.photographs import SPECS
from faceedit_bench.judges.view import look

SPEC = next(spec for spec in SPECS if spec.name == "retinaface-resnet50")


@pytest.fixture(scope="module")
def network() -> RetinaFace:
    """Random numbers under which some anchor is sure of a face."""
    torch.manual_seed(0)
    network = detection.retinaface()
    for head in network.ClassHead:
        head.conv1x1.weight.data *= 40
    return network


@pytest.fixture(scope="module")
def published(network: RetinaFace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a trainer that spread it over GPUs would save it."""
    path = tmp_path_factory.mktemp("weights") / SPEC.pin.file
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, path)
    return path


def context(path: Path) -> weights.Context:
    return weights.Context("cpu", (weights.pin_of(path),), (path,))


def test_the_surest_face_is_the_one_that_facexlib_finds_first(network: RetinaFace, published: Path) -> None:
    """Its own detection: BGR from 0 to 255, decoding, a threshold, suppression of overlapping boxes."""
    pictures = torch.randint(0, 256, (2, 3, 256, 256), generator=torch.Generator().manual_seed(2))
    answers = SPEC.load(context(published))(look(pictures / 127.5 - 1, SPEC.view))
    assert answers.shape == (2, SPEC.width)
    for picture, answer in zip(pictures, answers, strict=True):
        bgr = picture.flip(0).permute(1, 2, 0).numpy().astype(np.float32)
        with torch.inference_mode():
            theirs = network.detect_faces(bgr, conf_threshold=0.0)
        found = theirs[theirs[:, 4].argmax()]
        assert float(answer[0]) == pytest.approx(found[4], abs=1e-5)
        # their points are pixels from the middle of the first one; ours are shares of the side
        assert (answer[1:] * 256 - 0.5).numpy() == pytest.approx(found[5:], abs=1e-2)
    assert answers[:, 0].min() > 0 and not torch.equal(answers[0], answers[1])


def test_the_published_file_has_the_networks_size(network: RetinaFace) -> None:
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    assert size < SPEC.pin.bytes < size + 200_000  # names and offsets of 456 tensors


def test_a_file_of_another_network_is_refused_with_its_keys(published: Path, tmp_path: Path) -> None:
    tensors = torch.load(published, weights_only=True)
    tensors["module.LandmarkHead.9.weight"] = tensors.pop("module.LandmarkHead.2.conv1x1.weight")
    torch.save(tensors, tmp_path / "odd.pth")
    with pytest.raises(WrongWeights, match=r"LandmarkHead\.2\.conv1x1\.weight"):
        SPEC.load(context(tmp_path / "odd.pth"))
