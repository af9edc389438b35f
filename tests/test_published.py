"""Numbers of papers: as printed, with source and provenance, apart from everything measured, never ranked."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from faceedit_bench import published
from faceedit_bench.cli import cli
from faceedit_bench.errors import BadConfig, UnknownName
from faceedit_bench.published import HEADING, Number, Published

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "leaderboards" / "published"

COUNTS = {  # file -> single numbers, values in tables, claims
    "attgan": (9, 14, 0),
    "coogan": (5, 14, 0),
    "gradstyle": (35, 79, 0),
    "lstunet": (2, 27, 0),
    "sagan": (0, 0, 2),
    "secgan": (21, 0, 0),
    "stargan": (12, 3, 0),
    "stgan": (11, 14, 0),
}

MINIMAL = """
numbers = [
  { method = "mine", metric = "rec_psnr", value = 30.10, digits = 2, paper = "Mine", table = "Table 1", \
provenance = "recalled", dataset = "CelebA", size = 128 },
  { method = "mine", metric = "gpu_memory_MB", value = 985, paper = "Mine", table = "Table 2", \
provenance = "paper", size = 768, device = "a GPU" },
]

[papers]
Mine = "Me, 2026"

[methods]
mine = "My method"

[[tables]]
method = "mine"
metric = "user_study_pct"
by = "attribute"
paper = "Mine"
table = "Table 3"
provenance = "paper"
[tables.values]
Bald = 61.5
"""


@pytest.fixture
def everything() -> Published:
    return published.load_all(FOLDER)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


# ---- the files of this repository


def test_no_number_is_missing() -> None:
    found = {path.stem: published.load(path) for path in FOLDER.glob("*.toml")}
    counts = {
        name: (len(file.numbers), sum(len(table.values) for table in file.tables), len(file.claims))
        for name, file in found.items()
    }
    assert counts == COUNTS


@pytest.mark.parametrize(
    ("method", "metric", "dataset", "size", "source", "provenance", "text"),
    [
        ("stargan", "rec_psnr", "CelebA", 128, "CooGAN paper, Table 2", "paper", "22.86"),
        ("stargan", "rec_psnr", "CelebA", 128, "STGAN paper, Table 2", "recalled", "22.80"),
        ("stargan", "params_total_M", "", None, "StarGAN paper, Table 3", "measured", "53.2"),
        (
            *("stargan", "expression_classification_error_pct", "RaFD", 128),
            *("StarGAN paper, Table 3", "secondary", "2.12"),
        ),
        (
            *("attgan_diff", "tarr_pct", "CelebA", 128),
            *("SeCGAN paper, Table 1 (difference-vector variant)", "paper", "82.85"),
        ),
        ("attgan_hr", "gpu_memory_MB", "", 768, "CooGAN paper, Table 3", "paper", "3692"),
        ("stgan", "rec_psnr", "CelebA", 128, "STGAN paper, Table 2", "author-thread", "31.67"),
        ("icgan", "rec_ssim", "CelebA", 128, "STGAN paper, Table 2", "recalled", "0.430"),
        ("stgan_hr", "seconds_per_image", "", 768, "CooGAN paper, Table 3", "paper", "0.0502"),
        ("lstunet", "rec_ssim", "CelebA", 128, "CooGAN paper, Table 2", "paper", "0.938"),
        ("coogan", "attribute_accuracy_pct", "CelebA-HQ", 768, "CooGAN paper, section 4.2", "paper", "84.8"),
        ("secgan_attgan", "ssfid", "CelebA", 128, "SeCGAN paper, Table 1", "paper", "1.27"),
        ("concat_stargan", "tarr_pct", "CelebA", 128, "SeCGAN paper, Table 1", "paper", "80.50"),
        ("gradstyle", "rec_psnr", "CelebA-HQ", 1024, "GradStyle paper, Table 1", "paper", "24.583"),
        ("clcae", "rec_l2", "CelebA-HQ", 1024, "GradStyle paper, Table 1", "paper", "0.016"),
    ],
)
def test_numbers_are_those_of_the_papers(
    everything: Published,
    method: str,
    metric: str,
    dataset: str,
    size: int | None,
    source: str,
    provenance: str,
    text: str,
) -> None:
    found = [
        number.text(number.value)
        for number in everything.numbers
        if (number.method, number.metric, number.dataset) == (method, metric, dataset)
        and (number.size, number.source, number.provenance) == (size, source, provenance)
        and number.value is not None
    ]
    assert found == [text]


@pytest.mark.parametrize(
    ("method", "metric", "key", "text"),
    [
        ("coogan", "user_study_pct", "Pale_Skin", "98.1"),
        ("attgan_hr", "user_study_pct", "smoothness", "99.8"),
        ("stgan_hr", "user_study_pct", "Mouth_Slightly_Open", "67.7"),
        ("lstunet", "unit_gflops", "64", "30.80"),
        ("stgan", "unit_params_M", "32", "6.40"),
        ("unet", "rec_psnr", "SC4", "34.8"),
        ("gradstyle", "edit_id", "smile +", "0.690"),
        ("gradstyle", "rec_lpips", "3, 6, 8, 10", "0.246"),
        ("stargan", "amt_preference_pct", "hair colour", "66.2"),
    ],
)
def test_tables_hold_the_values_of_the_papers(
    everything: Published, method: str, metric: str, key: str, text: str
) -> None:
    found = {
        table.text(table.values[key])
        for table in everything.tables
        if (table.method, table.metric) == (method, metric) and key in table.values
    }
    assert found == {text}


def test_no_number_stands_twice(everything: Published) -> None:
    keys = [(one.method, one.metric, one.dataset, one.size, one.source) for one in everything.numbers]
    assert sorted({key for key in map(str, keys) if list(map(str, keys)).count(key) > 1}) == []


def test_guessed_data_sets_say_that_they_are_guessed(everything: Published) -> None:
    """The labels of four rows of SeCGAN's table are not legible."""
    guessed = [one for one in everything.numbers if one.dataset_label_confidence == "inferred"]
    assert len(guessed) == 12
    assert all(one.paper == "SeCGAN" and one.size == 256 and "lost" in one.note for one in guessed)
    assert published.setting(guessed[0]).startswith("? ")


