"""A bundle holds only if it says what its rows and pictures give; a hostile one is refused, and tells why."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from made_runs import EDITS, SUITE
from made_runs import a_run as made

from faceedit_bench import evaluate, runs, score
from faceedit_bench import suite as suites
from faceedit_bench.bundles import archive, make, recount
from faceedit_bench.bundles.choice import PER_EDIT, chosen
from faceedit_bench.bundles.submit import submit
from faceedit_bench.bundles.verify import Verdict, verify
from faceedit_bench.cli import cli
from faceedit_bench.contracts import Sample
from faceedit_bench.data.images import png
from faceedit_bench.errors import BadConfig, BadDataset, ResultsError
from faceedit_bench.manifest import Manifest
from faceedit_bench.store.files import read_json, write_json
from faceedit_bench.store.folder import RunFolder

TINY = Path(__file__).parent / "data" / "tiny.toml"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, drawn_cache: Path) -> RunFolder:
    """A run of `truth` over the tiny suite that kept its pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEEDIT_CACHE", str(drawn_cache))
        root = tmp_path_factory.mktemp("kept")
        run = runs.run(
            "truth", suite=str(TINY), results=root, workers=1, measure_cost=False, keep_pictures=True
        )
    return run.folder


@pytest.fixture(scope="module")
def files(kept: RunFolder, tmp_path_factory: pytest.TempPathFactory, drawn_cache: Path) -> Files:
    """What its bundle holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEEDIT_CACHE", str(drawn_cache))
        path = tmp_path_factory.mktemp("bundle") / "truth.zip"
        make.make(kept, path)
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


@pytest.fixture
def run(kept: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the run, for somebody to cheat with."""
    return RunFolder(Path(shutil.copytree(kept.path, tmp_path / kept.path.name)))


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return path


def verdict(folder: Path, files: Mapping[str, bytes]) -> Verdict:
    return verify(zipped(folder / "a.zip", files), suite=str(TINY))


def record_of(files: Files) -> tuple[str, dict[str, Any]]:
    name = next(name for name in files if name.endswith(".json"))
    return name, json.loads(files[name])


def with_record(files: Files, change: Callable[[dict[str, Any]], object]) -> Files:
    """The bundle with its record changed, and named by its id where the identity was."""
    name, record = record_of(files)
    change(record)
    found = Manifest(record["manifest"]["identity"], {}).id
    record["id"] = found
    others = {key: content for key, content in files.items() if key != name}
    return {f"{found}.json": json.dumps(record).encode(), **others}


def score_of(record: dict[str, Any], metric: str, edit: str) -> dict[str, Any]:
    return next(one for one in record["scores"] if (one["metric"], one["edit"]) == (metric, edit))


def parts(found: Verdict) -> set[str]:
    return {fault.part for fault in found.faults}


def text(found: Verdict) -> str:
    return "\n".join(
        f"{one.part}: {one.what}: wanted {one.wanted}, found {one.found}" for one in found.faults
    )


# ---- what holds -----------------------------------------------------------------------------------


def test_a_bundle_of_a_run_holds(files: Files, tmp_path: Path) -> None:
    found = verdict(tmp_path, files)
    assert found.holds, text(found)
    assert found.pictures == 3 * PER_EDIT and found.rows == 30
    assert found.scores > 60 and found.measured > 150
    assert found.trusted == ("fid", "is", "ssfid")


