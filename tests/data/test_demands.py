"""A suite that asks for what its data lack is refused with everything at once; columns come in its order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faceedit_bench import evaluate
from faceedit_bench import suite as suites
from faceedit_bench.data.drawn_faces import open_drawn
from faceedit_bench.errors import BadDataset
from faceedit_bench.suite import Edit, Suite, target_labels


def changed(tiny: str, **changes: object) -> Suite:
    return dataclasses.replace(suites.load(tiny), **changes)


def test_everything_that_is_lacking_is_named_before_the_data_are_opened(tiny: str) -> None:
    suite = changed(
        tiny, dataset="celeba", split="tset", attributes=("Bald", "Eyeglasses", "Male", "Spectacles")
    )
    with pytest.raises(BadDataset) as caught:
        evaluate.open_samples(suite, None)
    text = str(caught.value)
    assert "split 'tset'; it has train, validation, test" in text
    assert "attributes Spectacles; it has 5_o_Clock_Shadow" in text
    assert "truth, which preservation, truth_psnr, truth_ssim, truth_l2 need" in text


def test_labels_that_are_not_there_cannot_be_reversed(tiny: str, tmp_path: Path) -> None:
    suite = changed(tiny, dataset="ffhq", split="train", metrics=("tarr",))
    with pytest.raises(
        BadDataset, match=r"labels, which edits Eyeglasses, Male reverse\n  labels, which tarr need"
    ):
        evaluate.open_samples(suite, None)


def test_what_no_edit_of_the_suite_needs_is_not_asked_for(tiny: str, trees: Path) -> None:
    suite = changed(
        tiny,
        dataset="ffhq",
        split="train",
        metrics=("psnr", "tarr"),
        edits=(Edit("reconstruction"),),
        count=0,
    )
    assert len(evaluate.open_samples(suite, str(trees / "ffhq"))) == 2


def test_attributes_that_only_the_table_tells_are_checked_when_it_is_read(tiny: str, trees: Path) -> None:
    attributes = ("Male", "Eyeglasses", "Freckles")
    suite = changed(
        tiny, dataset="folder-csv", split="all", metrics=("psnr",), attributes=attributes, count=0
    )
    with pytest.raises(BadDataset, match="attributes Freckles; it has Bald, Bangs"):
        evaluate.open_samples(suite, str(trees / "csv"))


def test_columns_come_in_the_suites_order(tiny: str, trees: Path) -> None:
    suite = changed(
        tiny, dataset="celeba", metrics=("psnr",), attributes=("Young", "Male", "Eyeglasses"), count=0
    )
    all_labels = evaluate.catalog().dataset("celeba").open(trees / "celeba", "test", 64, 0)
    samples = evaluate.open_samples(suite, str(trees / "celeba"))
    assert samples.attributes == suite.attributes and samples.digest() == all_labels.digest()
    assert samples[0].labels.tolist() == [int(all_labels[0].labels[i]) for i in (39, 20, 15)]


def test_the_truth_of_some_columns_leaves_the_others_as_they_are(tiny: str) -> None:
    suite = changed(tiny, attributes=("Male", "Eyeglasses"), count=2)
    samples = evaluate.open_samples(suite, None)
    faces = open_drawn(None, "test", 64, 2)
    labels = faces[1].labels.tolist()
    wanted = target_labels(labels, ("Eyeglasses",), faces.attributes, "drawn")[0]
    few = target_labels(samples[1].labels.tolist(), ("Eyeglasses",), suite.attributes, "drawn")[0]
    truth: Callable[..., np.ndarray] = samples.truth  # type: ignore[attr-defined]
    assert np.array_equal(truth(1, few), faces.truth(1, wanted))


def test_what_edits_only_set_needs_no_labels_unless_a_metric_reads_them(tiny: str, trees: Path) -> None:
    pose = (Edit("reconstruction"), Edit("plus", set={"Pose": 1}), Edit("minus", set={"Pose": 0}))
    suite = changed(
        tiny, dataset="celeba", attributes=("Pose", "Smiling"), edits=pose, metrics=("psnr",), count=0
    )
    samples = evaluate.open_samples(suite, str(trees / "celeba"))
    assert [samples[i].labels[0] for i in range(len(samples))] == [0] * len(samples)
    for changes in ({"metrics": ("response",)}, {"edits": (*pose, Edit("turn", ("Pose",)))}):
        with pytest.raises(BadDataset, match="attributes Pose; it has 5_o_Clock_Shadow"):
            evaluate.open_samples(dataclasses.replace(suite, **changes), None)
