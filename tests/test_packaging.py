"""What an installation from a wheel contains. An editable one hides files that were forgotten."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "faceedit_bench": "faceedit_bench",
    "plugins": "faceedit_plugins",
}  # folder -> where it is installed
LEFT_OUT = {"__pycache__", ".pytest_cache"}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not LEFT_OUT & set(path.parts)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from a copy of the sources."""
    pytest.importorskip("setuptools")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, copy)
    for folder in PACKAGES:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (copy / "plugins" / "brand_new").mkdir()
    (copy / "plugins" / "brand_new" / "__init__.py").write_text('"""A folder that nobody listed anywhere."""')
    words = [
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(copy / "out"),
        ".",
    ]
    done = subprocess.run([sys.executable, "-m", "pip", *words], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = (copy / "out").glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_every_file_of_the_packages_is_installed(wheel: set[str]) -> None:
    wanted = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in PACKAGES.items()
        for path in files(ROOT / folder)
    }
    assert wanted - wheel == set()


def test_a_new_plugin_folder_is_included_by_itself(wheel: set[str]) -> None:
    assert "faceedit_plugins/brand_new/__init__.py" in wheel


def test_tests_and_leaderboards_stay_at_home(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel if ".dist-info" not in name} == set(PACKAGES.values())
