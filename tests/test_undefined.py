"""What is undefined is told in few sentences."""

from __future__ import annotations

from faceedit_bench.store.undefined import sentences


def test_metrics_and_edits_of_which_the_same_holds_stand_together_with_a_range_of_what_was_found() -> None:
    few = [("kid.subsets", "Bald", "wanted 50, found 3"), ("kid.subsets", "all", "wanted 50, found 20")]
    alike = [(metric.replace("subsets", "subsets_std"), edit, why) for metric, edit, why in few]
    other = [("tarr", "Male", "the judge does not know"), ("tarr", "Young", "the judge does not know")]
    assert sentences([*few, *alike, *other]) == [
        "undefined kid.subsets, kid.subsets_std (Bald, all): wanted 50, found 3 to 20",
        "undefined tarr (Male, Young): the judge does not know",
    ]


def test_one_number_found_is_no_range_and_nothing_undefined_is_no_sentence() -> None:
    assert sentences([("kid", edit, "wanted 50, found 20") for edit in ("all", "Bald")]) == [
        "undefined kid (all, Bald): wanted 50, found 20"
    ]
    assert sentences([]) == []


def test_a_fraction_is_no_count() -> None:
    told = "wanted a response of 0.5, found 0.015"
    assert sentences([("id@response0.5", "Young=0", told)]) == [f"undefined id@response0.5 (Young=0): {told}"]
