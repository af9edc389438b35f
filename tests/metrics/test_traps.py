"""Ways in which published numbers went wrong, each of which has to show or to do no harm here."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from made_runs import EDITS, SUITE, a_run
from observations import features, pictures, score, seen
from PIL import Image

from faceedit_bench.board import Board, Column, ranked
from faceedit_bench.cost import clock
from faceedit_bench.data.supplied import Supplied
from faceedit_bench.errors import ResultsError
from faceedit_bench.judges import perceptual
from faceedit_bench.metrics.frechet import Frechet
from faceedit_bench.metrics.frechet_target import FrechetTarget
from faceedit_bench.metrics.leakage import Leakage
from faceedit_bench.metrics.normalised import NormalisedTarr
from faceedit_bench.metrics.pixels import Psnr
from faceedit_bench.metrics.ssim import ssim
from faceedit_bench.metrics.tarr import Tarr
from faceedit_bench.store import comparable
from faceedit_bench.store.records import export
from faceedit_bench.suite import Edit


def test_an_editor_that_returns_its_input_scores_the_floor_no_distance_and_is_counted_as_identical() -> None:
    faces, found = pictures(40), features(40, 4)
    judged = torch.rand(40, 1, generator=torch.Generator().manual_seed(3))
    told = {("attributes", image): judged for image in ("source", "edited")}
    told |= {("features", image): found for image in ("source", "edited")}
    labels = [[i % 2] for i in range(40)]
    copied = seen(faces, faces, labels=labels, flips=["Male"], attributes=["Male"], told=told)
    floor = score(NormalisedTarr(), copied)["tarr_normalised.floor"]
    assert 0 < score(Tarr(), copied)["tarr"] == floor < 100
    assert score(Frechet("ssfid", "features"), copied)["ssfid"] == pytest.approx(0, abs=1e-5)
    assert score(Leakage(), copied)["leakage/Male"] == 0
    assert score(Psnr(), copied)["psnr.n_identical"] == 40


def test_pictures_are_paired_by_their_ids_whatever_the_order_of_files(tmp_path: Path) -> None:
    ids = [f"{i:06d}.jpg" for i in range(12)]
    (tmp_path / "Male").mkdir()
    for grey in random.Random(1).sample(range(12), 12):  # written in another order than they are asked for
        Image.new("RGB", (4, 4), (grey, grey, grey)).save(tmp_path / "Male" / f"{grey:06d}.png")
    supplied = Supplied(str(tmp_path / "{edit}" / "{stem}.png"))
    assert supplied.given("Male", ids)[:, 0, 0, 0].tolist() == list(range(12))
    assert supplied.given("Male", ids[::-1])[:, 0, 0, 0].tolist() == list(range(12))[::-1]


def test_a_black_output_has_finite_scores() -> None:
    faces = pictures(1, 64)
    black = torch.zeros_like(faces)
    assert torch.isfinite(ssim(black, faces)).all() and torch.isfinite(ssim(black, black)).all()
    network = perceptual.untrained("alex").eval()
    perceptual.read_heads(network, perceptual.bundled("alex"))
    generator = torch.Generator().manual_seed(0)
    pairs = ((black, faces), (faces, black), (black, black))
    with torch.inference_mode():
        for weights in network.net.parameters():
            weights.copy_(torch.randn(weights.shape, generator=generator) / 30)
        between = [network(*(picture.float() / 127.5 - 1 for picture in pair)) for pair in pairs]
    assert torch.isfinite(torch.cat(between)).all()


def test_what_was_prepared_of_other_features_of_the_same_faces_is_not_used_again() -> None:
    """The same pictures through another rule of resizing: the metric knows features by their content."""
    faces, edited = pictures(40, side=2), features(40, 4, seed=5)
    metric = Frechet("fid", "pool")
    for seed in (0, 1, 0):
        told = {("pool", "source"): features(40, 4, seed=seed), ("pool", "edited"): edited}
        one = seen(faces, faces, told=told)
        assert score(metric, one) == score(Frechet("fid", "pool"), one)


def test_runs_at_two_strengths_cannot_stand_in_one_table(tmp_path: Path) -> None:
    doubled = [Edit(edit.name, edit.flips, 2.0) if edit.flips else edit for edit in SUITE.edits]
    hit = np.ones((len(EDITS), 12), bool)
    once = a_run(tmp_path, "once", hit=hit)
    twice = a_run(tmp_path, "twice", hit=hit, suite=dataclasses.replace(SUITE, edits=tuple(doubled)))
    with pytest.raises(ResultsError, match="suite"):
        comparable.check(once, twice, face_by_face=False)
    board = Board(
        title="strengths",
        suite=SUITE.name,
        rank_by="tarr",
        require=("tarr",),
        columns=(Column("tarr", "TARR", "higher"),),
        floor="",
        ceiling="",
    )
    assert len(ranked([export(once.path)], board)) == 1
    with pytest.raises(ResultsError, match="suite"):
        ranked([export(once.path), export(twice.path)], board)


def test_the_harness_waits_for_the_device_before_and_after_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that the time of starting the work would be taken for that of the work."""
    told: list[str] = []

    class Event:
        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            told.append("mark")

        def elapsed_time(self, stop: Event) -> float:
            return 250.0

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: told.append("wait"))
    monkeypatch.setattr(torch.cuda, "device", lambda device: torch.no_grad())
    assert clock.timer("cuda")(lambda: told.append("run")) == 0.25
    assert told == ["wait", "mark", "run", "mark", "wait"]


@pytest.mark.parametrize("metric", [Frechet("ssfid", "features"), FrechetTarget("ssfid_target", "features")])
def test_features_of_a_small_set_are_flagged(
    metric: Frechet | FrechetTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceedit_bench.metrics.frechet_target.SMALLEST", 5)
    faces = pictures(14, side=2)
    told = {("features", image): features(14, 20, seed=i) for i, image in enumerate(("source", "edited"))}
    labels = [[i % 2] for i in range(14)]
    found = score(metric, seen(faces, faces, labels=labels, flips=["Male"], attributes=["Male"], told=told))
    assert found[f"{metric.name}.rank_deficient"] == 1
