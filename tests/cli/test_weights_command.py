"""weights list, verify, add: what is wanted, whether it is right, and a file checked before it is copied."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from faceedit_bench import fetching, folders
from faceedit_bench.api import MethodSpec, NoOptions, Pin, Preset
from faceedit_bench.catalog import Catalog, catalog
from faceedit_bench.cli import cli, weights

CONTENT = b"not really weights"
PIN = Pin("toy.safetensors", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "a command", "MIT")


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog with one method that is pinned to one file."""
    spec = MethodSpec(
        "toy",
        "1",
        "",
        "none",
        (),
        (),
        load=lambda options, context: None,
        presets={"demo": Preset(NoOptions(), (PIN,))},
    )
    for module in (weights, fetching):
        monkeypatch.setattr(module, "catalog", lambda: Catalog(methods={"toy": spec}))


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, ["weights", *words])


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], Path]:
    def make(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


File = Callable[[str, bytes], Path]


def test_a_missing_file_is_listed_with_its_origin() -> None:
    text = invoke("list").output
    assert "missing" in text and "method toy demo" in text and "comes from\n  a command" in text
    assert json.loads(invoke("list", "--json").output)[0]["here"] is False


def test_an_added_file_is_verified_and_found(file: File) -> None:
    result = invoke("add", str(file("downloaded-under-another-name.bin", CONTENT)))
    assert result.exit_code == 0, result.output
    assert (folders.weights() / PIN.file).read_bytes() == CONTENT
    assert json.loads(invoke("verify", "--json").output)[0]["state"] == "verified"
    assert "here" in invoke("list").output


def test_a_file_with_the_wrong_hash_is_refused_with_both_hashes(file: File) -> None:
    wrong = file(PIN.file, CONTENT[::-1])
    result = invoke("add", str(wrong))
    assert result.exit_code == 1
    assert PIN.sha256 in result.output and hashlib.sha256(CONTENT[::-1]).hexdigest() in result.output
    assert not folders.weights().exists()


def test_a_file_that_nobody_wants_is_refused(file: File) -> None:
    result = invoke("add", str(file("other.safetensors", b"x")))
    assert result.exit_code == 1 and "nothing is pinned to" in result.output


def test_no_file_is_copied_if_one_of_them_is_wrong(file: File) -> None:
    result = invoke("add", str(file("good", CONTENT)), str(file("bad", b"x")))
    assert result.exit_code == 1 and not folders.weights().exists()


def test_a_file_that_is_not_there_is_named() -> None:
    result = invoke("add", "gone.safetensors")
    assert result.exit_code == 1 and "gone.safetensors: no such file" in result.output


def test_verify_fails_on_a_damaged_file() -> None:
    folders.weights().mkdir(parents=True)
    (folders.weights() / PIN.file).write_bytes(CONTENT[::-1])
    result = invoke("verify")
    assert result.exit_code == 1 and "1 weights file(s) are not what they are pinned to" in result.output


def test_verify_takes_names_and_wants_them_here(file: File) -> None:
    result = invoke("verify", "toy")
    assert result.exit_code == 1 and "1 weights file(s) of these are not here" in result.output
    invoke("add", str(file(PIN.file, CONTENT)))
    assert invoke("verify", "toy", PIN.file).exit_code == 0
    unknown = invoke("verify", "nope").output
    assert "`faceedit-bench weights list` shows the known ones" in unknown and PIN.file not in unknown
    assert "did you mean 'toy.safetensors'?" in invoke("verify", "toy.safe").output


def test_lists_fit_the_terminal_and_keep_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (weights, fetching):
        monkeypatch.setattr(module, "catalog", catalog)
    everything = [one.pin for one in fetching.wanted()]
    for command in ("list", "verify"):
        told = invoke(command).output
        lines = told.replace(str(folders.weights()), "").splitlines()  # a path stays whole, however long
        assert max(map(len, lines)) <= 80
        together = "".join(told.split())
        words = [pin.file for pin in everything] + [pin.licence for pin in everything if command == "list"]
        assert all("".join(word.split()) in together for word in words)


def test_verify_tells_a_fault_whole_in_short_lines() -> None:
    folders.weights().mkdir(parents=True)
    (folders.weights() / PIN.file).write_bytes(b"x")
    told = invoke("verify").output
    fault = f"{folders.weights() / PIN.file}: wanted {len(CONTENT)} bytes, found 1; get it from: a command"
    assert fault in " ".join(told.split())
    assert all(len(line) <= 80 or str(folders.weights()) in line for line in told.splitlines())


def test_verify_says_missing_without_failing() -> None:
    result = invoke("verify")
    assert result.exit_code == 0 and "missing" in result.output
