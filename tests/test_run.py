"""The main job: same bits however it is run, nothing lost when it is stopped, clear words when it fails."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import faceedit_bench as fb
from faceedit_bench import runs
from faceedit_bench.errors import (
    BadConfig,
    BadDataset,
    FaceEditError,
    ResultsError,
    UnknownName,
    WrongWeights,
)
from faceedit_bench.score import score
from faceedit_bench.store import folder as store
from faceedit_bench.store.records import export
from faceedit_bench.store.score import Score


def outcome(folder: Path) -> dict[str, bytes]:
    """Everything that a run promises to be the same to the bit."""
    names = ["scores.json", "samples.parquet", "images/sheet.png"]
    shards = sorted(path.name for path in (folder / "shards").iterdir())
    return {name: (folder / name).read_bytes() for name in names + [f"shards/{name}" for name in shards]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> runs.RunResult:
    """One serial run of `copy` that several tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEEDIT_CACHE", str(tmp_path_factory.getbasetemp() / "module-cache"))
        patch.setenv("FACEEDIT_QUIET", "1")
        tiny = str(Path(__file__).parent / "data" / "tiny.toml")
        return runs.run(
            "copy", suite=tiny, results=tmp_path_factory.mktemp("r"), workers=1, measure_cost=False
        )


def test_workers_do_not_change_a_bit(finished: runs.RunResult, tiny: str, tmp_path: Path) -> None:
    spread = runs.run("copy", suite=tiny, results=tmp_path, workers=2, measure_cost=False)
    assert outcome(spread.folder.path) == outcome(finished.folder.path)


