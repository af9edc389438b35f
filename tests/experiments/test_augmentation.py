"""The whole experiment, in seconds."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.contracts import DatasetSpec, Sample
from faceedit_bench.errors import BadConfig, BadDataset, ResultsError, UnknownName, WrongWeights
from faceedit_bench.experiments import augmentation, drawn_people
from faceedit_bench.experiments.intervals import estimates
from faceedit_bench.experiments.protocol import PAPER, PROTOCOLS, SMALL, Protocol, TestSet, load
from faceedit_bench.experiments.records import Outcome, read_pairs

Run = Any


def files(outcome: Outcome) -> dict[str, bytes]:
    """Everything that has to be the same when the experiment is run again."""
    kept = [path for path in sorted(outcome.folder.rglob("*")) if path.suffix in (".npy", ".csv", ".parquet")]
    return {path.relative_to(outcome.folder).as_posix(): path.read_bytes() for path in kept}


def bare(outcome: Outcome) -> dict[str, Any]:
    """The results without how long anything took."""
    content = json.loads(json.dumps(outcome.content))
    for course in content["training"]["arms"].values():
        del course["seconds"]
    return content


# ---- what it gives --------------------------------------------------------------------------------


def test_copies_in_training_change_not_a_bit(run: Run) -> None:
    outcome = run("copy")
    none, copies = (outcome.folder / "arms" / arm for arm in ("none", "Eyeglasses"))
    assert (none / "recogniser.safetensors").read_bytes() == (copies / "recogniser.safetensors").read_bytes()
    assert (none / "scores-0.npy").read_bytes() == (copies / "scores-0.npy").read_bytes()
    gains = [one.gain for one in outcome.estimates() if one.arm == "Eyeglasses" and one.value is not None]
    assert gains == [0.0] * 4  # two rates, area, equal error rate


def test_edits_in_training_change_the_recogniser_and_not_the_one_without(run: Run) -> None:
    copied, true = run("copy"), run("truth", attributes=("Eyeglasses", "No_Beard"))
    scores = {
        arm: (true.folder / "arms" / arm / "scores-0.npy").read_bytes()
        for arm in ("none", "Eyeglasses", "No_Beard")
    }
    assert len(set(scores.values())) == 3
    assert scores["none"] == (copied.folder / "arms" / "none" / "scores-0.npy").read_bytes()


def test_every_number_can_be_computed_again_from_the_pairs(run: Run) -> None:
    outcome = run("truth")
    pairs, scores = read_pairs(outcome.folder / "pairs-0.parquet")
    assert list(scores) == ["none", "Eyeglasses"]
    found, curves = estimates(scores, pairs, (0.1, 0.01, 1e-4), replicates=20, seed=1)
    values = [(one.arm, one.measure, one.far, one.value, one.gain) for one in found]
    assert values == [(one.arm, one.measure, one.far, one.value, one.gain) for one in outcome.estimates()]
    assert curves["arms"]["none"]["tar"] == outcome.tests[0]["curves"]["arms"]["none"]["tar"]


def test_the_results_tell_who_was_met_and_who_was_compared(run: Run) -> None:
    outcome = run("copy")
    trained, test = outcome.content["training"], outcome.tests[0]
    assert (trained["people"], trained["pictures"]) == (12, 96)
    assert trained["arms"]["none"]["steps"] == 9  # 1.5 epochs of 96 in batches of 16
    assert test["pairs"] == {"kind": "targets", "same": 84, "different": 12 * 84 - 84}
    column = drawn_people.SPEC.attributes.index("Eyeglasses")
    faces = drawn_people.SPEC.open(None, "train", 32, 96)
    assert trained["rates"]["Eyeglasses"] == np.mean([faces[i].labels[column] for i in range(96)])
    assert not (outcome.folder / "work").exists()
    with Image.open(outcome.folder / "sheet.png") as sheet:
        assert sheet.width > 3 * 64


def test_curves_are_written_for_spreadsheets_and_for_programs(run: Run) -> None:
    outcome = run("truth")
    lines = (outcome.folder / "roc.csv").read_text().splitlines()
    assert lines[0] == "test,arm,far,tar,low,high"
    curves = json.loads((outcome.folder / "roc.json").read_text())["drawn-people test"]
    assert len(lines) == 1 + 2 * len(curves["far"])
    arm, far, tar = lines[-1].split(",")[1:4]
    assert (arm, float(far), float(tar)) == ("Eyeglasses", 1.0, 1.0)


# ---- again, stopped, spread -----------------------------------------------------------------------


def test_the_same_experiment_gives_the_same_bits_and_another_seed_others(run: Run) -> None:
    one, again, other = run("truth"), run("truth", folder="again"), run("truth", seed=2)
    assert files(one) == files(again) and bare(one) == bare(again)
    assert one.folder.name == again.folder.name != other.folder.name
    assert bare(one) != bare(other)


def test_a_complete_experiment_is_read_and_not_run_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run("copy")
    monkeypatch.setattr(augmentation, "_prepare", None)  # calling it would fail
    assert run("copy").content == first.content


@pytest.mark.parametrize("where", ["pictures", "arms", "results"])
def test_an_experiment_that_was_killed_goes_on_with_the_same_bits(
    run: Run, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    straight = run("truth", folder="straight")
    monkeypatch.setattr("faceedit_bench.experiments.pictures.PART", 40)  # three parts of each set
    name = {"pictures": "put", "arms": "train", "results": "write_json"}[where]
    owner = augmentation.training if where == "arms" else augmentation
    whole, calls = getattr(owner, name), 0

    def killed(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == {"pictures": 4, "arms": 2, "results": 1}[where]:
            raise KeyboardInterrupt
        return whole(*given, **named)

    monkeypatch.setattr(owner, name, killed)
    with pytest.raises(KeyboardInterrupt):
        run("truth")
    again = run("truth")  # goes on behind the call that failed
    assert files(again) == files(straight) and bare(again) == bare(straight)
    assert calls == {"pictures": 7, "arms": 3, "results": 2}[where]  # 6 parts, 2 arms, 1 file, and one again


def test_recognisers_trained_in_worker_processes_have_the_same_bits(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = run("truth")
    prepare = augmentation._prepare
    monkeypatch.setattr(augmentation, "_prepare", lambda setup, workers: prepare(setup, 1))  # two starts less
    assert files(run("truth", folder="spread", workers=2)) == files(straight)


# ---- a full disk ----------------------------------------------------------------------------------


def test_too_little_room_is_said_before_anything_is_edited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)) and _Usage(1 << 20))
    with pytest.raises(
        ResultsError, match="wanted 65 MiB of free disk for pictures and their edits, found 1"
    ):
        run("truth")


@dataclasses.dataclass(frozen=True)
class _Usage:
    free: int


@pytest.mark.parametrize("suffix", [".npy", ".csv"])
def test_a_disk_that_fills_up_leaves_no_half_file_and_the_experiment_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    straight = run("truth", folder="straight")
    replace = os.replace

    def full(source: Any, target: Any) -> None:
        if Path(target).suffix == suffix:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        replace(source, target)

    with monkeypatch.context() as disk:
        disk.setattr("os.replace", full)
        with pytest.raises(ResultsError, match="disk is full"):
            run("truth")
    assert [path for path in (tmp_path / "results").rglob("*") if path.suffix == suffix] == []
    assert list((tmp_path / "results").rglob(".*")) == []
    assert files(run("truth")) == files(straight)


def test_a_file_in_the_way_of_the_results_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(ResultsError, match="cannot be written"):
        run("copy")


# ---- bad input ------------------------------------------------------------------------------------


def offered(monkeypatch: pytest.MonkeyPatch, people: list[str | None], split: str = "all") -> None:
    """The data set `toy`: one picture for each entry, all labelled."""

    class Toy:
        attributes = drawn_people.SPEC.attributes

        def __len__(self) -> int:
            return len(people)

        def __getitem__(self, index: int) -> Sample:
            image = np.full((3, 32, 32), index, np.uint8)
            return Sample(str(index), image, np.zeros(13, np.uint8), identity=people[index])

        def digest(self) -> str:
            return repr(people)

    spec = DatasetSpec(
        "toy", "1", "", drawn_people.SPEC.attributes, (split,), lambda root, split, size, count: Toy()
    )
    monkeypatch.setitem(catalog().datasets, "toy", spec)


ON_TOY = {"tests": (TestSet("toy", "all"),)}


def test_people_without_a_second_picture_cannot_be_verified(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(monkeypatch, ["a", "a", "b", "c"])
    with pytest.raises(BadDataset, match=r"toy all: .*two people with two pictures each, found 1 among 3"):
        run("copy", **ON_TOY)


def test_data_that_do_not_say_who_is_who_are_refused_at_once(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offered(monkeypatch, [None, None])
    with pytest.raises(BadDataset, match="toy all: does not say who is who"):
        run("copy", **ON_TOY)
    assert not (tmp_path / "results").exists()


def test_a_picture_of_nobody_among_others_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, ["a", "a", "b", None])
    with pytest.raises(BadDataset, match="who is on picture '3' is not known"):
        run("copy", **ON_TOY)


def test_people_of_the_test_must_not_be_met_in_training(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, ["a", "a", "b", "b", "c", "c"])
    with pytest.raises(BadDataset, match=r"3 people of toy all are among those of toy whole, first 'a'"):
        run("copy", dataset="toy", split="whole", count=0, **ON_TOY)


def test_one_person_is_nobody_to_tell_apart(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    offered(monkeypatch, ["a"] * 20)
    with pytest.raises(BadDataset, match="wants at least two people, found 1"):
        run("copy", dataset="toy", split="all", count=0)


def test_unknown_names_and_missing_weights_are_told(run: Run) -> None:
    with pytest.raises(UnknownName, match="unknown method 'atgan'; did you mean 'attgan'"):
        run("atgan")
    with pytest.raises(WrongWeights, match="no weights are published for preset 'paper'"):
        augmentation.augment("attgan", preset="paper")
    with pytest.raises(UnknownName, match="unknown data set 'drawn-peopel'"):
        run("copy", dataset="drawn-peopel")
    with pytest.raises(UnknownName, match=r"unknown data set of protocol 'small' in --root 'celeba'"):
        augmentation.augment("copy", roots={"celeba": Path()})
    with pytest.raises(BadConfig, match="--workers wants at least 1, found 0"):
        run("copy", workers=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 256}, "cannot see more than there is"),
        ({"fars": (0.0,)}, "between 0 and 1"),
        ({"attributes": ("Male", "Male")}, "each once; found Male, Male"),
        ({"tests": ()}, "no tests"),
        ({"tests": (TestSet("lfw", "all", pairs="view3"),)}, "did you mean 'view2'"),
        ({"epochs": 0.0}, "epochs must be above 0"),
        ({"batch": 0}, "batch must be at least 1"),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises((BadConfig, UnknownName), match=words):
        dataclasses.replace(SMALL, **change)


def test_a_protocol_can_be_a_file(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    place.write_text(
        'name = "mine"\nsummary = ""\ndataset = "celeba"\nsplit = "people-train"\nattributes = ["Smiling"]\n'
        '[[tests]]\ndataset = "lfw"\nsplit = "pairs"\npairs = "view2"\n'
    )
    found = load(str(place), ["width=8"])
    assert (found.width, found.tests[0].pairs, found.attributes) == (8, "view2", ("Smiling",))
    with pytest.raises(BadConfig, match="unknown key 'witdh'; did you mean 'width'"):
        load("small", ["witdh=8"])
    with pytest.raises(UnknownName, match="unknown protocol 'smal'; did you mean 'small'"):
        load("smal")


def test_the_papers_protocol_is_that_of_the_paper() -> None:
    assert PROTOCOLS["paper"] is PAPER
    assert (PAPER.width, PAPER.size, PAPER.batch, PAPER.epochs) == (64, 128, 128, 30)
    assert PAPER.attributes == ("Eyeglasses", "Mouth_Slightly_Open", "Smiling", "No_Beard")
    assert PAPER.fars == (0.1, 0.01, 0.001, 0.0001)
    assert PAPER.steps(191_649) == 44_918


# ---- photographs ----------------------------------------------------------------------------------


@pytest.fixture
def photographs(tmp_path: Path) -> dict[str, Path]:
    """CelebA of ten people (two of them for the test) and LFW of five, as they lie on disk."""
    import celeba_tree

    celeba = celeba_tree.celeba(tmp_path / "celeba", 28, test=4, drawn_at=16)
    people = [1, 1, 2, 2, *(3 + number % 8 for number in range(24))]
    lines = [line.split()[0] for line in (celeba / "identity_CelebA.txt").read_text().splitlines()]
    pairs = [f"{file} {person}" for file, person in zip(lines, people, strict=True)]
    (celeba / "identity_CelebA.txt").write_text("\n".join(pairs) + "\n")
    return {"celeba": celeba, "lfw": celeba_tree.lfw(tmp_path / "lfw", 10, drawn_at=16)}


def test_the_papers_protocol_runs_on_folders_of_photographs(
    photographs: dict[str, Path], tmp_path: Path
) -> None:
    chosen = dataclasses.replace(
        PAPER, resolution=32, size=32, width=2, epochs=1, batch=8, replicates=5, attributes=("Smiling",)
    )
    outcome = augmentation.augment("copy", chosen=chosen, roots=photographs, results=tmp_path / "results")
    trained, (own, lfw) = outcome.content["training"], outcome.tests
    assert (trained["people"], trained["pictures"], trained["split_matches_paper"]) == (8, 24, False)
    assert own["pairs"] == {"kind": "targets", "same": 2, "different": 2}
    assert lfw["pairs"] == {"kind": "view2", "same": 4, "different": 4}
    accuracy = next(one for one in outcome.estimates(1) if one.measure == "accuracy")
    assert accuracy.value is None and "there is one" in accuracy.note


def test_a_missing_folder_of_photographs_is_asked_for() -> None:
    with pytest.raises(BadDataset, match=r"--root celeba=DIR .*faceedit-bench data where celeba"):
        augmentation.augment("copy", chosen=PAPER)


# ---- the command ----------------------------------------------------------------------------------

SETTINGS = (
    "count=96",
    'tests=[{dataset="drawn-people", split="test", count=96}]',
    "resolution=32",
    "size=32",
    "width=2",
    "epochs=1",
    "batch=16",
    "replicates=10",
)
WORDS = [
    *("experiment", "augmentation", "--method", "truth"),
    *(word for setting in SETTINGS for word in ("--set", setting)),
]


def test_the_command_prints_both_arms_and_their_difference(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, WORDS)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["TAR@1%", "none"] in [line[:2] for line in lines]
    edited = next(line for line in lines if line[:2] == ["TAR@1%", "Eyeglasses"])
    assert edited[-2] == "to" and edited[-4][0] in "+-"
    words = " ".join(result.stdout.split())
    assert "cannot be measured: wants at least 10,000 pairs of two people, found 924" in words
    assert "published  under its own protocol, LFW:" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "results" in result.stderr and "truth-" in result.stderr


def test_the_command_gives_json_to_programs() -> None:
    result = CliRunner().invoke(cli, [*WORDS, "--json"])
    assert json.loads(result.stdout)["training"]["people"] == 12


def test_a_folder_without_its_data_set_is_refused() -> None:
    result = CliRunner().invoke(cli, ["experiment", "augmentation", "--method", "copy", "--root", "here"])
    assert result.exit_code == 1
    assert "--root 'here': wanted DATASET=DIR, for example --root celeba=~/data/celeba" in result.output


def protocol_of(outcome: Outcome) -> Protocol:
    return json.loads((outcome.folder / "manifest.json").read_text())["identity"]["protocol"]


def test_the_manifest_holds_the_whole_recipe(run: Run) -> None:
    told = protocol_of(run("copy"))
    assert set(told) == {field.name for field in dataclasses.fields(Protocol)}
