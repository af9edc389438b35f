"""The command `faceedit-bench` itself: help, errors, speed, and politeness to pipes and full disks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from faceedit_bench import __version__
from faceedit_bench.cli import COMMANDS, cli
from faceedit_bench.errors import ResultsError


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and subcommand as words of the command line."""
    group = click.Context(cli)
    for name in COMMANDS:
        yield (name,)
        command = cli.get_command(group, name)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.list_commands(group))


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_the_help_of_every_command_has_an_example(words: tuple[str, ...]) -> None:
    code, text = invoke(*words, "--help")
    assert code == 0
    assert "Example" in text and "faceedit-bench " + " ".join(words) in text.split("Example")[1]


@pytest.mark.parametrize("words", [(), *commands()], ids=" ".join)
def test_help_fits_a_terminal(words: tuple[str, ...]) -> None:
    for line in invoke(*words, "--help")[1].splitlines():
        assert len(line) <= 80 or line.lstrip().startswith("faceedit-bench"), line  # examples can be copied


def test_help_lists_every_command_with_a_line_of_its_own() -> None:
    _, text = invoke("--help")
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in text and line in text


def test_the_version_is_printed() -> None:
    assert invoke("--version") == (0, f"faceedit-bench, version {__version__}\n")


def test_an_unknown_command_is_refused() -> None:
    code, text = invoke("ruin")
    assert code == 2 and "ruin" in text


def test_an_error_of_the_user_is_one_message_and_exit_code_1() -> None:
    code, text = invoke("methods", "cpoy")
    assert code == 1
    assert text.startswith("Error: unknown method 'cpoy'; did you mean 'copy'?")


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException, *words: str) -> object:
    """The result of a command whose body raises `error`."""

    @click.command("trial")
    def trial() -> None:
        raise error

    monkeypatch.setattr(type(cli), "get_command", lambda self, ctx, name: trial)
    return CliRunner().invoke(cli, [*words, "trial"])


def test_debug_keeps_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ResultsError("no room")
    assert raising(monkeypatch, error, "--debug").exception is error
    assert raising(monkeypatch, error).output == "Error: no room\n"


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission")]
)
def test_a_full_disk_or_a_closed_folder_is_one_line(
    monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    result = raising(monkeypatch, OSError(number, os.strerror(number), "some/file"))
    assert result.exit_code == 1
    assert result.output.startswith("Error: some/file: ") and words in result.output
    assert len(result.output.splitlines()) == 1


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ZeroDivisionError("a bug")
    assert raising(monkeypatch, error).exception is error


def run(*words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "faceedit_bench", *words], text=True, **settings)  # type: ignore[call-overload]


def test_a_real_process_prints_an_error_without_traceback() -> None:
    done = run("methods", "cpoy", capture_output=True)
    assert done.returncode == 1
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: unknown method 'cpoy'")


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "faceedit_bench", "suites", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.wait()
    assert errors == ""