def test_the_same_run_gives_the_same_bytes(kept: RunFolder, tmp_path: Path) -> None:
    make.make(kept, tmp_path / "one.zip")
    make.make(kept, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_rows_give_the_scores_of_the_run_to_the_bit(kept: RunFolder) -> None:
    suite = suites.load(str(TINY))
    rows = pd.read_parquet(kept.path / "samples.parquet")
    stored = {(one.metric, one.edit): one for one in kept.scores()}
    again = recount.scores(suite, suite.metrics, rows)
    assert len(again) > 60
    for one in again:  # whatever judged, which rows do not tell
        told = stored[one.metric, one.edit].entry()
        assert {**told, "fingerprint": ""} == {**one.entry(), "fingerprint": ""}


def test_a_changed_row_chooses_other_pictures() -> None:
    faces = {"Bald": [str(number) for number in range(200)]}
    one, other = (chosen(rows, faces) for rows in (b"rows", b"Rows"))
    assert len(one) == PER_EDIT and one != other and one == chosen(b"rows", faces)


def test_a_copy_may_copy(tmp_path: Path) -> None:
    run = runs.run("copy", suite=str(TINY), workers=1, measure_cost=False, keep_pictures=True).folder
    make.make(run, tmp_path / "copy.zip")
    found = verify(tmp_path / "copy.zip", suite=str(TINY))
    assert found.holds, text(found)


def test_pictures_of_another_program_are_bundled_from_where_they_lie(kept: RunFolder, tmp_path: Path) -> None:
    pattern = f"{kept.edited}/{{edit}}/{{id}}.png"
    run = score.score("mine", pattern, suite=str(TINY), workers=1).folder
    with pytest.raises(ResultsError, match="say with --edited where its pictures lie"):
        make.make(run, tmp_path / "mine.zip")
    make.make(run, tmp_path / "mine.zip", edited=pattern)
    found = verify(tmp_path / "mine.zip", suite=str(TINY))
    assert found.holds, text(found)


class Elsewhere:
    """The same faces drawn on another machine: some pixels are off."""

    def __init__(self, samples: Any, by: int) -> None:
        self.samples, self.by, self.attributes = samples, by, samples.attributes

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        image = np.array(sample.image)
        image[:, :8] = np.where(image[:, :8] > 100, image[:, :8] - self.by, image[:, :8] + self.by)
        return dataclasses.replace(sample, image=image)

    def digest(self) -> str:
        return "ef" * 32

    def truth(self, index: int, target: Any) -> Any:
        return self.samples.truth(index, target)


@pytest.mark.parametrize(("by", "holds"), [(1, True), (2, False)])
def test_faces_drawn_elsewhere_may_be_a_grey_level_off(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: int, holds: bool
) -> None:
    here = evaluate.open_samples
    monkeypatch.setattr(
        evaluate, "open_samples", lambda *given, **named: Elsewhere(here(*given, **named), by)
    )
    evaluate.workbench.cache_clear()
    found = verdict(tmp_path, files)
    evaluate.workbench.cache_clear()
    assert found.holds is holds
    assert parts(found) <= {"inputs"} and found.measured > 50
    assert holds or f"differs by up to {by} grey levels" in text(found)


def test_without_the_data_set_pictures_are_only_looked_at(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*given: Any) -> Any:
        raise BadDataset("give it with --data DIR")

    monkeypatch.setattr(evaluate, "open_samples", nowhere)
    found = verdict(tmp_path, files)
    assert found.holds and found.scores > 60 and found.measured == 0
    assert found.unchecked == "give it with --data DIR"
    with pytest.raises(ResultsError, match="must be compared with the suite's own"):
        submit(zipped(tmp_path / "a.zip", files), "A. Person", tmp_path, suite=str(TINY))


# ---- records that were changed --------------------------------------------------------------------


def changed(metric: str, edit: str, part: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        score_of(record, metric, edit)[part] = value

    return change


CLAIMS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a better score": (changed("id", "all", "value", 0.999), "scores: id of all: wanted 0.9"),
    "a narrower interval": (changed("id", "all", "low", 0.998), "scores: id of all: wanted low end 0.9"),
    "another number of faces": (changed("id", "all", "n", 2000), "wanted n 20, found 2000"),
    "a score that was undefined": (changed("tarr.add", "Male", "value", None), "scores: tarr.add of Male"),
    "another fingerprint": (
        changed("id", "all", "fingerprint", "ab" * 8),
        "scores: fingerprint of id of all: wanted ",
    ),
    "a score twice": (lambda r: r["scores"].append(r["scores"][0]), "wanted it once, found it again"),
    "no score": (lambda r: r["scores"].remove(score_of(r, "leakage", "all")), "leakage of all: wanted"),
    "no distance": (lambda r: r["scores"].remove(score_of(r, "fid", "Male")), "fid of Male: wanted a score"),
    "an interval that is none": (
        changed("fid", "all", "kind", "bootstrap 95 %"),
        "fid of all: wanted interval: none or spread between",
    ),
    "an edit nobody asked for": (
        lambda r: r["scores"].append({**score_of(r, "fid", "Male"), "edit": "Femme"}),
        "fid of Femme: wanted an edit of the suite, or all",
    ),
    "a metric nobody ran": (
        lambda r: r["scores"].append({**r["scores"][0], "metric": "best"}),
        "wanted only scores of the run's metrics",
    ),
    "another suite": (
        lambda r: r["manifest"]["identity"]["suite"].update(fingerprint="ab" * 32),
        "suite: fingerprint of tiny",
    ),
    "faces left out": (
        lambda r: r["manifest"]["identity"]["data"].update(left_out=["3000004"]),
        "suite: files that could not be read: wanted none left out, found 1",
    ),
    "other content of the suite": (lambda r: r["suite"].update(seed=7), "suite: content of tiny"),
    "another judge": (
        lambda r: r["manifest"]["identity"]["judges"]["identity"].update(sha256="cd" * 32),
        "judges: judge of identity",
    ),
    "an old metric": (
        lambda r: r["manifest"]["identity"]["metrics"].update(tarr="0"),
        "metrics: tarr: wanted version 1, found version 0",
    ),
    "a hostile name": (
        lambda r: r["manifest"]["identity"]["method"].update(name="<script>alert(1)</script>"),
        "record: name of the method",
    ),
    "a cost that is no number": (lambda r: r.update(cost={"parameters": "few"}), "cost.parameters"),
    "a cost below nothing": (
        lambda r: r.update(cost={"macs": -1}),
        "record: cost: wanted numbers of at least 0",
    ),
    "faces that do not add up": (lambda r: r["faces"].update(scored=9), "record: faces: wanted 10 in all"),
    "something more": (lambda r: r.update(rescored={"metrics": {"kid": "1"}}), "unknown key 'rescored'"),
    "no scores": (lambda r: r.pop("scores"), "not a run record"),
    "scores that are no list": (lambda r: r.update(scores=7), "scores"),
}


@pytest.mark.parametrize(("change", "wanted"), CLAIMS.values(), ids=CLAIMS)
def test_a_record_that_was_changed_is_refused(
    files: Files, tmp_path: Path, change: Callable[[dict[str, Any]], object], wanted: str
) -> None:
    assert wanted in text(verdict(tmp_path, with_record(files, change)))


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"{", "record: "),
        (b"\xff\xfe", "record: "),
        (b"[]", "not a run record"),
        (b"[" * 100_000, "record: "),
        (b'{"value": NaN}', "NaN, which is not a number"),
        (b'{"value": 1e999}', "no finite number"),
        (b'{"value": ' + b"9" * 400 + b"}", "too large a number"),
    ],
)
def test_what_is_no_record_is_refused(files: Files, tmp_path: Path, content: bytes, wanted: str) -> None:
    name, _ = record_of(files)
    assert wanted in text(verdict(tmp_path, {**files, name: content}))


