"""The page: complete, alone, and deaf to what runs are called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from elements import Elements, check_policy
from PIL import Image
from stored import EDITS, write_run

from faceedit_bench.cli import cli
from faceedit_bench.errors import ResultsError
from faceedit_bench.report.material import read
from faceedit_bench.report.page import page
from faceedit_bench.report.write import write_report
from faceedit_bench.store.folder import RunFolder

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    root = tmp_path_factory.mktemp("runs")
    return [
        write_run(root, "coogan", tarr=70.0, kept_id=0.8),
        write_run(root, "stgan", tarr=60.0, kept_id=0.9),
        write_run(root, "copy", tarr=0.0, kept_id=1.0),
    ]


@pytest.fixture(scope="module")
def text(runs: list[RunFolder]) -> str:
    return page(read(runs))


def test_every_section_is_there_and_linked(text: str) -> None:
    elements = Elements(text)
    sections = {attributes["id"] for attributes in elements.named("section") if "id" in attributes}
    assert sections == {
        "scores", "edits", "leakage", "pareto", "pictures", "cases", "cost", "failures", "protocol",
        "manifests", "citations", "licences",
    }  # fmt: skip
    links = {link["href"] for link in elements.named("a")}
    identifiers = {f"#{attributes['id']}" for _, attributes in elements.found if "id" in attributes}
    assert links <= identifiers and {f"#{name}" for name in sections} <= links


def test_numbers_stand_with_their_interval_and_link_to_their_manifest(
    text: str, runs: list[RunFolder]
) -> None:
    assert "<b>70.00</b>" in text and "[69.99, 70.01]" in text
    assert f'href="#run-{runs[0].manifest.id}"' in text and f'id="run-{runs[0].manifest.id}"' in text


def test_nothing_is_loaded_from_anywhere(text: str) -> None:
    elements = Elements(text)
    assert all(
        image["src"].startswith("data:image/webp;base64,")
        for image in elements.named("img")
        if "src" in image
    )
    assert all(link["href"].startswith("#") for link in elements.named("a"))
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {name for name, _ in elements.found}
    for _, attributes in elements.found:
        assert not {name for name in attributes if name == "style" or name.startswith("on")}


def test_the_policy_names_the_style_and_the_script_of_the_page(text: str) -> None:
    check_policy(text)


def test_every_picture_and_plot_says_what_it_shows(text: str) -> None:
    elements = Elements(text)
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in elements.named("svg"))
    filled = [image for image in elements.named("img") if "src" in image]
    assert filled and all(image["alt"] for image in filled)
    assert all("aria-label" in box for box in elements.named("div") if box.get("role") == "region")


def test_the_same_runs_give_the_same_bytes(text: str, runs: list[RunFolder]) -> None:
    assert page(read(runs)) == text


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    samples = [HOSTILE, *(f"{face}{HOSTILE}" for face in range(11))]
    folders = [
        write_run(tmp_path, HOSTILE, edits=("Male", HOSTILE), samples=samples),
        write_run(tmp_path, "stgan", tarr=10.0, edits=("Male", HOSTILE), samples=samples),
    ]
    elements = Elements(page(read(folders)))
    assert len(elements.named("script")) == 1
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert all(image.get("src", "data:").startswith("data:") for image in elements.named("img"))


def test_faces_decides_how_many_tables_of_pictures_there_are(runs: list[RunFolder]) -> None:
    for faces, tables in ((0, 0), (2, 2), (9, 3)):
        found = Elements(page(read(runs), faces=faces))
        assert len([table for table in found.named("table") if "data-face" in table]) == tables


def test_a_series_of_strengths_is_a_curve(tmp_path: Path) -> None:
    strengths = {"Male-0.5": 0.5, "Male-1.0": 1.0}
    folders = [
        write_run(tmp_path, name, edits=tuple(strengths), strengths=strengths, kept_id=kept)
        for name, kept in (("coogan", 0.8), ("stgan", 0.9))
    ]
    text = page(read(folders))
    assert 'id="strength"' in text
    assert "Male=1, by strength. response and id: coogan: strength 0.5 0.25 0.75, strength 1 0.5 0.7" in text


def test_explanations_are_shown_where_a_run_kept_them(runs: list[RunFolder], tmp_path: Path) -> None:
    folder = write_run(tmp_path, "sagan")
    mask = Image.fromarray(np.full((16, 16), 99, np.uint8))
    mask.save(folder.path / "images" / "00" / "Male@attention.png")
    assert 'id="masks"' in page(read([folder])) and "sagan, Male: attention, face 1000" in page(
        read([folder])
    )


def test_how_the_labels_go_together_stands_below_the_leakage(runs: list[RunFolder], tmp_path: Path) -> None:
    assert "rescore RUN --metric leakage_normalised" in page(read(runs))  # none of them has it
    folder = write_run(tmp_path, "coogan")
    path = folder.path / "scores.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    coupled = {"version": "1", "edit": "Male", "low": None, "high": None, "n": 12, "kind": "none"}
    for name, value in (("Male", 100.0), ("Eyeglasses", -7.6)):
        scores.append({"metric": f"leakage_normalised.coupling/{name}", "value": value, **coupled})
    path.write_text(json.dumps(scores), encoding="utf-8")
    text = page(read([folder]))
    assert "labels of the faces" in text and "Eyeglasses and what Male edits: r = -8 %" in text
    assert ">−8<" in text and "rescore RUN" not in text


def test_faces_left_out_and_undefined_numbers_are_told(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "coogan")
    (folder.path / "faces.json").write_text(
        '{"scored": 12, "of": 13, "unusable": [{"sample": "x.jpg", "reason": "no face found"}]}'
    )
    text = page(read([folder]))
    assert "face x.jpg left out: no face found" in text and "12 of 13" in text


def test_a_run_without_edits_has_a_page(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "coogan", edits=())
    text = page(read([folder]))
    assert 'id="edits"' not in text and "psnr dB, reconstruction" in text


# ---- licences --------------------------------------------------------------------------------------


def photographs(name: str) -> dict[str, object]:
    return {"name": name, "version": "1", "split": "test", "count": 12, "digest": "d" * 64}


def test_pictures_of_celeba_are_never_shown(tmp_path: Path) -> None:
    runs = read([write_run(tmp_path, "coogan", data=photographs("celeba"))])
    assert "data:image" not in page(runs) and "No pictures of celeba are shown" in page(runs)
    with pytest.raises(ResultsError, match="non-commercial research only"):
        page(runs, pictures=True)


def test_pictures_of_ones_own_are_shown_when_one_says_so(tmp_path: Path) -> None:
    runs = read([write_run(tmp_path, "coogan", data=photographs("folder"))])
    assert "data:image" not in page(runs) and "data:image" in page(runs, pictures=True)


# ---- the command -----------------------------------------------------------------------------------


def test_the_command_writes_the_page(runs: list[RunFolder], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "report.html"
    done = CliRunner().invoke(
        cli, ["report", *(str(run.path) for run in runs), "--out", str(out), "--cost-sizes", "none"]
    )
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"written: {out} (")
    assert out.read_text(encoding="utf-8") == page(read(runs))


def test_a_page_that_cannot_be_written_is_one_message(runs: list[RunFolder], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="choose another --out"):
        write_report(runs, tmp_path / "file" / "report.html")


def test_edits_keep_the_order_of_the_suite(runs: list[RunFolder]) -> None:
    assert read(runs)[0].edit_names() == list(EDITS)
