"""Imports point one way, light modules stay light, plugins see one door (design, section 1)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "faceedit_bench"

ROWS = (
    {"errors", "conflicts", "contracts", "hookspecs", "renaming", "api"},  # 1 language
    {"config", "folders", "locking", "progress", "spawning", "suite", "manifest", "catalog"},  # 2 knowledge
    {  # 3 parts
        "data",
        "device",
        "downloading",
        "foreign",
        "halving",
        "judges",
        "markup",
        "metrics",
        "observe",
        "promise",
        "restoring",
        "sheet",
        "weights",
    },
    {  # 4 engines, the core's own plugin
        "asking",
        "builtin",
        "cost",
        "evaluate",
        "executors",
        "statistics",
        "train",
    },
    {  # 5 use cases
        "board",
        "bundles",
        "compare",
        "edit",
        "experiments",
        "fetching",
        "gallery",
        "importing",
        "plan",
        "published",
        "report",
        "rescore",
        "runs",
        "score",
        "scoring",
        "store",
    },
    {"cli", "__init__", "__main__"},  # 6 surface
)
SIBLINGS = {  # written exceptions to "siblings do not import each other"; row 1 is free among itself
    ("suite", "config"),
    ("weights", "judges"),
    ("weights", "restoring"),
    ("restoring", "foreign"),
    ("board", "published"),  # shown beside what was measured
    ("board", "store"),
    ("bundles", "board"),
    ("bundles", "compare"),
    ("bundles", "report"),
    ("bundles", "runs"),
    ("bundles", "score"),
    ("bundles", "scoring"),
    ("bundles", "store"),
    ("compare", "store"),
    ("compare", "scoring"),
    ("experiments", "store"),
    ("plan", "compare"),
    ("plan", "scoring"),
    ("plan", "store"),
    ("report", "store"),
    ("rescore", "compare"),
    ("rescore", "runs"),
    ("rescore", "scoring"),
    ("rescore", "store"),
    ("runs", "store"),
    ("runs", "gallery"),
    ("runs", "scoring"),
    ("gallery", "store"),
    ("cost", "evaluate"),  # the numerics of a run
    ("score", "runs"),
    ("score", "store"),
    ("scoring", "store"),
    ("__main__", "cli"),
}
HEAVY = {"numpy", "pandas", "PIL", "pydantic", "rich", "safetensors", "timm", "torch", "torchvision"}
LIGHT_ROWS = (1, 2, 6)


def row(module: str) -> int:
    return next((number for number, names in enumerate(ROWS, start=1) if module in names), 0)


def sources() -> list[Path]:
    return [path for path in sorted(CORE.rglob("*.py")) if "templates" not in path.parts]


def owner(path: Path) -> str:
    """`faceedit_bench/data/images.py` -> `data`."""
    first = path.relative_to(CORE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path, root: Path, package: str) -> Iterator[str]:
    """Absolute names of everything a file imports, wherever in the file."""
    place = [package, *path.relative_to(root).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = place[: len(place) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def owners_imported(path: Path) -> set[str]:
    """Which of the core's top modules a file imports; `from . import __version__` is nobody."""
    names = (name.split(".") for name in imports(path, CORE, "faceedit_bench"))
    return {parts[1] for parts in names if parts[0] == "faceedit_bench" and len(parts) > 1} - {"__version__"}


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements run at import: also those inside `if` and `try`, but not under TYPE_CHECKING."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from top_level(node.body)
        if isinstance(node, ast.Try):
            yield from top_level(node.body)


def test_every_module_has_a_row() -> None:
    assert {owner(path) for path in sources()} <= set.union(*ROWS)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(CORE).as_posix())
def test_a_module_imports_only_from_rows_below(path: Path) -> None:
    importer = owner(path)
    for imported in owners_imported(path):
        allowed = row(imported) < row(importer) or imported == importer or (importer, imported) in SIBLINGS
        assert allowed or row(imported) == row(importer) == 1, f"{importer} must not import {imported}"


@pytest.mark.parametrize("path", [path for path in sources() if row(owner(path)) in LIGHT_ROWS], ids=str)
def test_light_modules_import_heavy_ones_only_inside_functions(path: Path) -> None:
    found = set()
    for node in top_level(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    assert not found & HEAVY


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda path: path.parent.name)
def test_plugins_import_the_core_through_its_doors(path: Path) -> None:
    doors = tuple(f"faceedit_bench.{name}." for name in ("api", "train", "metrics.states", "cost"))
    core = [
        name
        for name in imports(path, ROOT / "plugins", "faceedit_plugins")
        if name.startswith("faceedit_bench")
    ]
    assert [name for name in core if not name.startswith(doors)] == []


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_command_line_and_the_catalog_load_nothing_heavy() -> None:
    code = """
import pkgutil, importlib, faceedit_bench, faceedit_bench.cli as cli
from faceedit_bench.catalog import catalog
for target, _ in cli.COMMANDS.values():
    importlib.import_module(f"faceedit_bench.cli.{target.partition(':')[0]}")
assert catalog().methods
"""
    assert not loaded_after(code) & HEAVY


def test_use_cases_load_torch_only_when_they_are_called() -> None:
    modules = ("board", "edit", "published", "runs", "store.records")
    imported = ", ".join(f"faceedit_bench.{name}" for name in modules)
    assert not loaded_after(f"import {imported}") & {"pandas", "timm", "torch", "torchvision"}


def test_help_loads_no_plugin() -> None:
    loaded = loaded_after("from faceedit_bench.cli import cli\ncli(['--help'], standalone_mode=False)")
    assert not loaded & (HEAVY | {"faceedit_plugins", "pluggy"})
