"""What the engine does with a method's answers, right or wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from faceedit_bench import evaluate, suite
from faceedit_bench.api import EditBatch, JudgeSpec
from faceedit_bench.catalog import catalog
from faceedit_bench.errors import BrokenPromise
from faceedit_bench.observe import Observation, to_bytes, to_unit
from faceedit_bench.promise import check_promise
from faceedit_bench.suite import THIRTEEN, Edit


def asked() -> EditBatch:
    labels = torch.zeros(2, 13)
    return EditBatch(
        torch.zeros(2, 3, 8, 8), labels, labels, labels.bool(), torch.ones(2), torch.arange(2), THIRTEEN
    )


def spoiled(change: Callable[[Tensor], object]) -> Tensor:
    images = torch.zeros(2, 3, 8, 8)
    change(images)
    return images


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, "wanted a tensor, found NoneType"),
        (torch.zeros(2, 3, 8, 7), r"returned \(2, 3, 8, 7\); must keep \(2, 3, 8, 8\)"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.float64), "torch.float64"),
        (spoiled(lambda x: x[1, 0, 0, 0].fill_(torch.nan)), "sample 'second': returned NaN"),
        (spoiled(lambda x: x[0, 0, 0, 0].fill_(torch.inf)), "sample 'first': returned NaN or infinity"),
        (spoiled(lambda x: x[1].fill_(1.5)), r"sample 'second': left the range \[-1, 1\] \(up to 1.5\)"),
    ],
)
def test_a_broken_promise_names_method_edit_and_sample(result: object, words: str) -> None:
    with pytest.raises(BrokenPromise, match=words) as error:
        check_promise(result, asked(), method="mine", edit="Bangs", ids=["first", "second"])
    assert "mine" in str(error.value) and "'Bangs'" in str(error.value)


def test_judges_of_one_network_share_its_pass_and_answer_the_same_to_the_bit() -> None:
    both = {"pool": catalog().judge("classes-pool-demo"), "classes": catalog().judge("classes-demo")}
    generator = torch.Generator().manual_seed(0)
    faces = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8, generator=generator)
    looked: list[int] = []

    def answers(specs: dict[str, JudgeSpec]) -> Tensor:
        judges = evaluate._judges(specs, evaluate.Setup("copy", suite.load("drawn-128")))
        if "pool" in judges:
            pool = judges["pool"]
            judges["pool"] = lambda pictures: (looked.append(len(pictures)), pool(pictures))[1]
        seen = Observation(
            asked(), torch.arange(3), Edit("Bald", ("Bald",)), 0, faces, faces, None, None, judges
        )
        for role in specs:
            seen.judge(role)
        return seen.judge("classes")

    assert torch.equal(answers(both), answers({"classes": both["classes"]}))
    assert looked == [3]


def test_rounding_is_to_nearest_and_the_way_back_is_exact() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_unit(every)), every)
    assert to_bytes(torch.tensor([-2.0, 2.0, 0.0])).tolist() == [0, 255, 128]


def test_judges_get_pictures_as_files_hold_them_whatever_layout_a_method_returns() -> None:
    made = torch.rand(2, 3, 8, 8).to(memory_format=torch.channels_last)
    assert to_bytes(made).is_contiguous()


def test_workers_take_subnormal_numbers_for_zero() -> None:
    """Layers that start near zero make some, and arithmetic on them is 18 to 30 times slower."""
    try:
        torch.set_flush_denormal(False)
        subnormal = torch.full((64,), 2.0**-130)
        assert (subnormal * 0.5).any()
        evaluate.set_numerics(1)
        assert not (subnormal * 0.5).any()
    finally:
        torch.set_flush_denormal(False)
