"""Memory that is out while a batch is edited: smaller parts, same pictures, a line in the run's folder."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from made_runs import a_run
from torch import Tensor

from faceedit_bench import evaluate, runs
from faceedit_bench import suite as suites
from faceedit_bench.cli import cli
from faceedit_bench.contracts import EditBatch, Editor
from faceedit_bench.errors import BadConfig
from faceedit_bench.evaluate import Setup, evaluate_shard
from faceedit_bench.halving import (
    EDITING,
    Halving,
    OutOfMemory,
    Patient,
    ended_by,
    is_out_of_memory,
    parts,
)
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
    assert halving.most == {EDITING: 2}


def test_what_was_too_many_is_not_tried_again() -> None:
    editor, halving = Limited(brighten, 3, FULL), Halving()
    halving.edit(editor, batch(4))
    editor.asked.clear()
    halving.edit(editor, batch(4))
    assert editor.asked == [2, 2]


def test_nothing_is_cut_where_memory_will_do() -> None:
    editor, halving = Limited(brighten, 9, FULL), Halving()
    halving.edit(editor, batch(9))
    assert editor.asked == [9] and halving.most == {}


def test_a_single_picture_that_does_not_fit_is_the_users_to_mend() -> None:
    with pytest.raises(BadConfig, match="single picture of 8×8 px; `faceedit-bench cost --memory`"):
        Halving().edit(Limited(brighten, 0, FULL), batch(2))


def test_other_errors_are_not_mistaken_for_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        Halving().edit(Limited(brighten, 0, RuntimeError("shapes do not match")), batch(2))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


class Narrow:
    """A judge that has memory for a few pictures, or pairs of them, only."""

    outputs = ("mean",)

    def __init__(self, most: int) -> None:
        self.most, self.asked = most, list[int]()

    def __call__(self, *pictures: Tensor) -> Tensor:
        self.asked.append(len(pictures[0]))
        if len(pictures[0]) > self.most:
            raise FULL
        return sum(one.mean(dim=(1, 2, 3)) for one in pictures)[:, None]  # type: ignore[index]


@pytest.mark.parametrize("count", [1, 2], ids=["pictures", "pairs"])
def test_judges_are_asked_again_in_halves_with_the_same_answers(count: int) -> None:
    pictures = [batch(5).images, batch(5).images.flip(0)][:count]
    narrow, halving = Narrow(2), Halving()
    patient = Patient("identity", narrow, halving)
    assert patient.outputs == ("mean",)
    assert torch.equal(patient(*pictures), Narrow(9)(*pictures))
    assert narrow.asked == [5, 2, 2, 1]
    assert halving.most == {"judge of identity": 2}


def test_what_is_too_many_for_a_judge_is_not_too_many_to_edit() -> None:
    halving = Halving()
    Patient("identity", Narrow(1), halving)(batch(4).images)
    editor = Limited(brighten, 9, FULL)
    halving.edit(editor, batch(4))
    assert editor.asked == [4]


def test_a_judge_that_cannot_see_a_single_picture_ends_with_what_to_do() -> None:
    with pytest.raises(BadConfig, match="judge of parser: out of memory with a single picture of 8×8 px"):
        Patient("parser", Narrow(0), Halving())(batch(2).images)


def test_memory_that_is_out_elsewhere_has_a_message_and_other_errors_stay() -> None:
    told = ended_by(MemoryError())
    assert isinstance(told, BadConfig) and "while metrics were computed" in str(told)
    assert ended_by(ValueError("no")) is None
    with pytest.raises(OutOfMemory) as alone:
        Halving().edit(Limited(brighten, 0, FULL), batch(1))
    assert ended_by(alone.value) is alone.value
    assert str(pickle.loads(pickle.dumps(alone.value))) == str(alone.value)  # from a worker


def test_a_run_that_memory_ends_says_so_in_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(setup: Setup, shard: object) -> None:
        raise MemoryError

    monkeypatch.setattr(evaluate, "evaluate_shard", full)
    with pytest.raises(BadConfig, match="out of memory besides editing and judging"):
        runs.run("copy", suite=TINY, limit=1, results=tmp_path, workers=1, measure_cost=False)
    (folder,) = (path.parent for path in tmp_path.glob("*/*/manifest.json"))
    (entry,) = store.RunFolder(folder).failures()
    assert entry["shard"] == 0 and entry["outcome"] == "the run ended"


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
    cut = evaluate_shard(setup, shard)
    assert (whole.most, cut.most) == ({}, {EDITING: 1})
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
    folder.put(dataclasses.replace(plain, number=1, most={EDITING: 4, "judge of identity": 2}))
    assert folder.failures() == [
        {"shard": 1, "reason": "out of memory, editing", "pictures_at_once": 4},
        {"shard": 1, "reason": "out of memory, judge of identity", "pictures_at_once": 2},
    ]
    assert folder.finished() == {0, 1}


def test_show_counts_what_went_wrong_by_reason_and_names_the_first_few(tmp_path: Path) -> None:
    folder = a_run(tmp_path, "toy", hit=np.ones((4, 20), bool))
    for shard in range(5):
        folder.note(shard=shard, reason="out of memory, editing", pictures_at_once=2)
    folder.note(shard=4, reason="out of memory, judge of identity", pictures_at_once=8)
    shown = CliRunner().invoke(cli, ["show", str(folder.path)])
    assert shown.exit_code == 0, shown.output
    assert "failures 1: out of memory, judge of identity: shard 4, pictures at once 8\n" in shown.output
    told = " ".join(shown.output.split())
    assert "failures 5: out of memory, editing: shard 0, pictures at once 2; shard 1" in told
    assert "shard 2, pictures at once 2; and 2 more in failures.jsonl" in told
    assert max(map(len, shown.output.splitlines()[:-2])) <= 80  # the last two are paths
    as_json = CliRunner().invoke(cli, ["show", str(folder.path), "--json"])
    assert len(json.loads(as_json.output)["failures"]) == 6
