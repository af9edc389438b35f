"""From stored states to scores: each edit's features are compared once, whatever is made of the numbers."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from faceedit_bench import scoring
from faceedit_bench.catalog import catalog
from faceedit_bench.metrics import frechet
from faceedit_bench.metrics.two_samples import HALVES, TwoSamples
from faceedit_bench.scoring import ALL
from faceedit_bench.suite import THIRTEEN, Edit, Suite

FACES, WIDTH = 40, 3
SUITE = Suite(
    name="made",
    version="1",
    summary="two flips and a reconstruction, of random features",
    dataset="drawn-faces",
    split="test",
    resolution=16,
    attributes=THIRTEEN,
    edits=(Edit("Bald", ("Bald",)), Edit("Male", ("Male",)), Edit("reconstruction")),
    metrics=("fid",),
    judges={},
    shard_size=15,
)


class Ids(list[int]):
    """A data set of which only the ids are asked."""

    @property
    def ids(self) -> list[str]:
        return [f"face-{i}" for i in self]


def stored(seed: int = 0) -> dict[int, dict[str, dict[str, np.ndarray]]]:
    """Features of every shard, as a run stores them."""
    generator = np.random.default_rng(seed)
    source = generator.normal(size=(FACES, WIDTH)).astype(np.float32)
    found = {}
    for shard in SUITE.shards(FACES):
        rows = np.arange(shard.start, shard.stop)
        moved = source[rows] + (1 + shard.edit) * generator.normal(size=(len(rows), WIDTH))
        found[shard.number] = {
            "fid": {
                "sample": rows,
                "edit": np.full(len(rows), shard.edit),
                "source": source[rows],
                "edited": moved.astype(np.float32),
                "shards": np.array([shard.number, shard.number + 1]),
            }
        }
    return found


def test_features_of_an_edit_are_compared_once_though_its_numbers_enter_all_edits_too() -> None:
    compared: list[int] = []

    def difference(edited: np.ndarray, source: np.ndarray) -> float:
        compared.append(len(edited))
        return float((edited - source).mean())

    spec = replace(catalog().metric("fid"), load=lambda: TwoSamples("fid", "pool", difference, 2))
    found = scoring.scores(SUITE, [spec], SUITE.shards(FACES), stored())
    assert [score.edit for score in found] == ["Bald", "Male", ALL]
    assert compared == ([FACES] + HALVES * [FACES // 2]) * 2


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_source_pictures_and_their_halves_are_prepared_once_for_all_edits(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    prepared: list[int] = []
    make = frechet.gaussian
    monkeypatch.setattr(
        frechet, "gaussian", lambda features: (prepared.append(len(features)), make(features))[1]
    )
    scoring.scores(SUITE, [catalog().metric("fid")], SUITE.shards(FACES), stored(), at_once)
    assert sorted(prepared) == frechet.FEW_HALVES * [FACES // 2] + [FACES]


def test_how_many_edits_are_compared_at_once_changes_no_bit() -> None:
    shards, metrics = SUITE.shards(FACES), [catalog().metric(name) for name in ("fid", "precision")]
    states = {
        number: dict.fromkeys(("fid", "precision"), columns["fid"]) for number, columns in stored().items()
    }
    alone = scoring.scores(SUITE, metrics, shards, states)
    assert scoring.scores(SUITE, metrics, shards, states, edits_at_once=4) == alone


@pytest.mark.parametrize("at_once", [1, 3])
def test_every_thread_that_compares_has_the_numerics_of_a_run(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """How many threads linear algebra takes is each thread's own, and last bits depend on it."""
    told: set[tuple[int, int]] = set()
    comparing: set[int] = set()
    monkeypatch.setattr(scoring, "set_numerics", lambda threads: told.add((threading.get_ident(), threads)))

    def difference(edited: np.ndarray, source: np.ndarray) -> float:
        comparing.add(threading.get_ident())
        return float((edited - source).mean())

    spec = replace(catalog().metric("fid"), load=lambda: TwoSamples("fid", "pool", difference, 2))
    scoring.scores(SUITE, [spec], SUITE.shards(FACES), stored(), at_once)
    assert comparing and {(thread, SUITE.threads) for thread in comparing} <= told


