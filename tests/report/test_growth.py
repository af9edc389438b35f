"""Cost against size: predictions of the methods of a report, as their runs used them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stored import identity, write_run

from faceedit_bench import cost
from faceedit_bench.catalog import catalog
from faceedit_bench.cost import predict, subject
from faceedit_bench.errors import BadConfig
from faceedit_bench.manifest import SUPPLIED
from faceedit_bench.report import growth
from faceedit_bench.report.growth import Growth, Job, finished, follow, following, plots
from faceedit_bench.report.markdown import markdown
from faceedit_bench.report.material import Run, read
from faceedit_bench.report.page import page

SIZES = (32, 64)
COPY = catalog().method("copy").default_preset


def of(total: float, macs: float) -> dict[str, int]:
    return {"peak_total_bytes": int(total), "macs": int(macs)}


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    return read([write_run(tmp_path, name) for name in ("coogan", "stgan", "mine")])


def test_what_is_followed_equals_a_prediction_of_the_method_with_the_runs_options() -> None:
    options = {"width": 8}
    found = follow(Job("attgan", "demo", json.dumps(options), SIZES))
    assert found.reason == "" and list(found.found) == list(SIZES)
    for size in SIZES:
        told = predict(subject("attgan:demo", options), size, "cuda")
        assert found.found[size] == {key: told[key] for key in growth.MEASURES}


def test_sizes_that_a_method_does_not_take_are_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def only_64(asked: object, size: int, device: str) -> dict[str, int]:
        if size != 64:
            raise BadConfig(f"it does not take {size} px; it takes 64")
        return of(5e6, 1e9)

    monkeypatch.setattr(cost, "predict", only_64)
    found = follow(Job("copy", COPY, "{}", (32, 64, 128)))
    assert found == Growth({64: of(5e6, 1e9)}, "it does not take 32 px; it takes 64")


@pytest.mark.parametrize(
    ("method", "preset", "reason"),
    [
        ("mine", "demo", "no such method is installed"),
        ("truth", "default", "reads its answer from the data set"),
        ("mine", SUPPLIED, "edited elsewhere"),
        ("coogan", "gone", "gone"),
    ],
)
def test_methods_that_cannot_be_followed_say_why(method: str, preset: str, reason: str) -> None:
    found = follow(Job(method, preset, "{}", SIZES))
    assert found.found == {} and reason in found.reason


def test_methods_are_followed_in_other_processes_and_equal_ones_once(tmp_path: Path) -> None:
    method = {**identity("copy")["method"], "preset": COPY}
    copies = [write_run(tmp_path, "copy", method=method, numerics={"threads": n}) for n in (1, 2)]
    with following(read(copies), SIZES) as started:
        assert started[0] is started[1]
        found = finished(started)
    told = {size: predict(subject("copy"), size, "cuda") for size in SIZES}
    assert found[0].found == {size: of(one["peak_total_bytes"], one["macs"]) for size, one in told.items()}


def test_without_sizes_nothing_is_predicted(runs: list[Run]) -> None:
    with following(runs, ()) as started:
        assert list(started) == [] and plots(runs, finished(started)) is None
    assert 'id="growth"' not in page(runs) and "against size" not in markdown(runs)


def test_plots_are_marked_as_predicted_with_a_table_each_and_name_what_is_missing(
    runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        Growth({128: of(5e6, 1e9), 256: of(5e6, 4e9)}),
        Growth({128: of(8e6, 2e9)}, "stgan cannot edit 256 px"),
        Growth(reason="no such method is installed here"),
    ]
    monkeypatch.setattr(growth, "finished", lambda started: found)
    text = page(runs)
    section = text[
        text.index('<section aria-labelledby="growth-title"') if False else text.index('id="growth"') :
    ]
    section = section[: section.index("</section>")]
    assert (
        section.count("<svg") == 2 and section.count("<table") == 2 and "Predicted, not measured" in section
    )
    assert "coogan: 128 px 128 5, 256 px 256 5; stgan: 128 px 128 8" in section
    assert "stgan: not predicted except at 128 px: stgan cannot edit 256 px" in section
    assert "mine: not predicted: no such method is installed here" in section
    told = markdown(runs)
    assert (
        "| coogan | 5.00 | 5.00 |" in told and "| stgan | 8.00 | – |" in told and "| mine | – | – |" in told
    )


def test_a_run_of_another_preset_is_followed_as_it_was(tmp_path: Path) -> None:
    method = {**identity("coogan")["method"], "preset": "paper", "options": {"width": 8}}
    (run,) = read([write_run(tmp_path, "coogan", method=method)])
    assert growth._job(run, SIZES) == Job("coogan", "paper", '{"width":8}', SIZES)
