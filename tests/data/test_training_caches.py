"""Training sees the same batches wherever faces are kept; who decoded them stands in the card."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from faceedit_bench.catalog import Catalog, catalog
from faceedit_bench.cli import cli
from faceedit_bench.contracts import MethodSpec
from faceedit_bench.data import jpeg_on_gpu, reading
from faceedit_bench.errors import BadConfig, BadImage
from faceedit_bench.train import TrainingConfig, TrainingFaces, train_method
from faceedit_bench.train import method as training_of_methods
from faceedit_bench.train.faces import Batches

sys.path.append(str(Path(__file__).parents[1] / "train"))  # toy_training
import toy_training
from test_jpeg_on_gpu import cpu_decoder

Copy = Callable[[str], Path]
KEPT = ("device", "host", "pack", "none")
PLACES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


def stream(root: Path, cache: str, place: str = "cpu", **changes: Any) -> Batches:
    samples = catalog().dataset("celebamask-hq").open(root, "train", 16, 0)
    if cache == "pack":
        samples, _ = reading.packed(samples)
    faces = TrainingFaces.of(samples, ("Male",), reading=reading.Reading(cache))
    recipe = toy_training.recipe(regions="welcome")
    return Batches(faces, recipe, toy_training.settings(**changes), torch.device(place))


@pytest.mark.parametrize("place", PLACES)
def test_batches_are_the_same_bits_wherever_faces_are_kept(trees: Path, place: str) -> None:
    first, *others = [stream(trees / "hq", cache, place, batch_size=3) for cache in KEPT]
    mirrored = stream(trees / "hq", "host", place, batch_size=3, flip=False)
    differ = 0
    for number in (0, 1, 2, 3, 7, 1):
        wanted = first.batch(number, 0)
        differ += not torch.equal(mirrored.batch(number, 0).images, wanted.images)
        for other in others:
            found = other.batch(number, 0)
            assert torch.equal(found.images, wanted.images) and torch.equal(found.target, wanted.target)
            assert wanted.regions is not None and torch.equal(found.regions, wanted.regions)
    assert differ, "some picture is mirrored, or the comparison says little"


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that trains in no time, over the real data sets."""
    toy = MethodSpec(
        "toy", "1", "for a test", "none", toy_training.ATTRIBUTES, (), load=lambda options, context: None,
        recipes=lambda options: (toy_training.recipe(),),
    )  # fmt: skip
    found = Catalog(methods={"toy": toy}, datasets=catalog().datasets)
    monkeypatch.setattr(training_of_methods, "catalog", lambda: found)


def train(root: Path, folder: Path, **more: Any) -> Any:
    chosen = TrainingConfig(
        method="toy", data="celeba", count=7, size=8, steps=3, batch_size=4, sample_every=0
    )
    return train_method(chosen, folder, root=root, **more)


def test_training_ends_with_the_same_weights_whatever_keeps_the_faces(
    trees: Path, tmp_path: Path, toys: None
) -> None:
    found = {cache: train(trees / "celeba", tmp_path / cache, cache=cache) for cache in ("auto", *KEPT)}
    assert len({one.pin.sha256 for one in found.values()}) == 1
    read = {cache: one.card["stages"]["toy"]["reading"] for cache, one in found.items()}
    assert {cache: told["cache"] for cache, told in read.items()} == {
        "auto": "host", **{cache: cache for cache in KEPT}
    }  # fmt: skip
    assert read["none"]["decoder"].startswith("Pillow ")


def test_what_the_gpu_decoded_is_told_and_another_training(
    trees: Path, tmp_path: Path, toys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_cpu = train(trees / "celeba", tmp_path / "cpu", decode="cpu")
    with monkeypatch.context() as patch:
        patch.setattr(jpeg_on_gpu, "chosen", functools.partial(jpeg_on_gpu.chosen, decode=cpu_decoder))
        on_gpu = train(trees / "celeba", tmp_path / "gpu", decode="cuda")
    assert on_gpu.card["stages"]["toy"]["reading"]["decoder"].startswith("torchvision ")
    assert on_gpu.pin.sha256 == on_cpu.pin.sha256  # the decoder of this test has the CPU's pixels
    with pytest.raises(BadConfig, match="--decode cuda: it wants a GPU, and the device is cpu"):
        train(trees / "celeba", tmp_path / "none", decode="cuda")


def test_broken_pictures_end_a_training_before_it_begins(copy_of: Copy, tmp_path: Path, toys: None) -> None:
    root = copy_of("celeba")
    for number in (2, 5):
        (root / "img_align_celeba" / f"00000{number}.jpg").write_bytes(b"\xff\xd8 torn \xff\xd9")
    with pytest.raises(BadImage, match=r"2 of 7 pictures cannot be read(.|\n)*000002: (.|\n)*000005: "):
        train(root, tmp_path / "out")
    assert not (tmp_path / "out" / "toy").exists()


def test_the_command_knows_where_faces_may_be_kept(tmp_path: Path) -> None:
    words = ["train", "--method", "lstunet", "--out", str(tmp_path), "--steps", "1", "--count", "2"]
    told = CliRunner().invoke(cli, [*words, "--size", "32", "--decode", "cuda", "--device", "cpu"]).output
    assert "--decode cuda: the faces of drawn-faces are packed, or no JPEG files; take" in told
    assert "--cache" in CliRunner().invoke(cli, ["train", "--help"]).output
