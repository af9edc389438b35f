"""Memory that is out while a batch is edited: smaller parts, same pictures, a line in the run's folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from faceedit_bench import evaluate
from faceedit_bench import suite as suites
from faceedit_bench.contracts import EditBatch, Editor
from faceedit_bench.errors import BadConfig
from faceedit_bench.evaluate import Setup, evaluate_shard
from faceedit_bench.halving import Halving, is_out_of_memory, parts
from faceedit_bench.manifest import Manifest
from faceedit_bench.store import folder as store
from faceedit_bench.suite import THIRTEEN

TINY = str(Path(__file__).parent / "data" / "tiny.toml")


class Limited:
    """An editor that has memory for a few pictures only."""

    def __init__(self, edit: Callable[[EditBatch], Tensor], most: int, error: BaseException) -> None:
        self.inner, self.most, self.error = edit, most, error
        self.asked: list[int] = []

    def edit(self, batch: EditBatch) -> Tensor:
        self.asked.append(len(batch.images))
        if len(batch.images) > self.most:
            raise self.error
        return self.inner(batch)


def batch(count: int) -> EditBatch:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, 8, 8, generator=generator) * 2 - 1
    labels = torch.randint(0, 2, (count, 13), generator=generator).float()
    return EditBatch(
        images, labels, 1 - labels, labels > 0, torch.ones(count), torch.arange(count), THIRTEEN, images
    )


def brighten(asked: EditBatch) -> Tensor:
    return asked.images * 0.5 + asked.target.mean(1)[:, None, None, None] * 0.1


FULL = torch.OutOfMemoryError("CUDA out of memory")
FULL_CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory: you tried"
)


@pytest.mark.parametrize("error", [FULL, FULL_CPU, MemoryError()])
def test_a_batch_that_is_too_large_is_edited_in_halves_with_the_same_bits(error: BaseException) -> None:
    editor, halving = Limited(brighten, 3, error), Halving()
    assert torch.equal(halving.edit(editor, batch(10)), brighten(batch(10)))
    assert editor.asked == [10, 5, 2, 2, 2, 2, 2]
    assert halving.most == 2


def test_what_was_too_many_is_not_tried_again() -> None:
    editor, halving = Limited(brighten, 3, FULL), Halving()
    halving.edit(editor, batch(4))
    editor.asked.clear()
    halving.edit(editor, batch(4))
    assert editor.asked == [2, 2]


def test_nothing_is_cut_where_memory_will_do() -> None:
    editor, halving = Limited(brighten, 9, FULL), Halving()
    halving.edit(editor, batch(9))
    assert editor.asked == [9] and halving.most is None


def test_a_single_picture_that_does_not_fit_is_the_users_to_mend() -> None:
    with pytest.raises(BadConfig, match="single picture of 8×8 px; `faceedit-bench cost --memory`"):
        Halving().edit(Limited(brighten, 0, FULL), batch(2))


def test_other_errors_are_not_mistaken_for_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        Halving().edit(Limited(brighten, 0, RuntimeError("shapes do not match")), batch(2))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


def test_parts_hold_every_column_of_their_rows() -> None:
    whole = batch(5)
    pieces = parts(whole, 2)
    assert [len(piece.images) for piece in pieces] == [2, 2, 1]
    for field in dataclasses.fields(EditBatch):
        values = [getattr(piece, field.name) for piece in pieces]
        expected = getattr(whole, field.name)
        assert (
            torch.equal(torch.cat(values), expected)
            if isinstance(expected, Tensor)
            else values[0] == expected
        )


def test_a_shard_edited_in_parts_has_the_same_bits_where_pictures_do_not_depend_on_their_company(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suite = suites.limited(suites.load(TINY), 3)
    setup = Setup("coogan", suite)
    shard = suite.shards(3)[0]
    whole = evaluate_shard(setup, shard)
    bench = evaluate.workbench(setup)
    editor: Editor = bench.editor
    monkeypatch.setattr(bench, "editor", Limited(editor.edit, 1, FULL))
    monkeypatch.setattr(bench, "halving", Halving())
    cut = evaluate_shard(setup, shard)
    assert (whole.most, cut.most) == (None, 1)
    assert whole.states.keys() == cut.states.keys()
    for metric, arrays in whole.states.items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(values, cut.states[metric][name])
    np.testing.assert_array_equal(whole.pictures, cut.pictures)
    evaluate.workbench.cache_clear()


def test_the_runs_folder_tells_which_shards_were_cut(tmp_path: Path) -> None:
    suite = suites.load(TINY)
    manifest = Manifest({"method": {"name": "toy"}, "data": {"count": 1}}, {})
    folder = store.begin(tmp_path, manifest, suite)
    assert folder.failures() == []
    none = np.zeros((0, 3, 8, 8), np.uint8)
    plain = evaluate.ShardResult(0, {}, 1, 0.1, none, {}, {})
    folder.put(plain)
    folder.put(dataclasses.replace(plain, number=1, most=4))
    assert folder.failures() == [{"shard": 1, "reason": "out of memory", "pictures_at_once": 4}]
    assert folder.finished() == {0, 1}
