"""Audits catch a method that remembers answers, and one that works less under the clock."""

from __future__ import annotations

import time

import torch
from torch import Tensor
from toys import Toy

from faceedit_bench.contracts import EditBatch
from faceedit_bench.cost.audit import audit, difference
from faceedit_bench.cost.clock import best_batch

LITTLE = 0.004  # seconds: long beside the clock's grain


def slow(images: Tensor, batch: EditBatch) -> Tensor:
    time.sleep(LITTLE)
    return images * 0.5


def found(editor: object, second: object | None = None) -> dict[str, object]:
    return audit(editor, lambda: second or editor, 8, ("Bald",), "cpu", seconds=0.01)  # type: ignore


def test_an_honest_method_passes() -> None:
    result = found(Toy(slow), Toy(slow))
    assert result["passed"], result
    assert result["outputs_compared"] == result["outputs_equal"] == 5


def test_a_method_that_remembers_answers_is_caught() -> None:
    answers: dict[bytes, Tensor] = {}

    def edit(images: Tensor, batch: EditBatch) -> Tensor:
        key = images.numpy().tobytes()
        if key not in answers:
            answers[key] = slow(images, batch)
        return answers[key]

    result = found(Toy(edit), Toy(slow))
    assert not result["passed"]
    assert "answers remembered?" in result["failed"][0]  # type: ignore[index]


def test_a_method_that_stops_working_under_the_clock_is_caught() -> None:
    calls = []

    def edit(images: Tensor, batch: EditBatch) -> Tensor:
        calls.append(1)
        return images * 0.5 if len(calls) < 4 else images

    result = found(Toy(edit), Toy(lambda images, batch: images * 0.5))
    assert not result["passed"]
    assert "came out otherwise" in result["failed"][0]  # type: ignore[index]


def test_numbers_that_are_none_differ_infinitely() -> None:
    one = torch.ones(2)
    assert difference(one, one) == 0
    assert difference(one * float("nan"), one) == float("inf")
    assert difference(one[:1], one) == float("inf")
    assert difference(None, one) == float("inf")


# ---- throughput -----------------------------------------------------------------------------------


def test_the_best_batch_is_the_one_with_most_pictures_per_second() -> None:
    def run_of(count: int):
        return lambda: time.sleep(LITTLE * (1 if count <= 4 else count))  # up to 4 at the price of one

    best = best_batch(run_of, "cpu", largest=64, seconds=5)
    assert best is not None and best["batch"] == 4
    assert best["stopped"] == "larger ones are not faster"


def test_growth_ends_where_memory_does() -> None:
    def run_of(count: int):
        def run() -> None:
            if count > 2:
                raise torch.OutOfMemoryError("no")
            time.sleep(LITTLE)

        return run

    best = best_batch(run_of, "cpu", largest=64, seconds=5)
    assert best is not None and (best["batch"], best["stopped"]) == (2, "no memory for 4")