# ---- reading strictly


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('provenance = "recalled"', 'provenance = "guessed"', "'paper', 'code', 'measured', 'author-thread'"),
        ('dataset = "CelebA"', 'datset = "CelebA"', r"numbers\.0\.datset"),
        ("[papers]", 'colour = "red"\n[papers]', "unknown key 'colour'"),
        ('method = "mine", metric = "rec_psnr"', 'method = "mien", metric = "rec_psnr"', "mean 'mine'"),
        ('metric = "rec_psnr"', 'metric = "rec_pnsr"', "did you mean 'rec_psnr'"),
        ('paper = "Mine", table = "Table 1"', 'paper = "Yours", table = "Table 1"', "unknown paper 'Yours'"),
        ("value = 985", 'value = "985"', r"numbers\.1\.value"),
        ("value = 985, ", "", "gpu_memory_MB .* wants a value"),
        ("Bald = 61.5", "", "user_study_pct .* wants values"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    assert MINIMAL.count(before) == 1
    with pytest.raises(BadConfig, match=told) as caught:
        published.load(write(tmp_path, MINIMAL.replace(before, after)))
    assert "mine.toml" in str(caught.value)


def test_an_unknown_file_is_refused_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, MINIMAL)
    with pytest.raises(UnknownName, match="'mien'; did you mean 'mine'"):
        published.load_all(tmp_path, ["mien"])


# ---- the page


def test_the_block_shows_each_number_with_source_and_provenance(tmp_path: Path) -> None:
    block = published.markdown(published.load(write(tmp_path, MINIMAL)))
    assert block.startswith(f"## {HEADING}\n")
    assert (
        "| My method | reconstruction PSNR, dB | 30.10 | CelebA 128 px | Mine paper, Table 1 "
        "| recalled, **not re-checked** |\n" in block
    )
    quality, cost = block.split("### Published memory and time")
    assert "985" not in quality
    assert "| My method | GPU memory, MB | 985 | 768 px, a GPU | Mine paper, Table 2 | paper |" in cost
    assert "*recalled*, from memory, not re-checked" in block and "Mine: Me, 2026" in block
    assert "61.5" not in block  # tables are for the terminal