def test_a_text_that_no_page_can_show_is_refused(files: Files, tmp_path: Path) -> None:
    name, _ = record_of(files)
    content = files[name].replace(b'"preset": "default"', b'"preset": "\\ud800"')
    assert content != files[name]
    assert "record: " in text(verdict(tmp_path, {**files, name: content}))


def test_a_record_under_another_name_is_refused(files: Files, tmp_path: Path) -> None:
    name, record = record_of(files)
    record["manifest"]["identity"]["method"]["version"] = "2"
    record["manifest"]["identity"]["suite"]["fingerprint"] = "ab" * 32
    found = verdict(tmp_path, {**files, name: json.dumps(record).encode()})
    assert "must agree" in text(found) and "suite: fingerprint of tiny" in text(found)


def test_an_unknown_suite_is_named(files: Files, tmp_path: Path) -> None:
    found = verify(zipped(tmp_path / "a.zip", files))
    assert parts(found) == {"suite"} and "unknown suite 'tiny'" in text(found)


def test_a_suite_cannot_name_a_file_of_ours(files: Files, tmp_path: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["manifest"]["identity"]["suite"]["name"] = str(TINY)

    assert "unknown suite" in text(verify(zipped(tmp_path / "a.zip", with_record(files, change))))


# ---- rows that were changed -----------------------------------------------------------------------


def cheated(run: RunFolder, change: Callable[[pd.DataFrame], pd.DataFrame], *, adds_up: bool) -> None:
    """Change the rows of a run, and its scores so that they add up."""
    suite = suites.load(str(TINY))
    rows = change(pd.read_parquet(run.path / "samples.parquet"))
    rows.to_parquet(run.path / "samples.parquet", index=False)
    if adds_up:
        better = {(one.metric, one.edit): one.entry() for one in recount.scores(suite, suite.metrics, rows)}
        told = read_json(run.path / "scores.json")
        write_json(
            run.path / "scores.json", [one | better.get((one["metric"], one["edit"]), {}) for one in told]
        )


def bundled(run: RunFolder, tmp_path: Path) -> Verdict:
    make.make(run, tmp_path / "cheat.zip")
    return verify(tmp_path / "cheat.zip", suite=str(TINY))


def invented(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(id=0.99)


def test_a_row_that_was_changed_no_longer_gives_the_scores(run: RunFolder, tmp_path: Path) -> None:
    def one(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[3, "id"] = 0.5
        return rows

    cheated(run, one, adds_up=False)
    found = bundled(run, tmp_path)
    assert "scores" in parts(found) and "id of reconstruction: wanted" in text(found)


def test_a_row_that_was_changed_in_the_zip_wants_other_pictures(files: Files, tmp_path: Path) -> None:
    rows = pd.read_parquet(io.BytesIO(files["samples.parquet"]))
    rows.loc[25, "truth_psnr"] += 1
    content = io.BytesIO()
    rows.to_parquet(content, index=False)
    found = verdict(tmp_path, {**files, "samples.parquet": content.getvalue()})
    assert {"scores", "pictures"} <= parts(found)
    assert "a picture that the rows chose, found none" in text(found)


def test_rows_and_scores_that_were_changed_together_are_not_those_of_the_pictures(
    run: RunFolder, tmp_path: Path
) -> None:
    cheated(run, invented, adds_up=True)
    found = bundled(run, tmp_path)
    assert parts(found) == {"scores of pictures"}
    assert len(found.faults) == 3 * PER_EDIT and "found 0.99 in its row" in text(found)


def without_column(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=["tarr.flip"])


def without_metric(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=["truth_ssim"])


def of_strangers(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(sample=["9" + face for face in rows["sample"]])


def infinite(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(truth_l2=np.inf)


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(id=rows["id"].astype(str))


def shuffled(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows[:10], rows[10:20][::-1], rows[20:]], ignore_index=True)


def with_another(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(best=1.0)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (without_column, "rows: tarr.flip: wanted a column, as pictures have this score"),
        (without_metric, "rows: truth_ssim: wanted a column"),
        (infinite, "rows: truth_l2: wanted numbers, found infinity"),
        (as_text, "rows: id: wanted numbers"),
        (shuffled, "rows: faces of Eyeglasses"),
        (with_another, "rows: best: wanted only scores of the record's metrics"),
        (lambda rows: rows[:-1], "wanted 30 rows (10 faces, 3 edits), found 29 rows"),
        (lambda rows: pd.concat([rows] * 100), "found 3000 rows"),
    ],
)
def test_rows_that_are_no_rows_of_the_run_are_refused(
    run: RunFolder, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], wanted: str
) -> None:
    cheated(run, change, adds_up=False)
    assert wanted in text(bundled(run, tmp_path))


def test_a_metric_that_is_unknown_here_is_a_fault_among_others(files: Files, tmp_path: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["manifest"]["identity"]["metrics"]["best"] = "1"
        score_of(record, "id", "all")["value"] = 0.999

    content = io.BytesIO()
    with_another(pd.read_parquet(io.BytesIO(files["samples.parquet"]))).to_parquet(content, index=False)
    found = verdict(tmp_path, with_record({**files, "samples.parquet": content.getvalue()}, change))
    assert "metrics: best: wanted none, found version 1" in text(found)
    assert "scores: id of all: wanted" in text(found)


def test_rows_of_faces_that_are_not_the_suites_are_refused(files: Files, tmp_path: Path) -> None:
    content = io.BytesIO()
    of_strangers(pd.read_parquet(io.BytesIO(files["samples.parquet"]))).to_parquet(content, index=False)
    found = verdict(tmp_path, {**files, "samples.parquet": content.getvalue()})
    assert "inputs: faces of the rows: wanted the suite's 10, found 93000000 and so on" in text(found)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_damaged_rows_are_refused(files: Files, tmp_path: Path, content: bytes) -> None:
    found = verdict(tmp_path, {**files, "samples.parquet": content})
    assert parts(found) == {"rows"} and "damage" in text(found)


# ---- pictures -------------------------------------------------------------------------------------


def edited_names(files: Files) -> list[str]:
    return [name for name in files if name.startswith("pictures/") and "/source/" not in name]


def test_copied_inputs_are_refused(files: Files, tmp_path: Path) -> None:
    copied = dict(files)
    for name in edited_names(files):
        copied[name] = files[f"pictures/source/{name.rpartition('/')[2]}"]
    found = verdict(tmp_path, copied)
    assert {"copies", "scores of pictures"} <= parts(found)
    assert "wanted what truth made of the input, found the input itself" in text(found)


def test_a_copy_that_edits_is_no_floor(run: RunFolder, tmp_path: Path) -> None:
    def change(record: dict[str, Any]) -> None:
        record["manifest"]["identity"]["method"]["name"] = "copy"

    make.make(run, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    assert "wanted the input, as the method is `copy`" in text(verdict(tmp_path, with_record(files, change)))


def test_other_inputs_are_refused(files: Files, tmp_path: Path) -> None:
    sources = sorted(name for name in files if "/source/" in name)
    swapped = {**files, sources[0]: files[sources[1]]}
    found = verdict(tmp_path, swapped)
    assert f"inputs: {sources[0]}: wanted the suite's own picture" in text(found)


def altered(files: Files, name: str, content: bytes | None) -> Files:
    return {key: value for key, value in {**files, name: content}.items() if value is not None}


BLACK = png(np.zeros((3, 64, 64), np.uint8))


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, "a picture that the rows chose, found none"),
        (b"not a picture", "cannot be read"),
        (png(np.zeros((3, 65, 65), np.uint8)), "wrong size 65×65"),
        (BLACK, "which its picture gives"),
    ],
    ids=["absent", "broken", "large", "black"],
)
def test_a_picture_that_is_not_what_was_measured_is_refused(
    files: Files, tmp_path: Path, content: bytes | None, wanted: str
) -> None:
    assert wanted in text(verdict(tmp_path, altered(files, edited_names(files)[0], content)))


def test_pictures_that_the_rows_did_not_choose_are_refused(files: Files, tmp_path: Path) -> None:
    found = verdict(tmp_path, {**files, "pictures/Male/1.png": BLACK})
    assert "pictures/Male/1.png: wanted only pictures that the rows chose" in text(found)


# ---- zips -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up.png",
        "pictures/../../up.png",
        "C:/x.png",
        "pictures\\a\\b.png",
        "pictures//a.png",
    ],
)
def test_a_name_that_climbs_out_is_refused_and_nothing_is_read(
    files: Files, tmp_path: Path, name: str
) -> None:
    found = verdict(tmp_path, {**files, name: b"x"})
    assert parts(found) == {"archive"} and "wanted a path inside the bundle" in text(found)
    assert not (tmp_path.parent / "up.png").exists()


