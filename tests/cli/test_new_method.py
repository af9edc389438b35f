"""new-method: what it writes installs, is listed, runs and passes its own test; and it never half-writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from faceedit_bench.cli import cli, new_method
from faceedit_bench.cli.new_method import write_plugin


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, ["new-method", *words])


def python(*words: str, cwd: Path, path: Path | None = None) -> str:
    """Run a fresh interpreter, with `path` as a place of installed distributions; its stdout."""
    variables = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    done = subprocess.run([sys.executable, *words], cwd=cwd, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_plugin_installs_is_listed_edits_and_passes_its_own_test(tmp_path: Path) -> None:
    """Installed by pip into a folder of its own, as a third party's distribution."""
    pytest.importorskip("setuptools")
    assert invoke("warm-glow", "--out", str(tmp_path / "plugin")).exit_code == 0
    place = tmp_path / "installed"
    quiet = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    python("-m", "pip", "install", *quiet, "--target", str(place), str(tmp_path / "plugin"), cwd=tmp_path)

    listed = json.loads(python("-m", "faceedit_bench", "methods", "--json", cwd=tmp_path, path=place))
    assert listed["broken"] == {}
    (mine,) = [method for method in listed["methods"] if method["name"] == "warm-glow"]
    assert mine["distribution"] == "faceedit-warm-glow 0.1.0"

    python(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(tmp_path / "plugin"),
        cwd=tmp_path / "plugin",
        path=place,
    )


def test_the_files_are_few_and_speak_of_the_method_only(tmp_path: Path) -> None:
    write_plugin("warm-glow", tmp_path / "plugin")
    written = sorted(
        path.relative_to(tmp_path / "plugin").as_posix() for path in (tmp_path / "plugin").rglob("*.*")
    )
    assert written == ["README.md", "pyproject.toml", "tests/test_warm_glow.py", "warm_glow.py"]
    for name in written:
        text = (tmp_path / "plugin" / name).read_text()
        assert "my-method" not in text and "my_method" not in text and "MyMethod" not in text
    assert "class WarmGlow" in (tmp_path / "plugin" / "warm_glow.py").read_text()


def test_an_existing_folder_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "mine.txt").write_text("keep")
    result = invoke("warm-glow", "--out", str(tmp_path / "plugin"))
    assert result.exit_code == 1 and "exists already" in result.output
    assert [path.name for path in (tmp_path / "plugin").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["My-Method", "2fast", "a_b", "a--b", "-a", "a b", "../up", "é", ""])
def test_a_name_that_cannot_be_a_method_is_refused(tmp_path: Path, name: str) -> None:
    result = invoke("--out", str(tmp_path / "plugin"), "--", name)
    assert result.exit_code == 1 and "cannot name a method" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["class", "json", "torch"])
def test_a_name_that_hides_a_module_of_python_is_refused(tmp_path: Path, name: str) -> None:
    result = invoke(name, "--out", str(tmp_path / "plugin"))
    assert result.exit_code == 1 and f"{name}-edit" in result.output


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    result = invoke("copy", "--out", str(tmp_path / "plugin"))
    assert result.exit_code == 1 and ("already offered" in result.output or "hide" in result.output)


def test_nothing_is_left_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(text: str, name: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_method, "_renamed", full)
    result = invoke("warm-glow", "--out", str(tmp_path / "plugin"))
    assert result.exit_code == 1 and "No space left on device" in result.output
    assert list(tmp_path.iterdir()) == []
