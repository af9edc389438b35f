"""methods, metrics, suites, judges: complete, readable in 80 columns, and JSON where a program reads."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from faceedit_bench import suite as suites
from faceedit_bench.catalog import Catalog, catalog
from faceedit_bench.cli import cli, methods, metrics


def invoke(*words: str) -> str:
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    "words",
    [["methods"], ["methods", "coogan"], ["metrics"], ["suites"], ["suites", "drawn-128"], ["judges"]],
    ids=" ".join,
)
def test_listings_keep_within_80_columns(words: list[str]) -> None:
    assert max(len(line) for line in invoke(*words).splitlines()) <= 80


def test_methods_lists_every_method_with_version_presets_and_origin() -> None:
    text = invoke("methods")
    for spec in catalog().methods.values():
        assert spec.name in text
    assert "default (no weights needed)" in text and "from faceedit-bench" in text


def test_methods_as_json_names_presets_options_and_weights() -> None:
    listed = {method["name"]: method for method in json.loads(invoke("methods", "--json"))["methods"]}
    assert listed.keys() == catalog().methods.keys()
    coogan = listed["coogan"]
    assert coogan["presets"][0]["name"] == catalog().method("coogan").default_preset
    assert {"name": "width", "type": "int", "default": 32} in coogan["options"]
    assert coogan["presets"][0]["options"].keys() == {option["name"] for option in coogan["options"]}


def test_a_method_shows_the_values_of_its_presets_and_the_choices_of_its_options() -> None:
    text = invoke("methods", "coogan")
    assert "32 (paper, release, macro, no-global)" in " ".join(text.split())
    assert "lstu | stu | none" in text


def test_broken_plugins_stand_at_the_end_of_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Catalog(broken={"mine": "ImportError: no module named mine"})
    for module, words in ((methods, ["methods"]), (metrics, ["metrics"])):
        monkeypatch.setattr(module, "catalog", lambda: broken)
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0
        assert "broken plugin mine: ImportError: no module named mine" in result.stderr
        assert "mine" not in result.stdout


def test_metrics_lists_every_metric_with_its_direction_and_needs() -> None:
    listed = {metric["name"]: metric for metric in json.loads(invoke("metrics", "--json"))}
    assert listed.keys() == catalog().metrics.keys()
    assert (listed["tarr"]["better"], listed["tarr"]["judges"]) == ("higher", ["attributes"])
    text = invoke("metrics")
    assert "judge of attributes" in text and all(name in text for name in listed)


def test_suites_lists_what_comes_along_and_shows_one_whole() -> None:
    listed = json.loads(invoke("suites", "--json"))
    assert [suite["name"] for suite in listed] == suites.names()
    text = invoke("suites", "drawn-128")
    assert suites.load("drawn-128").fingerprint() in text and "Mouth_Slightly_Open" in text


def test_a_suite_of_ones_own_is_shown_by_its_path(tiny: str) -> None:
    assert suites.load(tiny).fingerprint() in invoke("suites", tiny)


def test_judges_say_what_faces_they_learned_on() -> None:
    listed = json.loads(invoke("judges", "--json"))
    assert [judge["name"] for judge in listed] == sorted(catalog().judges)
    for judge in listed:
        assert judge["faces"] in ("drawn", "photographs")
        assert ("demo" in judge["name"]) == (judge["faces"] == "drawn")
