"""Edits with a sign and a strength: what they mean to a suite, to methods and to metrics."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

from faceedit_bench import runs
from faceedit_bench import suite as suites
from faceedit_bench.api import THIRTEEN, EditBatch, MethodSpec
from faceedit_bench.catalog import Origin, catalog
from faceedit_bench.cli import cli
from faceedit_bench.errors import BadConfig, BrokenPromise, UnknownName
from faceedit_bench.store.records import export
from faceedit_bench.suite import Edit, Suite, series, target_labels


def suite_of(*edits: Edit, **changes: object) -> Suite:
    suite = Suite(
        name="signed",
        version="1",
        summary="",
        dataset="drawn-faces",
        split="test",
        resolution=32,
        attributes=THIRTEEN,
        edits=edits,
        metrics=("id",),
        count=6,
        shard_size=4,
        batch_size=3,
    )
    return dataclasses.replace(suite, **changes)


@pytest.fixture
def as_toml(tmp_path: Path) -> Callable[[str], str]:
    """A small suite with these edits, as a file."""

    def write(edits: str, metrics: str = '"id"') -> str:
        path = tmp_path / "signed.toml"
        names = ", ".join(f'"{name}"' for name in THIRTEEN)
        path.write_text(
            'name = "signed"\nversion = "1"\nsummary = ""\ndataset = "drawn-faces"\nsplit = "test"\n'
            f"resolution = 32\ncount = 6\nshard_size = 3\nbatch_size = 3\nattributes = [{names}]\n"
            f'conflicts = "drawn"\nmetrics = [{metrics}]\nedits = [{edits}]\n'
            '[judges]\nidentity = "identity-demo"\nattributes = "attributes-demo"\n'
        )
        return str(path)

    return write


# ---- in a suite


def test_what_is_set_is_the_target_of_every_face_whatever_its_label() -> None:
    for label in (0, 1):
        source = [label if name == "Young" else 0 for name in THIRTEEN]
        target, edited = target_labels(source, (), THIRTEEN, "drawn", {"Young": 0})
        assert target[THIRTEEN.index("Young")] == 0
        assert [name for name, asked in zip(THIRTEEN, edited, strict=True) if asked] == ["Young"]


def test_setting_on_clears_what_it_excludes_and_setting_off_clears_nothing() -> None:
    source = [int(name == "Black_Hair") for name in THIRTEEN]
    on, _ = target_labels(source, (), THIRTEEN, "drawn", {"Blond_Hair": 1})
    off, _ = target_labels(source, (), THIRTEEN, "drawn", {"Blond_Hair": 0})
    assert (on[2], on[3]) == (0, 1) and (off[2], off[3]) == (1, 0)


def test_edits_that_differ_in_strength_alone_make_a_series_in_its_order() -> None:
    edits = [
        Edit("a", strength=1.5, set={"Young": 0}), Edit("b", strength=0.5, set={"Young": 0}),
        Edit("c", set={"Young": 1}), Edit("d", ("Male",), 0.5), Edit("e", ("Male",), -1.0), Edit("same"),
    ]  # fmt: skip
    found = {asks: [edit.name for edit in of_it] for asks, of_it in series(edits).items()}
    assert found == {"Young=0": ["b", "a"], "Male reversed": ["e", "d"]}


def test_an_edit_of_a_toml_file_may_set_and_weigh(as_toml: Callable[[str], str]) -> None:
    (edit,) = suites.load(as_toml('{ name = "older", set = { Young = 0 }, strength = -0.5 }')).edits
    assert (edit.set, edit.strength, edit.changed) == ({"Young": 0}, -0.5, ("Young",))


def test_set_and_strength_change_the_fingerprint_and_an_unused_set_does_not() -> None:
    """The fingerprint of the shipped suite is the one of the boards' stored runs."""
    edits = [Edit("x", set={"Young": 0}), Edit("x", set={"Young": 1}), Edit("x", ("Young",))]
    assert len({suite_of(edit).fingerprint() for edit in [*edits, Edit("x", ("Young",), 2.0)]}) == 4
    stored = "93750ea954b72721dc893f6deda22ab76df31522106bf9f0a1660869d8494204"
    assert suites.load("drawn-128").fingerprint() == stored


