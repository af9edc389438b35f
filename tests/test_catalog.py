"""A catalog of plugins: good ones are offered, broken ones stand alone with their reason."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pytest

from faceedit_bench import catalog as catalogs
from faceedit_bench.api import MethodSpec, MetricSpec, hookimpl
from faceedit_bench.catalog import GROUP, build, catalog
from faceedit_bench.cli.doctor import compare_plugins, plugin_folders
from faceedit_bench.errors import UnknownName

ROOT = Path(__file__).parents[1]
Plugin = Callable[..., EntryPoint]


def method(name: str) -> MethodSpec:
    return MethodSpec(name, "1", "does nothing", "none", (), (), load=lambda options, context: None)


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    """Makes an importable module with the given attributes, and its entry point."""
    made = []

    def make(name: str, **attributes: object) -> EntryPoint:
        module = ModuleType(f"made_for_a_test_{name}")
        vars(module).update(attributes)
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        return EntryPoint(name, module.__name__, GROUP)

    yield make
    for name in made:
        del sys.modules[name]


def offering(*specs: object) -> Callable[[], list[object]]:
    @hookimpl
    def faceedit_methods() -> list[object]:
        return list(specs)

    return faceedit_methods


def test_what_a_plugin_offers_is_found_by_name(plugin: Plugin) -> None:
    found = build([plugin("good", faceedit_methods=offering(method("one"), method("two")))])
    assert sorted(found.methods) == ["one", "two"]
    assert found.origins["method", "one"].plugin == "good"
    assert found.broken == {}


def test_a_plugin_that_cannot_be_imported_leaves_the_others_alone(plugin: Plugin) -> None:
    good = plugin("good", faceedit_methods=offering(method("one")))
    found = build([EntryPoint("gone", "no_such_module_anywhere", GROUP), good])
    assert sorted(found.methods) == ["one"]
    assert "no_such_module_anywhere" in found.broken["gone"]


@pytest.mark.parametrize("error", [RuntimeError("no disk"), SystemExit(3), AssertionError()])
def test_a_plugin_may_raise_anything(plugin: Plugin, error: BaseException) -> None:
    @hookimpl
    def faceedit_methods() -> list[object]:
        raise error

    found = build([plugin("angry", faceedit_methods=faceedit_methods)])
    assert type(error).__name__ in found.broken["angry"]


def test_asking_for_an_unknown_method_gives_the_nearest_and_repeats_what_is_broken(plugin: Plugin) -> None:
    good = plugin("good", faceedit_methods=offering(method("coogan")))
    found = build([EntryPoint("gone", "no_such_module_anywhere", GROUP), good])
    with pytest.raises(
        UnknownName, match=r"(?s)unknown method 'cogan'; did you mean 'coogan'.*'gone' is broken"
    ):
        found.method("cogan")


def test_a_misspelt_hook_is_an_error(plugin: Plugin) -> None:
    @hookimpl
    def faceedit_metods() -> list[object]:
        return []

    found = build([plugin("typo", faceedit_metods=faceedit_metods)])
    assert "faceedit_metods" in found.broken["typo"]


def test_a_name_already_taken_is_never_overwritten(plugin: Plugin) -> None:
    first, second = method("same"), method("same")
    found = build(
        [
            plugin("a", faceedit_methods=offering(first)),
            plugin("b", faceedit_methods=offering(method("new"), second)),
        ]
    )
    assert found.methods == {"same": first}  # the second plugin offers nothing, not half of it
    assert "already offered by plugin 'a'" in found.broken["b"]


def test_one_plugin_may_not_offer_a_name_twice(plugin: Plugin) -> None:
    found = build([plugin("twice", faceedit_methods=offering(method("same"), method("same")))])
    assert found.methods == {}
    assert "'same'" in found.broken["twice"]


def test_an_offer_of_the_wrong_kind_is_an_error(plugin: Plugin) -> None:
    metric = MetricSpec("m", "1", "higher", "", load=lambda: None)
    found = build(
        [plugin("mixed", faceedit_methods=offering(metric)), plugin("text", faceedit_methods=offering("x"))]
    )
    assert "wanted a MethodSpec" in found.broken["mixed"]
    assert "wanted a MethodSpec" in found.broken["text"]


def test_a_hook_that_returns_no_list_is_an_error(plugin: Plugin) -> None:
    @hookimpl
    def faceedit_methods() -> object:
        return method("bare")

    found = build([plugin("bare", faceedit_methods=faceedit_methods)])
    assert "bare" in found.broken and not found.methods


def test_a_plugin_says_where_it_comes_from() -> None:
    origin = catalog().origins["method", "copy"]
    assert (origin.plugin, origin.distribution) == ("copy", "faceedit-bench")


def test_everything_installed_here_works() -> None:
    assert catalog().broken == {}


def test_names_in_the_catalog_are_those_of_the_specs() -> None:
    found = catalog()
    for offered in (found.methods, found.metrics, found.judges, found.datasets):
        assert all(name == spec.name for name, spec in offered.items())


def test_every_folder_of_plugins_is_an_installed_entry_point() -> None:
    """They are read from installed metadata: after a change of pyproject.toml run pip install -e . again."""
    installed = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    present = plugin_folders(ROOT / "plugins")
    assert "copy" in present
    assert compare_plugins(present, installed, installed) == ([], [])


def test_a_folder_without_entry_point_and_a_stale_entry_point_are_told_apart() -> None:
    declared = {"old": "faceedit_plugins.old", "new": "faceedit_plugins.new"}
    silent, stale = compare_plugins(["new", "forgotten"], declared, {"old": "faceedit_plugins.old"})
    assert (silent, stale) == (["forgotten"], ["new"])


def test_the_catalog_is_built_once() -> None:
    assert catalog() is catalogs.catalog()
