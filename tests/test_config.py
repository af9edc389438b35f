"""TOML files and --set are read strictly; all mistakes are told at once, with file, key and a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from faceedit_bench import config
from faceedit_bench.errors import BadConfig


@dataclass(frozen=True)
class Settings:
    width: int = 32
    rate: float = 0.5
    unit: Literal["lstu", "stu"] = "lstu"
    names: tuple[str, ...] = ()
    fast: bool = False


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_a_file_fills_the_dataclass_and_defaults_do_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path, 'width = 8\nnames = ["a", "b"]\n')
    assert config.load(Settings, path) == Settings(width=8, names=("a", "b"))


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "width = 8\nrate = 0.1\n")
    assert config.load(Settings, path, ["width=16", "unit=stu"]) == Settings(width=16, rate=0.1, unit="stu")


def test_a_base_gives_what_is_not_said() -> None:
    base = Settings(width=4, names=("x",))
    assert config.fill(Settings, {"rate": 1.5}, "options", base=base) == Settings(4, 1.5, names=("x",))


def test_whole_numbers_serve_as_floating_point_ones() -> None:
    assert config.fill(Settings, {"rate": 2}, "options").rate == 2.0


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    path = write(tmp_path, 'widht = 8\nrate = "fast"\nunit = "gru"\n')
    with pytest.raises(BadConfig) as caught:
        config.load(Settings, path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert any("unknown key 'widht'; did you mean 'width'?" in line for line in lines)
    assert any("rate" in line and "number" in line and "'fast'" in line for line in lines)
    assert any("unit" in line and "'lstu' or 'stu'" in line and "'gru'" in line for line in lines)


@pytest.mark.parametrize("value", ["'8'", "8.5", "true"])
def test_types_are_not_bent(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadConfig, match="width"):
        config.load(Settings, write(tmp_path, f"width = {value}\n"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"gone\.toml: no such file"):
        config.load(Settings, tmp_path / "gone.toml")


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"settings\.toml: not valid TOML"):
        config.load(Settings, write(tmp_path, "width 8"))


def test_values_of_the_command_line_are_read_as_toml_or_text() -> None:
    given = ["a=1", "b=1.5", "c=true", "d=word", 'e=["x"]', "f=a=b"]
    assert config.parse_overrides(given) == {"a": 1, "b": 1.5, "c": True, "d": "word", "e": ["x"], "f": "a=b"}


@pytest.mark.parametrize("text", ["width", "=3", ""])
def test_an_override_without_key_or_sign_is_refused(text: str) -> None:
    with pytest.raises(BadConfig, match="wanted key=value"):
        config.parse_overrides([text])


def test_sizes_may_be_listed_or_repeated() -> None:
    assert config.parse_sizes(["768,1024", "768", "64"], "--size") == (768, 1024, 64)
    with pytest.raises(BadConfig, match="--size '768x768': wanted pixels per side"):
        config.parse_sizes(["768x768"], "--size")
