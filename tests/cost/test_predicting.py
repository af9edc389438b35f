"""Predictions: equal to what is tracked in a real pass, without memory, with host and device told apart."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from toys import Toy, chain, of, patches, toy

from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import EditBatch
from faceedit_bench.cost import Subject, predict, predicting, subject
from faceedit_bench.cost.holdings import reachable_tensors
from faceedit_bench.cost.memory import living_storages, resident_bytes
from faceedit_bench.cost.operations import count_flops
from faceedit_bench.cost.predicting import takes
from faceedit_bench.cost.pretence import Pretence
from faceedit_bench.cost.profile import load
from faceedit_bench.cost.sample import edit_of, labels_of, sample_batch
from faceedit_bench.errors import BadConfig, BrokenPromise, UnknownName

METHODS = sorted(name for name, spec in catalog().methods.items() if "truth" not in spec.needs)
CONVOLUTIONAL = {"attgan", "coogan", "lstunet", "stargan", "stgan"}  # of these to the byte
PIXEL = 3 * 4  # bytes of a float32 RGB pixel


def tracked(asked: Subject, size: int) -> tuple[int, int]:
    """Peak of living tensors and FLOPs of a real pass."""
    editor, batch = load(asked, "cpu"), sample_batch(size, asked.attributes, "cpu")
    weights = reachable_tensors(editor)
    run = edit_of(editor, batch)
    living = living_storages(run, [*weights, *labels_of(batch)], [batch.images])
    return living.peak_on("cpu"), count_flops(run)


@pytest.mark.parametrize("name", METHODS)
def test_a_prediction_is_within_a_hundredth_of_what_is_tracked(name: str) -> None:
    asked = subject(name)
    size = min(asked.spec.resolutions, default=64)
    found = predict(asked, size, "cpu")
    peak, flops = tracked(asked, size)
    assert found["peak_activation_bytes"] == pytest.approx(peak, rel=0 if name in CONVOLUTIONAL else 0.01)
    assert found["flops"] == flops


def test_it_is_so_where_pictures_are_padded_and_patches_grouped() -> None:
    asked = subject("coogan", {"patch_batch": 3})
    assert predict(asked, 100, "cpu")["peak_activation_bytes"] == pytest.approx(
        tracked(asked, 100)[0], rel=0.01
    )


def test_weights_and_operations_are_those_of_the_network() -> None:
    found = predict(of(lambda options, context: _editor(context.restore(chain(3, 8, 3)))), 20, "cpu")
    assert (found["parameters"], found["weights_bytes"]) == (48, 192)
    assert found["macs"] == 20 * 20 * 48
    assert found["peak_activation_bytes"] == 20 * 20 * 4 * (3 + 8 + 3)  # the input lives throughout
    assert found["peak_total_bytes"] == found["peak_activation_bytes"] + 192


def _editor(network: nn.Module) -> Toy:
    return Toy(lambda images, batch: network(images))


def test_tied_weights_count_once() -> None:
    def build(options: object, context: object) -> Toy:
        first, second = nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False)
        second.weight = first.weight
        return _editor(context.restore(nn.Sequential(first, second)))  # type: ignore[attr-defined]

    assert predict(of(build), 8)["parameters"] == 9


def test_what_stays_on_the_host_does_not_count_on_the_device() -> None:
    def edit(images: Tensor, batch: EditBatch) -> Tensor:
        return (images[:, :, :8, :8].to("cuda") + 1).cpu().repeat(1, 1, 4, 4)

    found = predict(toy(edit, home="cpu"), 32)
    assert found["peak_activation_bytes"] == 2 * 8 * 8 * PIXEL
    assert found["peak_host_bytes"] == 32 * 32 * PIXEL + 8 * 8 * PIXEL + 32 * 32 * PIXEL
    assert found["allocated_bytes"] == 2 * 1024  # each patch of 768 bytes in blocks of 512


def test_a_method_may_branch_on_what_is_asked() -> None:
    def edit(images: Tensor, batch: EditBatch) -> Tensor:
        rows = batch.edited[:, 0].nonzero().flatten()
        return images.index_copy(0, rows, images[rows] * batch.target[rows, 0, None, None, None])

    assert (
        predict(toy(edit), 16)["peak_activation_bytes"] == 3 * 16 * 16 * PIXEL + 12
    )  # a row number, a target


def test_a_method_that_branches_on_pictures_is_told_to_be_measured() -> None:
    def edit(images: Tensor, batch: EditBatch) -> Tensor:
        return images if images.mean() > 0 else -images

    with pytest.raises(BadConfig, match="measure it with --measured"):
        predict(toy(edit), 64)


def test_a_method_that_changes_the_shape_breaks_its_promise() -> None:
    with pytest.raises(BrokenPromise, match=r"\(1, 3, 32, 64\); must keep \(1, 3, 64, 64\)"):
        predict(toy(lambda images, batch: images[:, :, ::2]), 64)


def test_a_size_that_is_not_declared_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadConfig, match="does not take 65 px; it takes 64, 128"):
        predict(toy(lambda images, batch: images, resolutions=(64, 128)), 65)


def test_sizes_that_work_are_found() -> None:
    def edit(images: Tensor, batch: EditBatch) -> Tensor:
        return images.unflatten(3, (-1, 32)).flatten(3)  # multiples of 32

    assert takes(toy(edit)) == [32, 64, 128, 256, 512, 1024]
    with pytest.raises(BadConfig, match="toy cannot edit 33 px: "):
        predict(toy(edit), 33)


@pytest.mark.parametrize("name", ["coogan", "e4e"])
def test_calls_that_are_remembered_change_no_number(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = predict(subject(name), 256)
    monkeypatch.setattr(predicting, "remember_calls", lambda networks, pretence: None)
    assert predict(subject(name), 256) == short


def test_a_network_that_returns_its_input_is_not_remembered_as_if_it_made_something() -> None:
    def build(options: object, context: object) -> Toy:
        network = context.restore(nn.Identity())  # type: ignore[attr-defined]
        return Toy(lambda images, batch: network(network(images)))

    assert predict(of(build), 64)["peak_activation_bytes"] == 64 * 64 * PIXEL


def test_the_largest_networks_and_pictures_take_no_memory() -> None:
    before = resident_bytes()
    found = predict(subject("stgan:hr"), 8192)
    assert found["peak_total_bytes"] > 30 * 2**30
    assert resident_bytes() - before < 300 * 2**20


def test_activations_of_a_batch_grow_with_it() -> None:
    asked = subject("stgan")
    one, four = (predict(asked, 128, count=count)["peak_activation_bytes"] for count in (1, 4))
    assert four == pytest.approx(4 * one, rel=0.01)


def test_no_network_and_no_mode_is_left_changed() -> None:
    predict(patches(), 32)
    assert type(torch.ones(1) + 1) is Tensor


# ---- names ----------------------------------------------------------------------------------------


def test_a_method_is_named_with_its_preset_by_colon_or_hyphen() -> None:
    assert (subject("stgan:hr").name, subject("stgan-hr").name, subject("copy").name) == ("stgan:hr",) * 2 + (
        "copy",
    )
    assert subject("secgan-attgan").preset == "demo"
    assert subject("secgan-attgan-paper-table").preset == "paper-table"


@pytest.mark.parametrize(
    ("name", "near"), [("stgan:hd", "'hr'"), ("stgam", "'stgan'"), ("stgan-hd", "stgan")]
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=near):
        subject(name)


def test_the_ceiling_row_has_no_cost() -> None:
    with pytest.raises(BadConfig, match="reads its answer from the data set"):
        subject("truth")


# ---- joined patches --------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, 1, 2, 3])
@pytest.mark.parametrize("is_last", [False, True], ids=["rows", "channels_last"])
def test_joined_views_lie_in_memory_as_pytorch_lays_them(dim: int, is_last: bool) -> None:
    def views(picture: Tensor) -> list[Tensor]:
        return [picture[:, :2, :3, :4], picture[:, 1:3, 2:5, 4:8], picture[:, :2, :3, 1:5]]

    layout = torch.channels_last if is_last else torch.contiguous_format
    expected = torch.cat(views(torch.zeros(2, 3, 5, 8).to(memory_format=layout)), dim)
    with Pretence("cuda").begun() as pretence:
        picture = torch.empty_strided(
            (2, 3, 5, 8), torch.zeros(2, 3, 5, 8).to(memory_format=layout).stride(), device="cuda"
        )
        before = pretence.peak_on("cuda")
        joined = torch.cat(views(pretence.like(picture, "cuda")), dim)
    assert (joined.shape, joined.stride(), joined.dtype) == (
        expected.shape,
        expected.stride(),
        expected.dtype,
    )
    assert pretence.peak_on("cuda") - before >= 4 * joined.numel()