def test_a_board_without_published_numbers_has_no_block() -> None:
    assert published.markdown(published.join([])) == ""


def test_a_claim_without_a_number_stands_as_a_sentence() -> None:
    block = published.markdown(published.load(FOLDER / "sagan.toml"))
    assert (
        "- SaGAN, LFW: edits of Eyeglasses" in block and "ROC plots of face verification; secondary" in block
    )


def test_the_page_of_the_board_keeps_them_apart_from_measured_rows() -> None:
    page = (ROOT / "leaderboards" / "drawn-128.md").read_text(encoding="utf-8")
    measured, block = page.split(f"## {HEADING}")
    assert "22.86" in block and "CooGAN paper, Table 2" in block
    assert "CelebA" not in measured and "paper, Table" not in measured
    recalled = [line for line in block.splitlines() if "| recalled" in line]
    assert len(recalled) == 8 and all("not re-checked" in line for line in recalled)


# ---- the command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The drawn board with its runs, and only the numbers of one paper."""
    shutil.copytree(ROOT / "leaderboards" / "runs", tmp_path / "runs")
    (tmp_path / "published").mkdir()
    write(tmp_path / "published", MINIMAL)
    definition = (ROOT / "leaderboards" / "drawn-128.toml").read_text(encoding="utf-8")
    changed = re.sub(r"published = \[.*?\]", 'published = ["mine"]', definition)
    (tmp_path / "drawn-128.toml").write_text(changed, encoding="utf-8")
    return tmp_path


def board(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["board", "--folder", str(folder), *words])
    return result.exit_code, result.output


def test_published_numbers_reach_the_page_and_neither_csv_nor_rows(folder: Path) -> None:
    code, output = board(folder)
    assert code == 0 and "My method" not in output
    assert HEADING in (folder / "drawn-128.md").read_text(encoding="utf-8")
    assert "30.1" not in (folder / "drawn-128.csv").read_text(encoding="utf-8").replace("\n", " ").split()
    assert "My method" not in (folder / "drawn-128.csv").read_text(encoding="utf-8")
    rows = json.loads(board(folder, "--json")[1])["drawn-128"]
    assert "mine" not in {row["method"] for row in rows}


def test_a_changed_published_number_makes_the_page_stale(folder: Path) -> None:
    board(folder)
    path = folder / "published" / "mine.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("985", "986"), encoding="utf-8")
    code, output = board(folder, "--check")
    assert code == 1 and "986" in output


def test_a_board_that_names_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    (folder / "published" / "mine.toml").unlink()
    code, output = board(folder)
    assert code == 1 and "unknown file of published numbers 'mine'" in output
    assert not (folder / "drawn-128.md").exists()


def test_the_terminal_shows_everything_and_writes_nothing(folder: Path) -> None:
    code, output = board(folder, "--published")
    assert code == 0
    for part in ("My method (mine)", "30.10", "Mine, Table 1", "recalled, not rechecked", "Bald: 61.5"):
        assert part in " ".join(output.split())
    assert not (folder / "drawn-128.md").exists()
    assert board(folder, "drawn-128", "--published") == (code, output)


def test_the_terminal_keeps_within_80_columns() -> None:
    code, output = board(ROOT / "leaderboards", "--published")
    assert code == 0 and "CLCAE (clcae)" in output
    assert max(len(line) for line in output.splitlines()) <= 80


def test_published_numbers_as_json_carry_their_provenance(folder: Path) -> None:
    found = json.loads(board(folder, "--published", "--json")[1])
    first, second = found["numbers"]
    assert (first["value"], first["provenance"], first["dataset"]) == (30.1, "recalled", "CelebA")
    assert (second["value"], second["device"]) == (985, "a GPU") and "dataset" not in second
    assert found["tables"][0]["values"] == {"Bald": 61.5}


def test_published_and_check_exclude_each_other(folder: Path) -> None:
    code, output = board(folder, "--published", "--check")
    assert code == 2 and "nothing to --check" in output


def test_a_number_keeps_the_decimals_that_were_printed() -> None:
    one = Number(
        method="m", metric="rec_ssim", paper="P", table="T", provenance="paper", value=0.43, digits=3
    )
    assert one.text(0.43) == "0.430"
