"""Comparing runs: paired, corrected, refused with reasons; checked against loops and repeated sampling."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from made_runs import EDITS, SUITE, WIDTH, WITH_DISTANCE, a_run

from faceedit_bench.catalog import catalog
from faceedit_bench.compare import FEW, HOLM, OPEN, SAME, Comparison, Difference, compare, verdict_of
from faceedit_bench.errors import BadConfig, ResultsError, UnknownName
from faceedit_bench.statistics.paired import holm, intervals, p_value
from faceedit_bench.suite import Edit

FACES = 120
GENERATOR = np.random.default_rng(5)
HALF = GENERATOR.random((len(EDITS), FACES)) < 0.5
MORE = HALF | (GENERATOR.random((len(EDITS), FACES)) < 0.4)  # never worse in any face


def one(found: Comparison, metric: str, edit: str = "all") -> Difference:
    (only,) = [d for d in found.differences if (d.metric, d.edit) == (metric, edit)]
    return only


# ---- the statistics -------------------------------------------------------------------------------


def test_the_paired_interval_equals_a_loop_over_draws() -> None:
    generator = np.random.default_rng(3)
    faces, edits = np.tile(np.arange(30), 3), np.repeat([4, 5, 9], 30)
    first, second = generator.normal(size=(2, 90))
    second[generator.random(90) < 0.2] = np.nan
    expected = []
    for drawn in np.random.default_rng(11).integers(0, 30, size=(50, 30)):
        means = [
            np.mean(
                [
                    np.nanmean(np.concatenate([v[(faces == f) & (edits == e)] for f in drawn]))
                    for e in (4, 5, 9)
                ]
            )
            for v in (first, second)
        ]
        expected.append(means[1] - means[0])
    found = intervals(first[:, None], second[:, None], faces, edits, replicates=50, seed=11)[0]
    assert found is not None
    assert found.bounds == pytest.approx(tuple(np.quantile(expected, [0.025, 0.975])), abs=1e-12)


def test_pairing_takes_out_what_a_hard_face_costs_both() -> None:
    generator = np.random.default_rng(0)
    hard = generator.normal(0, 10, size=400)
    second = hard + generator.normal(0.3, 1, size=400)
    edits = np.zeros(400)
    (found,) = intervals(hard[:, None], second[:, None], np.arange(400), edits)
    assert found is not None
    error = (second - hard).std() / 20
    middle = (second - hard).mean()
    assert found.bounds == pytest.approx((middle - 1.96 * error, middle + 1.96 * error), abs=0.15 * error)


def test_under_no_difference_the_p_value_is_small_as_rarely_as_it_says() -> None:
    generator = np.random.default_rng(8)
    small = 0
    for _ in range(300):
        first, second = generator.normal(size=(2, 60, 1))
        (found,) = intervals(first, second, np.arange(60), np.zeros(60), replicates=400)
        small += found is not None and found.p < 0.05
    # of 300 with probability 0.05: 15, standard deviation 3.8; a percentile bootstrap of 60 is a little eager
    assert 4 <= small <= 30


def test_the_p_value_is_below_five_percent_where_the_interval_leaves_zero_out() -> None:
    draws = np.linspace(-1, 39, 2001)  # 2.5 % of them below 0
    assert p_value(draws + 0.5) < 0.05 < p_value(draws - 0.5)
    assert p_value(np.zeros(100)) == 1.0
    assert p_value(np.ones(1999)) == pytest.approx(2 / 2000)


def test_holm_equals_a_worked_case() -> None:
    # 4·0.005, 3·0.01, 2·0.03, 1·0.04 raised to 0.06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


# ---- runs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    root = tmp_path_factory.mktemp("runs")
    return compare(a_run(root, "half", hit=HALF), a_run(root, "more", hit=MORE))


def test_a_method_that_is_never_worse_is_better_over_all_and_in_every_edit(found: Comparison) -> None:
    whole = one(found, "tarr")
    assert (whole.first, whole.second) == pytest.approx((100 * HALF.mean(), 100 * MORE.mean()))
    assert whole.value == pytest.approx(100 * (MORE.mean() - HALF.mean()))
    assert whole.low is not None and 0 < whole.low < whole.value
    assert whole.verdict == "B better" and whole.p_holm is None
    for edit in EDITS:
        each = one(found, "tarr", edit)
        assert each.verdict == "B better"
        assert each.p is not None and each.p_holm is not None and each.p <= each.p_holm < 0.05


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("preservation", "A better"),
        ("preservation.psnr", "B better"),  # decibels grow where changes shrink
        ("preservation.area", "different"),  # neither way is better
    ],
)
def test_numbers_beside_a_metric_have_a_way_of_their_own(number: str, verdict: str) -> None:
    higher_in_b = Difference(number, "all", 1.0, 2.0, 1.0, 0.9, 1.1, kind="", p=0.001)
    assert verdict_of(catalog().metric("preservation"), higher_in_b) == verdict


def test_exchanging_the_runs_turns_every_sign(tmp_path: Path) -> None:
    runs = a_run(tmp_path, "half", hit=HALF), a_run(tmp_path, "more", hit=MORE)
    there, back = one(compare(*runs), "tarr"), one(compare(*runs[::-1]), "tarr")
    assert back.value == -there.value and there.low is not None and there.high is not None
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.verdict == "A better"


def test_equal_rows_are_called_equal_and_reconstructions_are_not_corrected(found: Comparison) -> None:
    assert one(found, "id").verdict == SAME
    assert one(found, "psnr", "reconstruction").verdict == SAME
    assert one(found, "id", "reconstruction").p_holm is None
    assert "psnr.n_identical" not in {d.metric for d in found.differences}


def test_what_is_significant_alone_may_not_be_among_many_edits(tmp_path: Path) -> None:
    hit = HALF.copy()
    for edit, gains in enumerate((8, 2, 1, 0)):  # 8 faces gained: p about 0.01, times 4 edits about 0.03
        hit[edit, np.flatnonzero(~hit[edit])[:gains]] = True
        lost = np.flatnonzero(HALF[edit])[: gains // 2]
        hit[edit, lost] = False
    found = compare(a_run(tmp_path, "a", hit=HALF), a_run(tmp_path, "b", hit=hit))
    first, last = one(found, "tarr", EDITS[0]), one(found, "tarr", EDITS[3])
    assert first.p is not None and first.p_holm is not None and first.p_holm >= min(1.0, 3 * first.p)
    assert last.verdict == SAME and {d.verdict for d in found.differences} <= {SAME, OPEN, HOLM, "B better"}


def test_a_distance_of_distributions_has_a_spread_and_no_p_value(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    near, far = (generator.normal(shift, 1, size=(len(EDITS), FACES, WIDTH)) for shift in (0.1, 2.0))
    runs = [
        a_run(tmp_path, name, hit=HALF, edited=edited, suite=WITH_DISTANCE)
        for name, edited in (("near", near), ("far", far))
    ]
    whole = one(compare(*runs, metrics=("ssfid",)), "ssfid")
    assert whole.p is None and whole.kind.startswith("spread")
    assert whole.low is not None and whole.high is not None and whole.value is not None
    assert 0 < whole.low < whole.value < whole.high
    assert whole.verdict == "(A better)"


def test_nine_faces_give_differences_without_intervals(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, name, hit=hit[:, :9]) for name, hit in (("a", HALF), ("b", MORE))]
    whole = one(compare(*runs), "tarr")
    assert whole.value is not None and whole.low is None and whole.verdict == FEW


def test_faces_that_one_run_left_out_are_left_out_of_both(tmp_path: Path) -> None:
    first = a_run(tmp_path, "a", hit=HALF, unusable={3: "no face"})
    second = a_run(tmp_path, "b", hit=MORE, unusable={3: "no face", 60: "two faces"})
    found = compare(first, second)
    kept = np.delete(np.arange(FACES), [3, 60])
    assert (found.faces, found.of) == (FACES - 2, FACES)
    assert one(found, "tarr").first == pytest.approx(100 * HALF[:, kept].mean())
    assert "A left out 1, B 2" in found.notes[0]


def test_other_numerics_are_noted_and_not_refused(tmp_path: Path) -> None:
    first = a_run(tmp_path, "a", hit=HALF)
    second = a_run(tmp_path, "b", hit=MORE, numerics={"dtype": "float32", "threads": 1, "torch": "2.10.0"})
    assert "torch 2.15.0 and 2.10.0" in compare(first, second).notes[0]


def test_methods_are_compared_where_their_response_is_equal(tmp_path: Path) -> None:
    steps = (0.25, 0.5, 1.0)
    suite = dataclasses.replace(
        SUITE, edits=tuple(Edit(f"Male-{s}", ("Male",), s) for s in steps), metrics=("id", "response")
    )
    generator = np.random.default_rng(9)
    noise = generator.normal(0, 0.02, size=(3, FACES))
    timid, bold = (np.array(means)[:, None] + noise for means in ((0.2, 0.4, 0.8), (0.5, 0.9, 1.0)))
    lost = {"timid": np.array([0.9, 0.8, 0.6]), "bold": np.array([0.6, 0.5, 0.4])}
    runs = [
        a_run(
            tmp_path, name, hit=HALF[:3], response=response, suite=suite, cosine=lost[name][:, None] + noise
        )
        for name, response in (("timid", timid), ("bold", bold))
    ]
    found = one(compare(*runs), "id@response0.5", "Male reversed")
    # timid reaches 0.5 a quarter of the way from 0.4 to 0.8: 0.75; bold at its first strength: about 0.6
    assert found.first == pytest.approx(0.75, abs=0.01) and found.second == pytest.approx(0.6, abs=0.01)
    assert found.verdict == "A better" and found.p_holm is not None
    assert one(compare(runs[1], runs[0]), "id@response0.5", "Male reversed").verdict == "B better"


# ---- refused --------------------------------------------------------------------------------------


def test_an_incomplete_run_is_refused_with_how_to_finish_it(tmp_path: Path) -> None:
    runs = a_run(tmp_path, "a", hit=HALF), a_run(tmp_path, "b", hit=MORE, complete=False)
    with pytest.raises(ResultsError, match="not complete; give the same run command again"):
        compare(*runs)


def test_a_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    run = a_run(tmp_path, "a", hit=HALF)
    with pytest.raises(BadConfig, match="wanted two different runs"):
        compare(run, run)


def test_all_reasons_against_a_comparison_are_told_at_once_with_their_remedies(tmp_path: Path) -> None:
    other = dataclasses.replace(SUITE, name="other", edits=SUITE.edits[1:])
    judges = {"identity": {"name": "identity-demo", "version": "1", "sha256": "ef" * 32}}
    first = a_run(tmp_path, "a", hit=HALF)
    second = a_run(tmp_path, "b", hit=MORE[1:, :50], suite=other, judges=judges)
    with pytest.raises(ResultsError) as told:
        compare(first, second)
    text = str(told.value)
    for words in (
        "suite (other name, edits): made ",
        "run b again with --suite made, or run a again with --suite other",
        "pictures, count: 120 against 50",
        "--limit",
        "judge of identity: identity-demo 1, sha256 abababab",
        "judge of attributes: attributes-demo 1, sha256 abababababababab against none",
    ):
        assert words in text


def test_an_older_version_of_a_metric_is_refused(tmp_path: Path) -> None:
    older = {"tarr": "0", "id": "1", "psnr": "1"}
    with pytest.raises(ResultsError, match="version of metric tarr: 1 against 0\n    run b again"):
        compare(a_run(tmp_path, "a", hit=HALF), a_run(tmp_path, "b", hit=MORE, metrics=older))


def test_an_unknown_metric_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'tarr'"):
        compare(a_run(tmp_path, "a", hit=HALF), a_run(tmp_path, "b", hit=MORE), metrics=("tar",))