@pytest.mark.parametrize(
    ("edits", "kind", "words"),
    [
        ((Edit("x", set={"Yuong": 1}),), UnknownName, "did you mean 'Young'"),
        ((Edit("x", set={"Young": 2}),), BadConfig, "wants 0 or 1, found {'Young': 2}"),
        ((Edit("x", ("Young",), set={"Young": 1}),), BadConfig, "Young both reversed and set"),
        ((Edit("x", strength=0.5),), BadConfig, "a reconstruction has no strength, found 0.5"),
        ((Edit("x", ("Young",), float("nan")),), BadConfig, "strength wants a number"),
        ((Edit("a/b", ("Young",)),), BadConfig, "becomes a file name"),
        ((Edit("all", ("Young",)),), BadConfig, "not 'all' or 'source'"),
        ((Edit("x", ("Young",)), Edit("x", ("Male",))), BadConfig, "two edits are called x"),
    ],
)
def test_an_edit_that_cannot_be_meant_is_refused(
    edits: tuple[Edit, ...], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        suite_of(*edits)


def test_the_inversion_suite_moves_every_face_to_either_side_of_two_attributes() -> None:
    edits = suites.load("drawn-128-inversion").edits
    assert [edit.set for edit in edits] == [
        {}, {"Mouth_Slightly_Open": 1}, {"Mouth_Slightly_Open": 0}, {"Young": 1}, {"Young": 0}
    ]  # fmt: skip
    assert {edit.strength for edit in edits} == {1.0}


def test_the_strength_suite_goes_from_nothing_to_half_as_much_again() -> None:
    found = series(suites.load("drawn-128-strength").edits)
    grid = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]
    assert {asks: [edit.strength for edit in of_it] for asks, of_it in found.items()} == {
        "Eyeglasses=1": grid, "Young=0": grid
    }  # fmt: skip


# ---- to methods


@pytest.fixture
def told() -> Iterator[list[EditBatch]]:
    """Every batch that the method `witness` is told, in order; it explains by one picture per attribute."""
    batches: list[EditBatch] = []

    class Witness:
        def edit(self, batch: EditBatch) -> Tensor:
            batches.append(batch)
            return batch.images * (1 - 0.1 * batch.strength[:, None, None, None])

        def explain(self, batch: EditBatch) -> dict[str, Tensor]:
            asked = [name for i, name in enumerate(batch.attributes) if batch.edited[0, i]]
            return {f"mask-{name}": torch.ones_like(batch.images[:, :1]) for name in asked}

    found = catalog()
    found.methods["witness"] = MethodSpec(
        "witness", "1", "for a test", "none", (), (), load=lambda options, context: Witness()
    )
    found.origins["method", "witness"] = Origin("witness", "tests", "0")
    yield batches
    del found.methods["witness"], found.origins["method", "witness"]


def run(method: str, suite: str) -> runs.RunResult:
    return runs.run(method, suite=suite, workers=1, measure_cost=False)


@pytest.mark.parametrize("value", [0, 1])
def test_every_face_is_asked_for_the_whole_change_of_what_is_set(
    value: int, told: list[EditBatch], as_toml: Callable[[str], str]
) -> None:
    run("witness", as_toml(f'{{ name = "age", set = {{ Young = {value} }}, strength = 0.5 }}'))
    young = THIRTEEN.index("Young")
    for batch in told:
        assert batch.target[:, young].tolist() == [value] * 3
        assert batch.change[:, young].tolist() == [2 * value - 1] * 3  # the sign, for directions
        assert batch.strength.tolist() == [0.5] * 3
        others = [i for i in range(13) if i != young]
        assert not batch.change[:, others].any() and not batch.edited[:, others].any()