def add(
    path: Path, entry: zipfile.ZipInfo | str, content: bytes, packed: int = zipfile.ZIP_STORED
) -> Verdict:
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr(entry, content, packed)
    return verify(path, suite=str(TINY))


def test_a_link_is_refused(files: Files, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("pictures/Male/link.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "wanted a plain file, found a link" in text(
        add(zipped(tmp_path / "a.zip", files), entry, b"/etc/passwd")
    )


def test_a_bomb_is_refused_before_it_is_unpacked(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "a.zip", files)
    found = add(path, "pictures/Male/bomb.png", bytes(2**24), zipfile.ZIP_DEFLATED)
    assert parts(found) == {"archive"} and "wanted at most 100 times its packed size" in text(found)
    monkeypatch.setattr(archive, "MOST_INSIDE", 2**20)
    monkeypatch.setattr(archive, "MOST_ENTRIES", 5)
    assert {fault.what for fault in verify(path).faults} >= {"files", "size unpacked"}
    monkeypatch.setattr(archive, "MOST_BYTES", 2**10)
    assert [fault.what for fault in verify(path).faults] == ["size"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(files: Files, tmp_path: Path) -> None:
    found = add(zipped(tmp_path / "a.zip", files), "samples.parquet", files["samples.parquet"])
    assert "samples.parquet: wanted every name once, found it again" in text(found)


def test_another_file_is_refused(files: Files, tmp_path: Path) -> None:
    assert "setup.py: wanted <run id>.json" in text(verdict(tmp_path, {**files, "setup.py": b""}))


def test_damaged_zips_are_refused(files: Files, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", files)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for content in (b"", b"PK", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        found = verify(path, suite=str(TINY))
        assert parts(found) == {"archive"} and "damage" in text(found)


def test_a_zip_without_record_or_rows_is_refused(files: Files, tmp_path: Path) -> None:
    name, _ = record_of(files)
    for gone in (name, "samples.parquet"):
        found = verdict(tmp_path, altered(files, gone, None))
        assert "wanted one <run id>.json and samples.parquet" in text(found)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no such file; wanted a bundle"):
        verify(tmp_path / "nothing.zip")


# ---- making ---------------------------------------------------------------------------------------


def test_a_run_without_its_pictures_is_told_how_to_keep_them(run: RunFolder, tmp_path: Path) -> None:
    shutil.rmtree(run.edited)
    with pytest.raises(ResultsError, match="give the same run command again with --keep-pictures"):
        make.make(run, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_pictures_of_a_data_set_with_terms_are_asked_for(tmp_path: Path) -> None:
    suite = dataclasses.replace(SUITE, dataset="celeba")
    run = made(tmp_path, "mine", hit=np.zeros((len(EDITS), 40), bool), suite=suite)
    with pytest.raises(ResultsError, match=r"pictures of celeba, whose terms are.*say so with --pictures"):
        make.make(run, tmp_path / "a.zip")


# ---- submitting -----------------------------------------------------------------------------------


@pytest.fixture
def leaderboards(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "leaderboards"
    folder.mkdir()
    (folder / "tiny.toml").write_text(
        'title = "Tiny faces"\nsuite = "tiny"\nrank_by = "tarr"\nceiling = "none"\n'
        'columns = [{ metric = "tarr", title = "TARR %", better = "higher" }]\n'
    )
    yield folder


def test_a_run_is_added_marked_and_never_overwritten(
    files: Files, tmp_path: Path, leaderboards: Path
) -> None:
    path = zipped(tmp_path / "a.zip", files)
    place, found = submit(path, "A. Person", leaderboards, suite=str(TINY))
    name, told = record_of(files)
    assert place == leaderboards / "runs" / "tiny" / name and found.holds
    record = read_json(place)
    marked = record.pop("submitted")
    assert record == told
    assert marked["by"] == "A. Person" and marked["trusted"] == ["fid", "is", "ssfid"]
    before = place.read_bytes()
    with pytest.raises(ResultsError, match="is there already"):
        submit(path, "Another", leaderboards, suite=str(TINY))
    assert place.read_bytes() == before


def test_boards_say_that_a_run_was_submitted(files: Files, tmp_path: Path, leaderboards: Path) -> None:
    submit(zipped(tmp_path / "a.zip", files), "A. Person", leaderboards, suite=str(TINY))
    result = CliRunner().invoke(cli, ["board", "--folder", str(leaderboards)])
    page = (leaderboards / "tiny.md").read_text(encoding="utf-8")
    assert result.exit_code == 0 and "truth ‡" in page and "‡: made elsewhere and submitted" in page
    assert "submitted by A. Person on 20" in page and "fid, is, ssfid are the submitter's word" in page
    for form in ("html", "tex", "csv"):
        assert "submitted by A. Person" in (leaderboards / f"tiny.{form}").read_text(encoding="utf-8")


def test_nothing_is_added_of_a_bundle_that_does_not_hold(
    files: Files, tmp_path: Path, leaderboards: Path
) -> None:
    path = zipped(tmp_path / "a.zip", with_record(files, changed("id", "all", "value", 0.999)))
    with pytest.raises(ResultsError, match="nothing was added"):
        submit(path, "A. Person", leaderboards, suite=str(TINY))
    assert not (leaderboards / "runs").exists()


def test_a_run_that_cannot_stand_beside_the_others_is_refused(
    files: Files, tmp_path: Path, leaderboards: Path
) -> None:
    definition = leaderboards / "tiny.toml"
    definition.write_text('require = ["kid"]\n' + definition.read_text())
    with pytest.raises(ResultsError, match=r"boards .*\n.*lacks kid"):
        submit(zipped(tmp_path / "a.zip", files), "A. Person", leaderboards, suite=str(TINY))
    assert not (leaderboards / "runs").exists()


@pytest.mark.parametrize("by", ["", " ", "a\nb", "<b>me</b>"])
def test_a_name_that_a_page_cannot_show_is_refused(tmp_path: Path, by: str) -> None:
    with pytest.raises(BadConfig, match="wanted a name on one line"):
        submit(tmp_path / "a.zip", by, tmp_path)


# ---- commands -------------------------------------------------------------------------------------


def test_the_commands_make_verify_and_submit(kept: RunFolder, tmp_path: Path, leaderboards: Path) -> None:
    out = str(tmp_path / "a.zip")
    bundle = CliRunner().invoke(cli, ["board", "bundle", str(kept.path), "--out", out])
    assert bundle.exit_code == 0 and "30 rows, 9 edited pictures" in bundle.output
    told = CliRunner().invoke(cli, ["board", "verify", out, "--suite", str(TINY)])
    assert told.exit_code == 0 and f"{out} holds" in told.output
    assert all(len(line) <= 80 for line in told.output.splitlines() if out not in line)
    asked = ["board", "submit", out, "--by", "A. Person", "--folder", str(leaderboards), "--suite", str(TINY)]
    added = CliRunner().invoke(cli, asked)
    assert added.exit_code == 0 and "added: " in added.output


def test_verify_lists_every_fault_at_once_and_ends_with_1(files: Files, tmp_path: Path) -> None:
    copied = dict(files)
    for name in edited_names(files):
        copied[name] = files[f"pictures/source/{name.rpartition('/')[2]}"]
    path = zipped(tmp_path / "a.zip", with_record(copied, changed("id", "all", "value", 0.999)))
    asked = ["board", "verify", str(path), "--suite", str(TINY)]
    told = CliRunner().invoke(cli, asked)
    assert told.exit_code == 1
    for line in ("scores (1): make the bundle again", "copies (6): put the pictures", "scores of pictures ("):
        assert line in told.output
    data = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).output)
    assert data["holds"] is False and {fault["part"] for fault in data["faults"]} >= {"scores", "copies"}