def test_all_edits_of_some_faces_come_before_those_of_the_next(
    finished: runs.RunResult, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method that remembers the latest faces, as GradStyle does, finds all edits of them together."""
    asked: list[tuple[int, int]] = []
    work = runs._work

    def noting(job: runs._Job) -> tuple[int, str]:
        asked.append((job.shard.start, job.shard.edit))
        return work(job)

    monkeypatch.setattr(runs, "_work", noting)
    again = runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False)
    assert len({start for start, _ in asked}) == 2 and asked == sorted(asked)
    assert outcome(again.folder.path) == outcome(finished.folder.path)


def test_a_killed_run_goes_on_and_ends_with_the_same_bits(
    finished: runs.RunResult, tiny: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "faceedit_bench", "run", "--method", "copy", "--suite", tiny]
    command += ["--results", str(tmp_path), "--workers", "1", "--no-cost", "--json"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/*/shards/0*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    (folder,) = tmp_path.glob("*/copy-*")
    assert len(store.RunFolder(folder).finished()) >= 1
    assert not (folder / "scores.json").exists() or killed.returncode == 0
    again = runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False)
    assert again.folder.path == folder
    assert outcome(folder) == outcome(finished.folder.path)


def test_a_script_needs_no_main_guard(finished: runs.RunResult, tiny: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import faceedit_bench as fb\n"
        f"fb.run('copy', suite={tiny!r}, results={str(tmp_path)!r}, workers=2, measure_cost=False)\n"
        "print('once')\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr
    (folder,) = tmp_path.glob("*/copy-*")
    assert outcome(folder) == outcome(finished.folder.path)


def test_copy_is_the_floor_of_every_metric(finished: runs.RunResult) -> None:
    table = finished.table().set_index(["metric", "edit"])["value"]
    assert table["psnr", "reconstruction"] == 100.0
    assert table["ssim", "reconstruction"] == pytest.approx(1.0, abs=1e-12)
    assert table["l2", "reconstruction"] == 0.0
    assert table["id", "all"] == pytest.approx(1.0, abs=1e-6)
    assert table["ssfid", "all"] == pytest.approx(0.0, abs=1e-4)
    assert table["leakage", "all"] == 0.0
    assert table["tarr", "all"] < 50.0


def test_truth_is_the_ceiling(finished: runs.RunResult, tiny: str) -> None:
    ceiling = (
        runs.run("truth", suite=tiny, workers=1, measure_cost=False).table().set_index(["metric", "edit"])
    )
    assert ceiling["value"]["truth_psnr", "all"] == 100.0
    assert ceiling["value"]["truth_l2", "all"] == 0.0
    assert (
        ceiling["value"]["tarr", "all"]
        > finished.table().set_index(["metric", "edit"])["value"]["tarr", "all"]
    )


def test_every_score_of_an_edit_has_a_row_and_intervals_hold_the_value(finished: runs.RunResult) -> None:
    table = finished.table()
    assert set(table["edit"]) == {"all", "reconstruction", "Eyeglasses", "Male"}
    bounded = table[table["kind"].str.startswith("bootstrap")]
    assert len(bounded) > 10
    assert (bounded["low"] <= bounded["value"] + 1e-9).all()
    assert (bounded["value"] <= bounded["high"] + 1e-9).all()


def test_samples_hold_one_row_per_edited_image(finished: runs.RunResult) -> None:
    rows = pd.read_parquet(finished.folder.path / "samples.parquet")
    assert len(rows) == 10 * 3
    assert rows.groupby("edit")["sample"].nunique().tolist() == [10, 10, 10]
    mean = rows[rows["edit"] == "reconstruction"]["psnr"].mean()
    assert mean == pytest.approx(100.0)


def test_python_gives_the_scores_as_a_table_every_time(tiny: str) -> None:
    fb.run("copy", suite=tiny, workers=1, measure_cost=False)
    table = fb.run("copy", suite=tiny, workers=1, measure_cost=False)
    columns = ["metric", "version", "edit", "value", "low", "high", "n", "kind", "reason", "fingerprint"]
    assert list(table.columns) == columns


def test_the_record_carries_identity_and_scores(finished: runs.RunResult) -> None:
    record = export(finished.folder.path)
    assert record["id"] == finished.folder.manifest.id
    assert record["manifest"]["identity"]["suite"]["name"] == "tiny"
    assert json.loads(json.dumps(record)) == record


def test_options_and_limit_make_another_run(tiny: str) -> None:
    whole = runs.run("copy", suite=tiny, workers=1, measure_cost=False)
    part = runs.run("copy", suite=tiny, workers=1, measure_cost=False, limit=3)
    assert whole.folder.manifest.id != part.folder.manifest.id
    assert part.folder.manifest.identity["data"]["count"] == 3


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"method": "coppy"}, UnknownName, "did you mean 'copy'"),
        ({"suite": "drawn-129"}, UnknownName, "did you mean 'drawn-128'"),
        ({"preset": "defualt"}, UnknownName, "did you mean 'default'"),
        ({"weights": "none.safetensors"}, WrongWeights, "has no weights"),
        ({"options": {"width": 3}}, BadConfig, "unknown key 'width'"),
        ({"limit": 0}, BadConfig, "at least 1"),
        ({"workers": -1}, BadConfig, "at least 1"),
        ({"data": "/no/such/folder", "suite": None}, FaceEditError, "found nothing there"),
        ({"data": "/no/such/folder", "suite": "drawn-128"}, FaceEditError, "reads no folder"),
    ],
)
def test_bad_arguments_are_named_before_anything_runs(
    arguments: dict[str, object], kind: type[Exception], words: str, tiny: str, tmp_path: Path
) -> None:
    given = {"method": "copy", "suite": tiny, "measure_cost": False, "results": tmp_path / "r", **arguments}
    with pytest.raises(kind, match=words):
        runs.run(**given)  # type: ignore[arg-type]
    assert not list((tmp_path / "r").glob("*/*/shards/*"))


def test_results_folder_that_cannot_be_written_is_named(tiny: str, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        runs.run("copy", suite=tiny, results=blocked, workers=1)


def test_a_full_disk_is_named_and_leaves_nothing_half_written(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.replace, []

    def full(source: object, target: object) -> None:
        calls.append(target)
        if len(calls) == 4:  # manifest, suite and the first shard are written
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ResultsError, match="disk is full"):
        runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False)
    (folder,) = tmp_path.glob("*/copy-*")
    assert len(store.RunFolder(folder).finished()) == 1
    assert not list(folder.rglob(".*"))
    monkeypatch.undo()
    assert runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False).folder.is_complete


def test_a_damaged_shard_is_named_never_skipped(tiny: str, tmp_path: Path) -> None:
    done = runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False).folder
    (done.path / "scores.json").unlink()
    shard = done.path / "shards" / "0001.safetensors"
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(ResultsError, match=r"0001\.safetensors: damaged"):
        runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False)


@pytest.mark.parametrize("content", ["[{", "[{}]", "[3]", "null"])
def test_scores_that_are_none_are_named(finished: runs.RunResult, tmp_path: Path, content: str) -> None:
    folder = store.RunFolder(Path(shutil.copytree(finished.folder.path, tmp_path / "damaged")))
    (folder.path / "scores.json").write_text(content)
    with pytest.raises(ResultsError, match=r"scores\.json: damaged"):
        folder.scores()


def test_a_shard_of_another_run_is_refused(tiny: str, tmp_path: Path) -> None:
    done = runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False).folder
    other = runs.run("truth", suite=tiny, results=tmp_path, workers=1, measure_cost=False).folder
    (done.path / "scores.json").unlink()
    name = "shards/0002.safetensors"
    (done.path / name).write_bytes((other.path / name).read_bytes())
    with pytest.raises(ResultsError, match="belongs to run"):
        runs.run("copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False)


def test_a_folder_of_pictures_is_scored_and_what_it_lacks_is_named(tmp_path: Path) -> None:
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
    for number in range(3):
        Image.fromarray(noise + number).save(tmp_path / f"{number}.png")
    result = runs.run("copy", data=tmp_path, workers=1, measure_cost=False)
    table = result.table().set_index(["metric", "edit"])["value"]
    assert table["psnr", "reconstruction"] == 100.0
    assert "tarr" not in result.table()["metric"].tolist()


def test_a_folder_with_a_broken_picture_names_it(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    with pytest.raises(FaceEditError, match=r"broken\.jpg"):
        runs.run("copy", data=tmp_path, workers=1)


def test_a_method_that_lacks_the_suite_s_attributes_is_refused_before_anything_starts(
    tiny: str, tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    weights = tmp_path / "any.safetensors"
    save_file({"any": torch.zeros(1)}, weights)
    with pytest.raises(BadConfig, match=r"of which stargan \(paper\) knows nothing; it knows Black_Hair"):
        runs.run("stargan", preset="paper", weights=weights, suite=tiny, results=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_compiled_run_is_another_run(finished: runs.RunResult, tiny: str, tmp_path: Path) -> None:
    compiled = runs.run(
        "copy", suite=tiny, results=tmp_path, workers=1, measure_cost=False, compiles=True
    ).folder
    assert compiled.manifest.identity["numerics"]["compiled"] is True
    assert compiled.path.name != finished.folder.path.name


def test_a_run_that_lacks_weights_lists_all_of_them_and_starts_nothing(tiny: str, tmp_path: Path) -> None:
    text = (
        Path(tiny)
        .read_text()
        .replace("identity-demo", "arcface-irse50")
        .replace("swav-demo", "swav-rn50-800")
    )
    suite = tmp_path / "photographs.toml"
    suite.write_text(text)
    with pytest.raises(WrongWeights) as error:
        runs.run("copy", suite=str(suite), results=tmp_path / "results", workers=1, measure_cost=False)
    message = str(error.value)
    assert message.startswith("2 weights file(s) are not here; nothing was started")
    for word in ("recognition_arcface_ir_se50.pth: 175367323 bytes", "licence CC BY-NC 4.0", "weights fetch"):
        assert word in message
    assert not (tmp_path / "results").exists()


def test_what_the_data_lack_is_said_before_weights_are_asked_for(tiny: str, tmp_path: Path) -> None:
    """Nobody should train a judge for a suite that cannot be run."""
    text = Path(tiny).read_text().replace("identity-demo", "arcface-irse50")
    suite = tmp_path / "wrong.toml"
    suite.write_text(text.replace('split = "test"', 'split = "tset"'))
    with pytest.raises(BadDataset, match="split 'tset'; it has train, validation, test"):
        runs.run("copy", suite=str(suite), results=tmp_path / "results", workers=1, measure_cost=False)
    with pytest.raises(BadDataset, match="split 'tset'; it has train, validation, test"):
        score("mine", "{edit}/{id}.png", suite=str(suite), results=tmp_path / "results")


def test_a_second_opinion_wants_another_judge_of_the_same_role(tiny: str, tmp_path: Path) -> None:
    def suite(name: str) -> str:
        text = Path(tiny).read_text().replace('"tarr",', '"tarr", "tarr_second",')
        path = tmp_path / f"{name}.toml"
        path.write_text(text + f'"attributes-second" = "{name}"\n')
        return str(path)

    for name, words in (
        ("attributes-demo", "wants another judge"),
        ("swav-demo", "not for 'attributes-second'"),
    ):
        with pytest.raises(BadConfig, match=words):
            runs.run("copy", suite=suite(name), results=tmp_path, workers=1, measure_cost=False)
    with pytest.raises(WrongWeights, match="attributes-convnext_tiny"):
        runs.run("copy", suite=suite("attributes-convnext_tiny"), results=tmp_path, measure_cost=False)


def test_an_undefined_number_is_stored_with_its_reason(tmp_path: Path) -> None:
    score = Score("kid", "1", "Male", None, None, None, 10, "none", "too few faces")
    defined = Score("kid", "1", "Bald", 0.5, None, None, 10, "none")
    assert score.entry()["reason"] == "too few faces" and "reason" not in defined.entry()
    assert Score(**score.entry()) == score and Score(**defined.entry()) == defined
