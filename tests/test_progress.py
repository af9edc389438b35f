"""Progress says how fast, how long and what, and is quiet where nobody looks."""

from __future__ import annotations

import os

import click
import pytest
from click.testing import CliRunner

from faceedit_bench import progress
from faceedit_bench.cli.output import json_option


@pytest.fixture(autouse=True)
def nobody_asked_for_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEEDIT_QUIET", raising=False)
    monkeypatch.delenv("CI", raising=False)


def run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four steps of one second and one of twenty."""
    clock = iter([0.0, 1.0, 21.0, 22.0, 23.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.bar("coogan on tiny", 40) as advance:
        for edit in ("Bald", "Bangs", "Young"):
            advance(10, edit)


def test_without_a_terminal_it_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    assert capsys.readouterr().err.splitlines() == [
        "coogan on tiny: 20 of 40, 1/s, about 21 s left, Bangs",
        "coogan on tiny: 30 of 40 in 23.0 s",
    ]


@pytest.mark.parametrize("name", ["CI", "FACEEDIT_QUIET"])
def test_it_is_quiet_in_continuous_integration_and_when_told(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "true")
    run(monkeypatch)
    assert capsys.readouterr().err == ""


def test_a_terminal_sees_pace_and_the_edit_in_hand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    with progress.bar("coogan on tiny", 40) as advance:
        advance(40, "Bangs")
    drawn = capsys.readouterr().err
    assert "coogan on tiny" in drawn and "40/40" in drawn and "/s" in drawn and "Bangs" in drawn


def test_a_command_with_json_is_quiet_and_leaves_no_trace() -> None:
    @click.command()
    @json_option()
    def command(as_json: bool) -> None:
        click.echo(f"{as_json} {progress.is_quiet()}")

    assert CliRunner().invoke(command, ["--json"]).stdout == "True True\n"
    assert CliRunner().invoke(command, []).stdout == "False False\n"
    assert "FACEEDIT_QUIET" not in os.environ
