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
from faceedit_bench.catalog import Catalog
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
    assert "missing" in text and "method toy demo" in text and "comes from: a command" in text
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


def test_verify_says_missing_without_failing() -> None:
    result = invoke("verify")
    assert result.exit_code == 0 and "missing" in result.output
