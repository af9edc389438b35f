"""Suites: the fixed shard grid, the conflict rules, and a fingerprint of everything."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

from faceedit_bench import suite as suites
from faceedit_bench.api import THIRTEEN
from faceedit_bench.catalog import catalog
from faceedit_bench.contracts import SECOND
from faceedit_bench.errors import BadConfig, UnknownName
from faceedit_bench.suite import CONFLICTS, Edit, Suite, target_labels


def small(**changes: object) -> Suite:
    suite = Suite(
        name="small",
        version="1",
        summary="",
        dataset="drawn-faces",
        split="test",
        resolution=32,
        attributes=("Bald", "Bangs"),
        edits=(Edit("same"), Edit("Bald", ("Bald",))),
        metrics=("psnr",),
        shard_size=4,
    )
    return dataclasses.replace(suite, **changes)


def test_shards_cover_every_sample_of_every_edit_once_and_in_order() -> None:
    shards = small().shards(10)
    assert [shard.number for shard in shards] == list(range(6))
    seen = [(shard.edit, position) for shard in shards for position in range(shard.start, shard.stop)]
    assert seen == list(itertools.product(range(2), range(10)))
    assert max(shard.stop - shard.start for shard in shards) == 4


@pytest.mark.parametrize("name", suites.names())
def test_every_suite_that_comes_along_can_be_used(name: str) -> None:
    suite = suites.load(name)
    assert suite.name == name
    dataset = catalog().dataset(suite.dataset)
    assert suite.split in dataset.splits
    for metric in suite.metrics:
        assert set(catalog().metric(metric).judges) <= set(suite.judges)
    for role, judge in suite.judges.items():
        assert catalog().judge(judge).role == role.removesuffix(SECOND)


@pytest.mark.parametrize("name", ["drawn-128", "drawn-256"])
def test_the_drawn_suites_are_thirteen_single_flips_and_the_reconstruction(name: str) -> None:
    suite = suites.load(name)
    assert (suite.count, len(suite.edits)) == (200, 14)
    assert [edit.flips for edit in suite.edits if not edit.is_reconstruction] == [
        (name,) for name in THIRTEEN
    ]


def test_the_fingerprint_changes_with_everything_in_the_suite() -> None:
    suite = small()
    others = [
        small(seed=1), small(batch_size=21), small(metrics=("ssim",)), small(judges={"a": "b"}),
        small(edits=(Edit("same"),)), small(conflicts="drawn"), small(threads=2), small(summary="x"),
    ]  # fmt: skip
    assert len({suite.fingerprint(), *(other.fingerprint() for other in others)}) == len(others) + 1
    assert suite.fingerprint() == small().fingerprint()


def test_a_limited_suite_is_another_suite() -> None:
    suite = small(count=100)
    few = suites.limited(suite, 3)
    assert (few.count, few.name) == (3, "small-first-3")
    assert few.fingerprint() != suite.fingerprint()
    assert suites.limited(suite, None) is suite
    with pytest.raises(BadConfig, match="at least 1"):
        suites.limited(suite, 0)


def test_an_unknown_suite_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="did you mean 'drawn-128'"):
        suites.load("drawn-129")


def test_an_edit_of_an_attribute_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown attribute in edit 'x' 'Bnags'; did you mean 'Bangs'"):
        small(edits=(Edit("x", ("Bnags",)),))


def test_an_unknown_conflict_rule_is_refused() -> None:
    with pytest.raises(UnknownName, match="conflict rule 'stagn'; did you mean 'stgan'"):
        small(conflicts="stagn")


@pytest.mark.parametrize("key", ["shard_size", "batch_size", "threads", "resolution"])
def test_sizes_are_at_least_one(key: str) -> None:
    with pytest.raises(BadConfig, match=key):
        small(**{key: 0})


def test_unknown_keys_of_a_suite_and_of_its_edits_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (suites.builtin_folder() / "drawn-128.toml").read_text()
    path.write_text(
        text.replace("resolution =", "resolutoin =").replace('flips = ["Bald"]', 'flip = ["Bald"]')
    )
    with pytest.raises(BadConfig) as caught:
        suites.load(str(path))
    assert "did you mean 'resolution'" in str(caught.value)
    assert "flip" in str(caught.value) and str(path) in str(caught.value)


# ---- conflict rules


def target(labels: dict[str, int], flips: tuple[str, ...], rule: str) -> dict[str, int]:
    """Labels after the edit; attributes not given are 0."""
    source = [labels.get(name, 0) for name in THIRTEEN]
    values, edited = target_labels(source, flips, THIRTEEN, rule)
    assert [name for name, asked in zip(THIRTEEN, edited, strict=True) if asked] == [
        n for n in THIRTEEN if n in flips
    ]
    return {name: value for name, value in zip(THIRTEEN, values, strict=True) if value}


def test_without_a_rule_only_what_was_asked_changes() -> None:
    assert target({"Black_Hair": 1}, ("Blond_Hair",), "none") == {"Black_Hair": 1, "Blond_Hair": 1}


@pytest.mark.parametrize("rule", ["stgan", "drawn"])
def test_a_hair_colour_switched_on_clears_the_others(rule: str) -> None:
    assert target({"Black_Hair": 1}, ("Blond_Hair",), rule) == {"Blond_Hair": 1}


@pytest.mark.parametrize("rule", ["stgan", "drawn"])
def test_switching_off_clears_nothing(rule: str) -> None:
    assert target({"Black_Hair": 1, "Bangs": 1}, ("Black_Hair",), rule) == {"Bangs": 1}


def test_two_colours_asked_together_stay_together() -> None:
    assert target({}, ("Blond_Hair", "Brown_Hair"), "stgan") == {"Blond_Hair": 1, "Brown_Hair": 1}


def test_a_drawn_face_made_bald_loses_bangs_and_colour() -> None:
    assert target({"Bangs": 1, "Brown_Hair": 1, "Male": 1}, ("Bald",), "drawn") == {"Bald": 1, "Male": 1}


def test_a_rule_reaches_only_attributes_of_the_suite() -> None:
    assert target_labels([1, 0], ("Bald",), ("Bangs", "Bald"), "stgan") == ([0, 1], [False, True])


@pytest.mark.parametrize("rule", CONFLICTS)
def test_moustache_and_beard_are_not_coupled(rule: str) -> None:
    assert target({"No_Beard": 1}, ("Mustache",), rule) == {"No_Beard": 1, "Mustache": 1}


def test_the_suite_knows_itself_after_a_round_through_its_fields() -> None:
    suite = suites.load("drawn-128")
    assert Suite(**{field.name: getattr(suite, field.name) for field in dataclasses.fields(suite)}) == suite