def test_so_many_edits_are_compared_at_once_as_workers_and_memory_allow() -> None:
    suite = replace(SUITE, judges={"pool": "classes-pool-demo"})
    each = scoring.COPIES * 4 * FACES * catalog().judge("classes-pool-demo").width

    def at_once(workers: int | None, free: int | None, metric: str = "fid") -> int:
        return scoring.edits_at_once(suite, [catalog().metric(metric)], FACES, workers, free)

    assert at_once(8, 1000 * each) == 8
    assert at_once(8, 3 * scoring.SHARE * each) == 3
    assert at_once(8, each) == 1  # there must be room for one
    assert at_once(8, None) == 1
    assert at_once(8, 1000 * each, metric="tarr") == 1  # which compares no features


def test_the_number_over_edits_is_that_of_the_folded_state_to_the_bit() -> None:
    spec, shards = catalog().metric("fid"), SUITE.shards(FACES)
    metric, states = spec.load(), stored()
    of_all = scoring.states_of(spec, metric, SUITE, shards, states)[ALL]
    (found,) = [
        score
        for score in scoring.scores(SUITE, [spec], shards, states)
        if (score.metric, score.edit) == ("fid", ALL)
    ]
    assert found.value == metric.finish(of_all)["fid"]
    assert (found.low, found.high) == metric.spread(of_all, SUITE.seed)["fid"]  # type: ignore[attr-defined]
    assert found.n == 2 * FACES and found.value == pytest.approx(sum_of_edits(states) / 2, abs=1e-12)


def sum_of_edits(states: dict[int, dict[str, dict[str, np.ndarray]]]) -> float:
    """The distances of the two flips, from plain arrays."""
    total = 0.0
    for edit in range(2):
        numbers = [shard.number for shard in SUITE.shards(FACES) if shard.edit == edit]
        edited, source = (
            np.concatenate([states[number]["fid"][name] for number in numbers])
            for name in ("edited", "source")
        )
        total += frechet.frechet_distance(edited, source)
    return total


def test_a_metric_that_wants_the_reconstruction_gets_it_beside_every_edit_and_all() -> None:
    """Male changes with Bald in one half of the faces, and in the reconstruction of one quarter."""
    spec, stored = catalog().metric("leakage_excess"), {}
    for shard in SUITE.shards(FACES):
        rows = np.arange(shard.start, shard.stop)
        stored[shard.number] = {
            "leakage_excess": {
                "sample": rows,
                "edit": np.full(len(rows), shard.edit),
                "free": np.tile([shard.edit != 0, shard.edit != 1], (len(rows), 1)),
                "flipped/Bald": np.full(len(rows), shard.edit == 0),
                "flipped/Male": rows < {0: FACES // 2, 1: FACES, 2: FACES // 4}[shard.edit],
                "shards": np.array([shard.number, shard.number + 1]),
            }
        }
    shards, name = SUITE.shards(FACES), "leakage_excess"
    found = {(one.metric, one.edit): one for one in scoring.scores(SUITE, [spec], shards, stored)}
    values = {edit: found[name, edit].value for edit in ("Bald", "Male", "reconstruction", ALL)}
    assert values == {"Bald": 25, "Male": 0, "reconstruction": 0, ALL: 12.5}
    assert found[f"{name}.reconstruction", "Bald"].value == 25
    bald, every = found[name, "Bald"], found[name, ALL]
    assert (bald.n, every.n) == (FACES, 2 * FACES) and bald.kind.startswith("bootstrap")
    faces: Any = Ids(range(FACES))
    rows = scoring.per_sample(SUITE, [spec], shards, stored, faces, {})
    assert rows.groupby("edit")[name].mean().to_dict() == {"Bald": 25, "Male": 0, "reconstruction": 0}
