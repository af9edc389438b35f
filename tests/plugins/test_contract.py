"""What every installed method promises, checked on each of them without weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from faceedit_bench.api import EditBatch, Editor, MethodSpec
from faceedit_bench.catalog import catalog
from faceedit_bench.promise import check_promise
from faceedit_bench.suite import THIRTEEN

SMALL = 64  # pixels, for methods that take any size


@dataclass(frozen=True)
class Unweighted:
    """A load context that leaves networks as a fixed seed makes them."""

    device: str = "cpu"

    def restore(self, network: nn.Module, part: int = 0) -> nn.Module:
        generator = torch.Generator().manual_seed(7)
        for value in network.parameters():
            value.data = torch.randn(value.shape, generator=generator) * 0.05
        return network.eval().requires_grad_(False)

    def file(self, part: int = 0) -> Path:
        raise pytest.skip.Exception("this method reads a file of its own")


def loaded(spec: MethodSpec) -> Editor:
    return spec.load(spec.presets[spec.default_preset].options, Unweighted())


def batch_for(spec: MethodSpec, count: int) -> EditBatch:
    size = min(spec.resolutions, default=SMALL)
    attributes = spec.attributes_for(spec.presets[spec.default_preset].options) or THIRTEEN
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, size, size, generator=generator) * 2 - 1
    source = torch.randint(0, 2, (count, len(attributes)), generator=generator).float()
    edited = torch.zeros(count, len(attributes), dtype=torch.bool)
    edited[torch.arange(count), torch.arange(count) % len(attributes)] = True
    target = torch.where(edited, 1 - source, source)
    seeds = torch.arange(count)
    truth = images if "truth" in spec.needs else None
    return EditBatch(images, source, target, edited, torch.ones(count), seeds, attributes, truth)


def rows(batch: EditBatch, part: slice) -> EditBatch:
    columns = [batch.images, batch.source, batch.target, batch.edited, batch.strength, batch.seeds]
    truth = None if batch.truth is None else batch.truth[part]
    return EditBatch(*(column[part].clone() for column in columns), batch.attributes, truth)


@pytest.fixture(params=sorted(catalog().methods))
def spec(request: pytest.FixtureRequest) -> MethodSpec:
    return catalog().method(request.param)


@torch.inference_mode()
def test_it_keeps_shape_dtype_device_and_range(spec: MethodSpec) -> None:
    batch = batch_for(spec, 3)
    result = loaded(spec).edit(batch)
    check_promise(result, batch, method=spec.name, edit="any", ids=["a", "b", "c"])


@torch.inference_mode()
def test_it_leaves_its_input_alone(spec: MethodSpec) -> None:
    batch = batch_for(spec, 2)
    before = hashlib.sha256(b"".join(t.numpy().tobytes() for t in (batch.images, batch.source, batch.target)))
    loaded(spec).edit(batch)
    after = hashlib.sha256(b"".join(t.numpy().tobytes() for t in (batch.images, batch.source, batch.target)))
    assert before.digest() == after.digest()


@torch.inference_mode()
def test_twice_the_same_bits(spec: MethodSpec) -> None:
    batch = batch_for(spec, 2)
    editor = loaded(spec)
    assert torch.equal(editor.edit(batch), editor.edit(batch))
    assert torch.equal(editor.edit(batch), loaded(spec).edit(batch))


@torch.inference_mode()
def test_a_shard_cut_at_a_batch_boundary_gives_the_same_rows(spec: MethodSpec) -> None:
    batch = batch_for(spec, 4)
    editor = loaded(spec)
    first, second = rows(batch, slice(0, 2)), rows(batch, slice(2, 4))
    parts = torch.cat([editor.edit(first), editor.edit(second)])
    again = torch.cat([editor.edit(rows(batch, slice(0, 2))), editor.edit(rows(batch, slice(2, 4)))])
    assert torch.equal(parts, again)
    assert torch.allclose(parts, editor.edit(batch), atol=1e-4)


@torch.inference_mode()
def test_global_randomness_is_not_read(spec: MethodSpec) -> None:
    batch, editor = batch_for(spec, 2), loaded(spec)
    torch.manual_seed(1)
    first = editor.edit(batch)
    torch.manual_seed(2)
    assert torch.equal(first, editor.edit(batch))


@torch.inference_mode()
def test_it_prints_nothing_and_writes_no_file(
    spec: MethodSpec, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded(spec).edit(batch_for(spec, 1))
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_its_listing_is_complete(spec: MethodSpec) -> None:
    assert spec.summary and spec.version and spec.paper
    for preset in spec.presets.values():
        assert isinstance(preset.options, spec.options)
