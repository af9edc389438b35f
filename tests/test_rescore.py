"""Metrics computed later equal those of a run that had them from the start; what was not kept is named."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_runs import EDITS, SUITE
from made_runs import a_run as made

from faceedit_bench import rescore as rescoring
from faceedit_bench import runs
from faceedit_bench.board import Board, Column, ranked
from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.compare import compare
from faceedit_bench.errors import BadConfig, ResultsError, UnknownName
from faceedit_bench.evaluate import ShardResult
from faceedit_bench.report.material import read
from faceedit_bench.report.page import page
from faceedit_bench.rescore import rescore
from faceedit_bench.store import later
from faceedit_bench.store.arrays import InFile
from faceedit_bench.store.fingerprint import fingerprint
from faceedit_bench.store.folder import RunFolder
from faceedit_bench.store.records import export
from faceedit_bench.store.score import Score

TINY = Path(__file__).parent / "data" / "tiny.toml"
ANSWERED, SEEN = ["ssfid", "fid", "precision"], ["tarr", "psnr"]


def suite_with(folder: Path, name: str, metrics: list[str]) -> str:
    """The tiny suite with other metrics, and faces that fill one shard of each edit."""
    text = TINY.read_text(encoding="utf-8")
    start, stop = text.index("metrics ="), text.index("edits =")
    text = text[:start] + f"metrics = {json.dumps(metrics)}\n" + text[stop:]
    path = folder / f"{name}.toml"
    path.write_text(text.replace('name = "tiny"', f'name = "{name}"').replace("count = 10", "count = 8"))
    return str(path)


def a_run(
    folder: Path, metrics: list[str], *, name: str = "suite", method: str = "copy", keep: bool = False
) -> runs.RunResult:
    suite = suite_with(folder, name, metrics)
    return runs.run(method, suite=suite, workers=1, measure_cost=False, keep_pictures=keep)


@pytest.fixture
def whole(tmp_path: Path) -> runs.RunResult:
    return a_run(tmp_path, [*ANSWERED, *SEEN, "is"], name="whole")


def test_later_scores_equal_those_of_a_run_that_had_them_to_the_bit(
    whole: runs.RunResult, tmp_path: Path
) -> None:
    partial = a_run(tmp_path, ["recall", "ssfid", "id"], name="partial", keep=True)
    before = partial.folder.scores()
    found = rescore(partial.folder, ["fid", "precision", "tarr", "psnr"])
    wanted = {(s.metric, s.edit): s for s in whole.scores}
    assert len(found) > 10 and all(wanted[s.metric, s.edit] == s for s in found)
    told = partial.folder.rescored()
    assert told["sources"] == {
        "fid": "stored answers of judges",
        "precision": "stored answers of judges",
        "tarr": "kept pictures",
        "psnr": "kept pictures",
    }
    assert {name: set(judges) for name, judges in told["judges"].items()} == {
        "fid": {"pool"},
        "precision": {"pool"},
        "tarr": {"attributes"},
        "psnr": set(),
    }
    assert partial.folder.scores() == before and partial.folder.manifest.id == partial.folder.path.name[-16:]
    assert export(partial.folder.path)["rescored"]["metrics"]["fid"] == "1"


def test_a_later_score_has_the_fingerprint_of_its_formula_and_its_judges(tmp_path: Path) -> None:
    run = a_run(tmp_path, ["fid"]).folder
    (precision, *_), (fid, *_) = rescore(run, ["precision"]), run.scores()
    judge = {"pool": run.manifest.identity["judges"]["pool"]}
    assert precision.fingerprint == fingerprint("precision", "1", judge)
    assert fid.fingerprint == fingerprint("fid", "1", {**judge, "identity": {"name": "not asked"}})
    others = [
        fingerprint("recall", "1", judge),
        fingerprint("precision", "2", judge),
        fingerprint("precision", "1", {"pool": {**judge["pool"], "sha256": "0" * 64}}),
        fingerprint("precision", "1", {"pool": {**judge["pool"], "name": "inception-2015"}}),  # another view
        fingerprint("precision", "1", judge, "float64"),
    ]
    assert len({precision.fingerprint, *others}) == 6
    assert {score["fingerprint"] for score in export(run.path)["rescored"]["scores"]} == {
        precision.fingerprint
    }


def test_a_board_shows_what_was_computed_later_and_refuses_it_by_another_judge(tmp_path: Path) -> None:
    folders = [a_run(tmp_path, ["fid"], method=method).folder for method in ("copy", "truth")]
    for folder in folders:
        rescore(folder, ["precision"])
    one, other = (export(folder.path) for folder in folders)
    board = Board(
        title="later",
        suite="suite",
        rank_by="precision",
        require=("precision",),
        columns=(Column("precision", "precision", "higher"),),
        floor="",
        ceiling="",
    )
    cells = [row.cells[0] for row in ranked([one, other], board)]
    assert all(cell is not None and 0 <= cell.value <= 1 for cell in cells)
    for score in other["rescored"]["scores"]:
        score["fingerprint"] = "of another judge"
    with pytest.raises(ResultsError, match=r"fingerprint of precision: .* against of another judge"):
        ranked([one, other], board)
    del other["rescored"]
    with pytest.raises(ResultsError, match="lacks precision"):
        ranked([one, other], board)


def test_a_record_of_before_scores_had_fingerprints_is_exported_again(tmp_path: Path) -> None:
    run = a_run(tmp_path, ["fid"]).folder
    command = ["export", str(run.path), "--to", str(tmp_path)]
    place = Path(CliRunner().invoke(cli, command).output.strip())
    record = json.loads(place.read_text())
    for score in record["scores"]:
        del score["fingerprint"]
    place.write_text(json.dumps(record))
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert all("fingerprint" in score for score in json.loads(place.read_text())["scores"])


def test_show_compare_and_report_include_what_was_computed_later(tmp_path: Path) -> None:
    one, other = (a_run(tmp_path, ["fid"], method=method).folder for method in ("copy", "truth"))
    for folder in (one, other):
        rescore(folder, ["precision"])
    rescore(one, ["recall"])
    shown = CliRunner().invoke(cli, ["show", str(one.path)]).output
    assert "precision ↑" in shown and "rescored precision, recall, from stored answers of judges" in shown
    found = compare(one, other)
    assert {difference.metric for difference in found.differences} == {"fid", "precision"}
    assert found.notes == ["only one run was rescored for recall"]
    reported = page(read([one, other]))
    assert ">precision" in reported and ">recall" in reported and "precision 1, recall 1" in reported
    record = json.loads((other.path / "rescored.json").read_text())
    for score in record["scores"]:
        score["fingerprint"] = "of judges in another precision"
    (other.path / "rescored.json").write_text(json.dumps(record))
    with pytest.raises(ResultsError, match=r"fingerprint of metric precision: .* against of judges"):
        compare(one, other)


def test_faces_that_were_left_out_stay_out_of_later_metrics(tmp_path: Path) -> None:
    suite = dataclasses.replace(SUITE, metrics=("fid",), judges={"pool": "classes-pool-demo"})
    hit = np.zeros((len(EDITS), 40), bool)
    whole = made(tmp_path, "whole", hit=hit, suite=suite)
    partly = made(tmp_path, "partly", hit=hit, suite=suite, unusable={3: "no face", 30: "no face"})
    numbers = [{s.n for s in rescore(run, ["precision"]) if s.edit == "Male"} for run in (whole, partly)]
    assert numbers == [{40}, {38}]
    (found,) = [d for d in compare(whole, partly, ["precision"]).differences if d.edit == "Male"]
    assert found.verdict == "equal" or found.value == 0


def test_answers_of_one_edit_are_in_memory_at_a_time(tmp_path: Path) -> None:
    wide = np.random.default_rng(0).normal(size=(len(EDITS), 100, 4096)).astype(np.float32)
    suite = dataclasses.replace(SUITE, metrics=("fid",), judges={"pool": "classes-pool-demo"})
    run = made(tmp_path, "wide", hit=np.zeros((len(EDITS), 100), bool), suite=suite)
    for shard in suite.shards(100)[: 4 * len(EDITS)]:
        state = run.read_shard(shard.number).states["fid"]
        answers = wide[shard.edit, state["sample"]]
        run.put(_shard_with(shard.number, {**state, "source": answers, "edited": answers}))
    tracemalloc.start()
    rescore(run, ["kid"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    of_one_edit = 2 * wide[0].nbytes  # source and edited
    # the same answers again as float64, and one shard as it is written; all edits would be 4 times that
    assert peak < 3.5 * of_one_edit, f"{peak / of_one_edit:.1f} times one edit's answers"
    states = later.states(run.path, "kid")
    assert all(isinstance(state["kid"]["edited"], InFile) for state in states.values())


def _shard_with(number: int, state: dict[str, np.ndarray]) -> ShardResult:
    """A shard whose only metric is fid."""
    return ShardResult(number, {"fid": state}, 25, 1.0, np.zeros((0, 3, 16, 16), np.uint8), {}, {})


def test_what_was_not_kept_is_named_with_what_was(tmp_path: Path) -> None:
    run = a_run(tmp_path, ["fid"]).folder
    with pytest.raises(ResultsError) as told:
        rescore(run, ["precision", "ssfid", "psnr"])
    text = str(told.value)
    assert "ssfid: wants answers of the features judge on source pictures" in text
    assert "psnr: wants edited pictures" in text or "psnr: wants source pictures" in text
    assert "precision" not in text
    assert "kept answers of pool on edited pictures, pool on source pictures" in text
    assert "--keep-pictures" in text
    assert run.rescored()["metrics"] == {}


def test_a_metric_that_is_there_or_unknown_is_refused(tmp_path: Path) -> None:
    run = a_run(tmp_path, ["fid"]).folder
    with pytest.raises(BadConfig, match="has fid already"):
        rescore(run, ["fid"])
    with pytest.raises(UnknownName, match="did you mean 'tarr'"):
        rescore(run, ["tar"])


def test_a_deleted_picture_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path, ["fid"], keep=True).folder
    gone = run.edited / "Male" / "3000002.png"
    gone.unlink()
    with pytest.raises(ResultsError, match=r"1 of 24 kept pictures are not there.*\n.*Male/3000002\.png"):
        rescore(run, ["tarr"])


def test_pictures_of_finished_shards_cannot_be_kept_afterwards(tmp_path: Path) -> None:
    a_run(tmp_path, ["fid"])
    with pytest.raises(ResultsError, match="finished, without their pictures"):
        a_run(tmp_path, ["fid"], keep=True)


def test_the_command_prints_json_and_takes_a_judge_for_a_new_role(tmp_path: Path) -> None:
    run = a_run(tmp_path, ["fid"], keep=True).folder
    asked = ["rescore", str(run.path), "--metric", "precision", "--json"]
    entries = json.loads(CliRunner().invoke(cli, asked).output)
    assert {entry["metric"] for entry in entries} == {"precision"}
    lacking = CliRunner().invoke(cli, ["rescore", str(run.path), "--metric", "lpips"])
    assert "needs a judge for lpips-alex" in lacking.output
    both = CliRunner().invoke(cli, ["rescore", str(run.path), "--metric", "tarr", "--judge", "pool=fid-demo"])
    assert "--judge pool: the run's suite has 'classes-pool-demo' for that already" in both.output
    unasked = CliRunner().invoke(cli, ["rescore", str(run.path), "--metric", "tarr", "--judge", "lpips=any"])
    assert "unknown role of tarr 'lpips'; known: attributes" in unasked.output


@pytest.fixture
def another_identity_judge(monkeypatch: pytest.MonkeyPatch) -> str:
    """The demo judge under another name."""
    spec = catalog().judge("identity-demo")
    monkeypatch.setitem(catalog().judges, "identity-other", dataclasses.replace(spec, name="identity-other"))
    return "identity-other"


def test_numbers_by_another_judge_take_the_place_of_those_of_before_and_that_is_said(
    tmp_path: Path, another_identity_judge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path, ["fid"], keep=True).folder
    suite = json.loads((run.path / "suite.json").read_text())
    del suite["judges"]["identity"]
    (run.path / "suite.json").write_text(json.dumps(suite))
    said: list[str] = []
    monkeypatch.setattr(rescoring, "say", said.append)
    (first, *_) = rescore(run, ["id"], judges={"identity": "identity-demo"})
    assert not said
    (second, *_) = rescore(run, ["id"], judges={"identity": another_identity_judge})
    assert "scores of id by identity-other 2d740496 take the place of those by identity-demo" in said[0]
    assert "to have both, ask id_second with --judge" in said[0]
    assert {score.fingerprint for score in run.later_scores()} == {second.fingerprint} != {first.fingerprint}
    rescore(run, ["id_second"], judges={"identity-second": "identity-demo"})
    judges = run.rescored()["judges"]
    assert judges["id"]["identity"]["name"] == another_identity_judge
    assert judges["id_second"]["identity-second"]["name"] == "identity-demo"
    shown = CliRunner().invoke(cli, ["show", str(run.path)]).output
    assert "identity-other 2d740496" in shown and "identity-demo 2d740496" in shown


def test_two_metrics_may_be_computed_later_by_two_judges_of_one_role(tmp_path: Path) -> None:
    run, (one, other) = made(tmp_path, "a", hit=HIT), JUDGES
    computed(run, "kid", one)
    computed(run, "recall", other)
    assert run.rescored()["judges"] == {"kid": {"pool": one}, "recall": {"pool": other}}
    assert later.asked(run.rescored()) == [("pool", one), ("pool", other)]
    assert len(run.later_scores()) == 2 and set(later.states(run.path, "kid")) == {0}


def test_what_was_rescored_before_judges_were_kept_by_metric_is_read(tmp_path: Path) -> None:
    run, (one, _) = made(tmp_path, "a", hit=HIT), JUDGES
    computed(run, "kid", one)
    path = run.path / "rescored.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "judges": {"pool": one}}))
    assert run.rescored() == content
    path.write_text("{}")
    with pytest.raises(ResultsError, match=r"rescored\.json: damaged \(wanted metrics, judges"):
        run.rescored()


def test_of_two_rescores_at_once_none_loses_a_metric(tmp_path: Path) -> None:
    run, (one, _) = made(tmp_path, "a", hit=HIT), JUDGES
    names = [f"metric{i}" for i in range(8)]

    def compute(name: str) -> None:
        with later.alone(run.path):
            computed(run, name, one)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(compute, names))
    assert set(run.rescored()["metrics"]) == set(names) and len(run.later_scores()) == len(names)


@pytest.mark.parametrize("killed_at", ["put", "rename", "last write"])
def test_a_rescore_that_is_killed_leaves_what_was_or_no_such_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    run, (one, other) = made(tmp_path, "a", hit=HIT), JUDGES
    computed(run, "recall", one)
    computed(run, "kid", one)
    if killed_at == "put":
        later.Gathered(run.path, run.manifest.id, "kid").put(0, {"edited": np.ones((2, 3))})
    else:
        real, writes = later.write_json, []

        def killing(path: Path, content: object) -> None:
            writes.append(path)
            if len(writes) == 2:
                raise KeyboardInterrupt
            real(path, content)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            if killed_at == "rename":
                patch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            else:
                patch.setattr(later, "write_json", killing)
            computed(run, "kid", other)
    kept = run.rescored()
    assert kept["judges"].get("kid", {"pool": one}) == {"pool": one} and "recall" in kept["metrics"]
    assert ("kid" in kept["metrics"]) == (killed_at == "put")
    computed(run, "kid", other)
    assert run.rescored()["judges"]["kid"] == {"pool": other}
    assert not list((run.path / "rescored").glob(".*"))


HIT = np.zeros((len(EDITS), 25), bool)
JUDGES = [{"name": name, "version": "1", "sha256": "ab" * 32} for name in ("one", "other")]


def computed(run: RunFolder, metric: str, judge: dict[str, str]) -> None:
    """Store a metric of one shard and one score."""
    states = later.Gathered(run.path, run.manifest.id, metric)
    states.put(0, {"edited": np.zeros((2, 3))})
    found = Score(metric, "1", "all", 0.5, None, None, 2, "none")
    states.finish([found], version="1", source="pictures", judges={"pool": judge})