def test_pictures_are_kept_as_they_are_however_they_lie_in_memory(
    told: list[EditBatch], as_toml: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks on a GPU answer channels last, and a grey mask is one plane seen three times."""

    class Lying:
        def edit(self, batch: EditBatch) -> Tensor:
            return batch.images.contiguous(memory_format=torch.channels_last)

        def explain(self, batch: EditBatch) -> dict[str, Tensor]:
            return {"mask": (batch.images[:, :1] + 1) / 2}

    spec = dataclasses.replace(catalog().methods["witness"], load=lambda options, context: Lying())
    monkeypatch.setitem(catalog().methods, "witness", spec)
    folder = run("witness", as_toml('{ name = "Young", flips = ["Young"] }')).folder.path / "images" / "02"
    source, edited, mask = (
        np.asarray(Image.open(folder / f"{name}.png")) for name in ("source", "Young", "Young@mask")
    )
    assert np.array_equal(edited, source)
    assert np.array_equal(mask, np.repeat(source[:, :, :1], 3, axis=2))


def test_pictures_that_explain_stand_under_the_edits(
    told: list[EditBatch], as_toml: Callable[[str], str]
) -> None:
    edits = '{ name = "same" }, { name = "Young", flips = ["Young"] }, { name = "Male", flips = ["Male"] }'
    images = run("witness", as_toml(edits)).folder.path / "images"
    assert sorted(path.name for path in (images / "00").iterdir()) == [
        "Male.png", "Male@mask-Male.png", "Young.png", "Young@mask-Young.png", "same.png", "source.png"
    ]  # fmt: skip
    assert np.asarray(Image.open(images / "00" / "Male@mask-Male.png")).min() == 255
    sheet, plain = Image.open(images / "sheet.png"), run("copy", as_toml(edits)).folder.path
    with Image.open(plain / "images" / "sheet.png") as without:
        assert sheet.height > 1.8 * without.height


def test_what_explains_is_held_to_its_contract(
    told: list[EditBatch], as_toml: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = type(catalog().methods["witness"].load(None, None))  # type: ignore[arg-type]
    wrong = type("Wrong", (editor,), {"explain": lambda self, batch: {"mask": batch.images[:, :1] - 9}})
    spec = dataclasses.replace(catalog().methods["witness"], load=lambda options, context: wrong())
    monkeypatch.setitem(catalog().methods, "witness", spec)
    with pytest.raises(BrokenPromise, match="witness, edit 'Young': explain's 'mask': wanted numbers from 0"):
        run("witness", as_toml('{ name = "Young", flips = ["Young"] }'))


def test_a_run_leaves_out_what_cannot_be_explained(
    told: list[EditBatch], as_toml: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = type(catalog().methods["witness"].load(None, None))  # type: ignore[arg-type]
    silent = type("Silent", (editor,), {"unexplained": "a file is not here"})
    spec = dataclasses.replace(catalog().methods["witness"], load=lambda options, context: silent())
    monkeypatch.setitem(catalog().methods, "witness", spec)
    images = run("witness", as_toml('{ name = "Male", flips = ["Male"] }')).folder.path / "images"
    assert sorted(path.name for path in (images / "00").iterdir()) == ["Male.png", "source.png"]


# ---- to whoever reads the scores


def test_strengths_are_shown_as_a_curve_and_have_no_mean(
    told: list[EditBatch], as_toml: Callable[[str], str]
) -> None:
    """The more the witness darkens a face, the less the judge takes it for the same."""
    edits = "".join(
        f'{{ name = "older {strength}", set = {{ Young = 0 }}, strength = {strength} }}, '
        for strength in (4.0, 0.0, 2.0)
    )
    done = run("witness", as_toml(edits + '{ name = "same" }', '"id", "tarr", "response", "leakage"'))
    assert "all" not in set(done.table()["edit"])
    shown = CliRunner().invoke(cli, ["show", str(done.folder.path)]).output
    curve = shown[shown.index("Young=0, by strength") :].splitlines()
    assert curve[1].split()[:3] == ["strength", "id", "↑"] and "response" in curve[1]
    values = [(float(line.split()[0]), float(line.split()[1])) for line in curve[3:6]]
    assert [strength for strength, _ in values] == [0, 2, 4]
    assert 1.0 == values[0][1] > values[1][1] > values[2][1]
    assert "older 2.0" not in shown


def test_identity_at_equal_response_is_a_score_of_the_series(
    told: list[EditBatch], as_toml: Callable[[str], str]
) -> None:
    """The witness darkens faces, which makes none older: there is no such ID, and the reason is told."""
    edits = ", ".join(
        f'{{ name = "older {strength}", set = {{ Young = 0 }}, strength = {strength} }}'
        for strength in (0.0, 0.5)
    )
    folder = run("witness", as_toml(edits, '"id", "response"')).folder
    (score,) = (score for score in folder.scores() if score.metric == "id@response0.5")
    assert (score.edit, score.value, score.n) == ("Young=0", None, 6)
    assert score.reason.startswith("wanted a response of 0.5, found at most ")
    shown = CliRunner().invoke(cli, ["show", str(folder.path)]).output
    assert "id@response0.5  –" in shown
    assert f"undefined id@response0.5 (Young=0): {score.reason}" in " ".join(
        shown.split()
    )  # lines are broken


def test_csv_has_every_score_with_its_strength(told: list[EditBatch], as_toml: Callable[[str], str]) -> None:
    edits = '{ name = "a", set = { Young = 0 }, strength = 0.5 }, { name = "b", set = { Young = 0 } }'
    folder = run("witness", as_toml(edits)).folder
    printed = CliRunner().invoke(cli, ["show", str(folder.path), "--csv"])
    rows = list(csv.DictReader(io.StringIO(printed.output)))
    assert [(row["edit"], row["asks"], row["strength"], row["metric"]) for row in rows] == [
        ("a", "Young=0", "0.5", "id"), ("b", "Young=0", "1.0", "id")
    ]  # fmt: skip
    assert [float(row["value"]) for row in rows] == [score.value for score in folder.scores()]


@pytest.mark.parametrize("arguments", [["show", "--csv"], ["show", "0000", "--csv", "--json"]])
def test_csv_wants_one_run(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1 and "--csv wants one run" in result.output


def test_a_record_carries_the_suite_so_that_strengths_can_be_read(
    told: list[EditBatch], as_toml: Callable[[str], str]
) -> None:
    record = export(
        run("witness", as_toml('{ name = "a", set = { Young = 0 }, strength = 0.5 }')).folder.path
    )
    assert record["suite"]["edits"] == [{"name": "a", "flips": [], "set": {"Young": 0}, "strength": 0.5}]
    assert record["faces"] == {"scored": 6, "of": 6, "unusable": []}
