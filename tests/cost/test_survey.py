"""The survey: names and numbers are checked first, rows say how they were found, refusals what would work."""

from __future__ import annotations

import pytest
import torch

from faceedit_bench.cost import survey as module
from faceedit_bench.cost.survey import Question, survey
from faceedit_bench.errors import BadConfig, UnknownName


def rows(*methods: str, sizes: tuple[int, ...] = (32,), **question: object) -> list[dict[str, object]]:
    return list(survey(Question(methods, sizes, **question)))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 20_000])
def test_absurd_sizes_are_refused(size: int) -> None:
    with pytest.raises(BadConfig, match="from 1 to 16384"):
        survey(Question(("copy",), (size,)))


def test_an_option_that_no_method_has_is_refused() -> None:
    with pytest.raises(UnknownName, match="'patch_batch'"):
        survey(Question(("coogan", "copy"), (32,), settings={"patch_bach": 2}))


def test_an_option_reaches_the_methods_that_have_it() -> None:
    coogan, copy = rows("coogan", "copy", sizes=(256,), mode="predicted", settings={"patch_batch": 16})
    (plain,) = rows("coogan", sizes=(256,), mode="predicted")
    assert coogan["peak_activation_bytes"] > plain["peak_activation_bytes"]  # type: ignore[operator]
    assert copy["mode"] == "predicted"


def test_what_has_no_weights_here_is_predicted_and_says_so() -> None:
    (row,) = rows("stgan:hr", sizes=(128,))
    assert (row["mode"], row["reason"], row["device"]) == ("predicted", "no weights here", "cuda")


def test_what_would_take_memory_or_patience_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = rows("stgan", sizes=(4096,), device="cpu")
    assert row["mode"] == "predicted" and "min here" in str(row["reason"])
    monkeypatch.setattr(module, "available_bytes", lambda device: 10**6)
    (row,) = rows("stgan", sizes=(64,), device="cpu")
    assert row["mode"] == "predicted" and "GiB are free" in str(row["reason"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_measurement_on_a_gpu_that_is_not_here_is_refused_with_the_way_out() -> None:
    with pytest.raises(BadConfig, match="without --measured its memory is predicted"):
        survey(Question(("copy",), (32,), mode="measured", device="cuda"))


def test_a_device_that_no_prediction_knows_is_refused() -> None:
    with pytest.raises(BadConfig, match="predictions know cpu and cuda"):
        survey(Question(("copy",), (32,), mode="predicted", device="tpu"))


def test_a_size_that_does_not_work_comes_with_those_that_do() -> None:
    (row,) = rows("stargan:paper", sizes=(1,), mode="predicted")  # one feature: no statistics to take
    assert row["mode"] == "refused"
    assert "stargan:paper cannot edit 1 px" in str(row["reason"])
    assert 128 in row["takes"]  # type: ignore[operator]


def test_memory_is_answered_in_the_row() -> None:
    (row,) = rows("copy", sizes=(32,), mode="predicted", memory=10**6)
    assert row["memory"]["limit"] == 10**6 and row["memory"]["fits"]  # type: ignore[index]


def test_a_measured_row_holds_every_figure_and_its_prediction_is_right() -> None:
    (row,) = rows("coogan", sizes=(64,), mode="measured", device="cpu", seconds=0.2)
    assert row["mode"] == "measured", row
    assert abs(row["prediction"]["errors"]["peak_activation_bytes"]) < 0.01  # type: ignore[index]
    assert row["prediction"]["errors"]["flops"] == 0  # type: ignore[index]
    assert row["latency"]["median"] > 0 and row["throughput"]["batch"] >= 1  # type: ignore[index]
    assert row["audit"]["outputs_equal"] == row["audit"]["outputs_compared"]  # type: ignore[index]
    process = row["process"]
    assert process["peak_resident_bytes"] >= process["resident_bytes"] > 10**7  # type: ignore[index]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_the_allocators_peak_is_predicted_within_five_hundredths() -> None:
    (row,) = rows("stgan:hr", sizes=(768,), mode="measured", device="cuda", seconds=1)
    assert abs(row["prediction"]["errors"]["allocated_bytes"]) <= 0.05  # type: ignore[index]
