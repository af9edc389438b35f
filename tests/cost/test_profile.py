"""One method at one size: what is measured beside time, what is forgotten first, what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toys import Toy

from faceedit_bench.contracts import EditBatch
from faceedit_bench.cost import profile as module
from faceedit_bench.cost import sample_batch, subject
from faceedit_bench.cost.profile import Job, checked, compared, load, profile
from faceedit_bench.cost.sample import edit_of

JOB = Job("coogan", {}, 32, "cpu", 0.1, 1)


def test_a_check_compares_a_prediction_with_one_pass() -> None:
    found = checked(JOB)
    assert abs(found["prediction"]["errors"]["peak_activation_bytes"]) < 0.01
    assert "latency" not in found


def test_the_allocators_peak_is_compared_where_there_is_one() -> None:
    asked = subject("copy")
    found = {"peak_activation_bytes": 2 * 3072, "flops": 0, "cuda": {"peak_allocated_bytes": 6400}}
    errors = compared(asked, 16, "cuda", found)["errors"]
    assert errors == {"peak_activation_bytes": 0.0, "allocated_bytes": pytest.approx(6144 / 6400 - 1)}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory: "),
        (ValueError("odd"), "cannot edit 32 px: ValueError: odd"),
    ],
)
def test_what_fails_is_refused_with_its_reason(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "_profile", fail)
    row = profile(JOB)
    assert row["mode"] == "refused" and row["reason"].startswith(words)


def test_fresh_weights_are_the_same_every_time_and_disturb_no_seed() -> None:
    asked = subject("stargan:paper")
    before = torch.random.get_rng_state()
    first, second = (load(asked, "cpu") for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    batch = sample_batch(16, asked.attributes, "cpu")
    with torch.inference_mode():
        assert torch.equal(first.edit(batch), second.edit(batch))


def test_a_method_that_remembers_forgets_before_every_run() -> None:
    class Remembering(Toy):
        known: Tensor | None = None
        worked = 0

        def edit(self, batch: EditBatch) -> Tensor:
            if self.known is None:
                self.known, self.worked = batch.images * 0.5, self.worked + 1
            return self.known

        def forget(self) -> None:
            self.known = None

    editor = Remembering(lambda images, batch: images)
    run = edit_of(editor, sample_batch(8, ("Bald",), "cpu"))
    run(), run()
    assert editor.worked == 2
