"""doctor: says what is broken and how to mend it, and exits with 1 then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from faceedit_bench import fetching
from faceedit_bench.catalog import Catalog
from faceedit_bench.cli import cli, doctor
from faceedit_bench.contracts import Pin
from faceedit_bench.weights import Wanted


def invoke(*words: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *words])


def test_this_installation_is_well() -> None:
    result = invoke("--json")
    findings = json.loads(result.stdout)
    assert [one for one in findings if one["state"] == "BROKEN"] == []
    assert result.exit_code == 0
    assert {"python", "packages", "torch", "plugins", "weights", "results", "cache"} <= {
        one["what"] for one in findings
    }


def test_a_broken_plugin_is_named_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "catalog", lambda: Catalog(broken={"mine": "ImportError: no mine"}))
    result = invoke()
    assert result.exit_code == 1
    assert "plugin mine" in result.output and "BROKEN" in result.output
    assert "uninstall" in result.output


def test_a_broken_plugin_of_another_distribution_can_be_uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Owned:
        name, value = "mine", "my_module"
        dist = type("Dist", (), {"name": "their-package"})

    monkeypatch.setattr(doctor, "entry_points", lambda group: [Owned()])
    assert doctor._plugin_remedy("mine") == "mend my_module, or `pip uninstall their-package`"


def test_a_results_folder_that_cannot_be_written_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FACEEDIT_RESULTS", str(tmp_path / "file"))
    result = invoke("--json")
    (finding,) = [one for one in json.loads(result.stdout) if one["what"] == "results"]
    assert result.exit_code == 1
    assert finding["state"] == "BROKEN" and "FACEEDIT_RESULTS" in finding["remedy"]


def test_little_room_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW", 2**80)
    assert [finding.state for finding in doctor.places()] == [doctor.NOTE, doctor.NOTE]


def test_damaged_weights_are_broken_and_missing_ones_are_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.safetensors").write_bytes(b"x")
    odd, gone = (
        Pin(name, "0" * 64, 1, "a command", "MIT") for name in ("odd.safetensors", "gone.safetensors")
    )
    files = [Wanted("method toy demo", odd, tmp_path / "odd.safetensors"), Wanted("judge toy", gone, None)]
    monkeypatch.setattr(fetching, "wanted", lambda: files)
    broken, whole = doctor.weights()
    assert broken.state == doctor.BROKEN and "wanted sha256 0000" in broken.found
    assert whole.state == doctor.NOTE and whole.found == "0 of 2 files verified, 1 not here"


def test_a_plugin_folder_without_entry_point_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plugins" / "fresh").mkdir(parents=True)
    (tmp_path / "plugins" / "fresh" / "__init__.py").write_text("@hookimpl\ndef faceedit_methods(): ...")
    (tmp_path / "plugins" / "parts").mkdir()
    (tmp_path / "plugins" / "parts" / "__init__.py").write_text('"""Shared by others, offers nothing."""')
    (tmp_path / "pyproject.toml").write_text('[project.entry-points."faceedit_bench.plugins"]\nold = "old"\n')
    monkeypatch.setattr(doctor, "CHECKOUT", tmp_path)
    fresh, old = doctor.checkout()
    assert fresh.what == "plugins/fresh" and "pip install -e ." in fresh.remedy
    assert old.what == "plugin old" and old.state == doctor.BROKEN


def test_a_missing_package_comes_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "REQUIRED", ("click", "no-such-package-here"))
    (finding,) = doctor.packages()
    assert finding.state == doctor.BROKEN and finding.remedy == "pip install no-such-package-here"
