"""Reports as Markdown, LaTeX and PDF: the same numbers, readable, and names stay names."""

from __future__ import annotations

import builtins
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from stored import write_run

from faceedit_bench.cli import cli
from faceedit_bench.errors import BadConfig, ResultsError
from faceedit_bench.report import write
from faceedit_bench.report.latex import latex
from faceedit_bench.report.markdown import markdown
from faceedit_bench.report.material import Run, read
from faceedit_bench.report.pdf import pdf
from faceedit_bench.report.write import place
from faceedit_bench.store.folder import RunFolder

HOSTILE = r"\input{x} $ & % # _ ~ ^ | <b> `x` [a](b) * --"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    root = tmp_path_factory.mktemp("runs")
    numbers = {"coogan": (70.0, 0.8), "stgan": (60.0, 0.9), "copy": (0.0, 1.0)}
    return [write_run(root, name, tarr=tarr, kept_id=kept) for name, (tarr, kept) in numbers.items()]


@pytest.fixture(scope="module")
def runs(folders: list[RunFolder]) -> list[Run]:
    return read(folders)


def lines_of(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_markdown_has_every_section_and_the_numbers_of_the_page(runs: list[Run]) -> None:
    text = markdown(runs)
    assert [line[3:] for line in lines_of(text, "## ")] == [
        "Scores", "Against the best", "Edit by edit", "Cost", "What went wrong", "Protocol", "Runs",
        "Citations", "Licences", "What is not here",
    ]  # fmt: skip
    assert lines_of(text, "| coogan | 70.00 [69.99, 70.01] ★ |")
    assert lines_of(text, "| copy (floor) | 0.00 [")
    assert lines_of(text, "| id | stgan | coogan | −0.100 [−0.100, −0.100] | 0.001 | 0.001 |")
    assert lines_of(text, "| Eyeglasses | 70.00 [69.99, 70.01] | 60.00 [")
    for run in runs:
        assert f"sha256 {run.manifest.digest}" in text and run.manifest.digest.startswith(run.id)
    assert "```bibtex\n@inproceedings{chen2020-2011.01563," in text
    assert "| data set drawn-faces | drawn from numbers: no licence" in text


def test_rows_of_a_markdown_table_are_as_wide_as_its_headings(runs: list[Run]) -> None:
    block: list[str] = []
    for line in [*markdown(runs).splitlines(), ""]:
        if line.startswith("|"):
            block.append(line)
        elif block:
            assert len({row.count(" | ") for row in block}) == 1
            block = []


def test_more_metrics_than_fit_on_a_sheet_stand_in_several_tables(runs: list[Run]) -> None:
    scores = markdown(runs).partition("## Scores")[2].partition("## ")[0]
    tables = [line for line in scores.splitlines() if line.startswith("| method")]
    assert len(tables) == 2 and all(line.count("|") <= 6 for line in tables)


def test_the_same_runs_give_the_same_text(runs: list[Run]) -> None:
    assert markdown(runs) == markdown(runs) and latex(runs) == latex(runs)


def hostile(root: Path) -> list[Run]:
    return read(
        [write_run(root, HOSTILE, edits=("Male", "a|b")), write_run(root, "stgan", edits=("Male", "a|b"))]
    )


def test_hostile_names_stay_names_in_markdown(tmp_path: Path) -> None:
    text = markdown(hostile(tmp_path))
    assert "<b>" not in text.partition("## Citations")[0]
    assert r"\|" in text and "[a](b)" not in text.partition("## Citations")[0]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles_whatever_names_are(tmp_path: Path) -> None:
    (tmp_path / "report.tex").write_text(latex(hostile(tmp_path)), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-draftmode", "-no-shell-escape", "report.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120,
    )  # fmt: skip
    told = [line for line in done.stdout.splitlines() if line.startswith(("!", "Overfull", "l."))]
    assert done.returncode == 0 and told == [], done.stdout[-2000:]


def test_latex_has_no_command_of_a_name(tmp_path: Path) -> None:
    text = latex(hostile(tmp_path))
    assert r"\textbackslash{}input\{x\}" in text
    before, _, listed = text.partition(r"\begin{verbatim}")
    assert r"\input{x}" not in before
    assert listed.count(r"\end{verbatim}") == 1


# ---- which format ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "wanted", "expected"),
    [
        (None, None, ("report.html", "html")),
        (None, "md", ("report.md", "md")),
        ("a.PDF", None, ("a.PDF", "pdf")),
        ("a.htm", "html", ("a.htm", "html")),
        ("notes.txt", "md", ("notes.txt", "md")),
        ("noending", None, ("noending", "html")),
    ],
)
def test_the_format_is_the_one_asked_for_or_that_of_the_ending(
    out: str | None, wanted: str | None, expected: tuple[str, str]
) -> None:
    path, format_ = place(None if out is None else Path(out), wanted)
    assert (str(path), format_) == expected


def test_a_format_that_is_not_that_of_the_ending_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"--format pdf, but a\.html ends like html"):
        place(Path("a.html"), "pdf")
    with pytest.raises(BadConfig, match=r"wanted an ending of \.html, \.pdf, \.md, \.tex, found \.txt"):
        place(Path("a.txt"), None)


def test_the_command_writes_each_format(folders: list[RunFolder], tmp_path: Path) -> None:
    paths = [str(folder.path) for folder in folders]
    for name, start in (
        ("r.md", "# few: coogan"),
        ("r.tex", r"\documentclass"),
        ("r.html", "<!DOCTYPE html>"),
    ):
        asked = ["report", *paths, "--out", str(tmp_path / name), "--cost-sizes", "none"]
        done = CliRunner().invoke(cli, asked)
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_runs_that_do_not_compare_are_refused_in_every_format(tmp_path: Path) -> None:
    other = {"tarr": "2"}
    folders = [write_run(tmp_path, "coogan"), write_run(tmp_path, "stgan", metrics=other)]
    for format_ in write.FORMATS:
        with pytest.raises(ResultsError, match="cannot be compared"):
            write.write_report(folders, tmp_path / "out", format_)


# ---- PDF -------------------------------------------------------------------------------------------


def test_without_playwright_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("playwright"):
            raise ImportError(name)
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(
        ResultsError, match=r"pip install 'faceedit-bench\[browser\]'; or write the report as html"
    ):
        pdf(b"<html></html>")


@pytest.mark.browser
def test_without_a_browser_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("playwright.sync_api", reason="needs the extra `browser` (playwright)")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(ResultsError, match="apt-get install chromium"):
        pdf(b"<html></html>")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium: apt-get install chromium")
def test_the_pdf_is_printed_across_with_pictures(folders: list[RunFolder], tmp_path: Path) -> None:
    pytest.importorskip("playwright.sync_api", reason="needs the extra `browser` (playwright)")
    out = tmp_path / "report.pdf"
    write.write_report(folders, out, "pdf")
    printed = out.read_bytes()
    box = re.search(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", printed)
    assert box is not None and [float(side) for side in box.groups()] == pytest.approx(
        [842, 595], abs=1
    )  # A4
    assert printed.count(b"/Subtype /Image") >= 12  # 3 faces, source and 3 edits; all runs have the same
