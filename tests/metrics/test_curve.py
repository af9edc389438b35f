"""ID at equal response: interpolation along a curve, and its interval over faces."""

from __future__ import annotations

import numpy as np
import pytest

from faceedit_bench.metrics.curve import OVER_ALL, falls, identity_at, identity_over, score


def test_identity_is_read_between_the_strengths_where_the_response_passes_a_half() -> None:
    """Response 0.4 → 0.8 passes 0.5 a quarter of the way; ID falls there from 0.9 to 0.7, so 0.85."""
    found = identity_at(np.array([[0.0, 0.4, 0.8]]), np.array([[1.0, 0.9, 0.7]]))
    assert found == pytest.approx([0.85])


def test_the_first_passing_counts_and_a_strength_may_meet_it_exactly() -> None:
    response, identity = np.array([[0.1, 0.5, 0.3, 0.9]]), np.array([[1.0, 0.8, 0.7, 0.2]])
    assert identity_at(response, identity) == pytest.approx([0.8])
    assert identity_at(np.array([[0.6, 0.9]]), np.array([[0.9, 0.1]])) == pytest.approx([0.9])


def test_a_curve_that_never_responds_enough_has_no_value_but_a_reason() -> None:
    response, identity = np.full((20, 2), [0.0, 0.25]), np.full((20, 2), [1.0, 0.5])
    assert score(response, identity) == (None, None, "wanted a response of 0.5, found at most 0.250")


def test_faces_that_had_what_was_asked_count_for_identity_alone() -> None:
    response = np.array([[0.0, 1.0], [np.nan, np.nan]])
    identity = np.array([[1.0, 0.6], [1.0, 0.2]])  # means 1 and 0.4; response passes halfway
    assert score(response, identity)[0] == pytest.approx(0.7)


def test_a_method_that_keeps_more_at_equal_effect_scores_higher_whatever_its_scale() -> None:
    """The second method goes all the way in one step and keeps as much as the first; the third keeps less."""
    faces = 1 + 0.1 * np.random.default_rng(0).normal(size=(50, 1))
    effect = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]])
    first, _, _ = score(faces * effect, 1 - 0.4 * faces * effect)
    steep, _, _ = score(faces * effect[:, ::4], 1 - 0.4 * faces * effect[:, ::4])
    third, _, _ = score(faces * effect, 1 - 0.8 * faces * effect)
    assert steep == pytest.approx(first, abs=1e-9) and third < first - 0.15


def test_the_interval_holds_the_value_and_narrows_with_faces() -> None:
    generator = np.random.default_rng(3)
    effect = np.array([[0.0, 0.3, 0.6, 0.9]])

    def bounds(faces: int) -> tuple[float, float, float]:
        spread = 1 + 0.3 * generator.normal(size=(faces, 1))
        value, between, _ = score(spread * effect, 1 - 0.5 * effect + 0.1 * (spread - 1))
        assert value is not None and between is not None
        return between[0], value, between[1]

    few, many = bounds(40), bounds(640)
    assert few[0] < few[1] < few[2] and many[0] < many[1] < many[2]
    assert many[2] - many[0] < 0.5 * (few[2] - few[0])  # four times narrower is expected
    assert score(np.tile(effect, (5, 1)), np.tile(1 - effect, (5, 1)))[1] is None  # too few faces


def test_the_area_of_a_straight_curve_is_its_middle_and_of_two_pieces_what_trapezoids_give() -> None:
    line = np.array([[0.0, 0.5, 1.0]])
    assert identity_over(line, 1 - 0.4 * line) == pytest.approx([1 - 0.4 * 0.5])
    bent = identity_over(line, np.array([[1.0, 0.9, 0.1]]))  # 0.98–0.9 up to 0.5, then 0.9–0.26
    assert bent == pytest.approx([((0.98 + 0.9) / 2 + (0.9 + 0.26) / 2) / 2])


def test_a_curve_that_ends_before_nine_tenths_has_a_middle_and_no_area() -> None:
    response, identity = np.full((20, 2), [0.0, 0.8]), np.full((20, 2), [1.0, 0.5])
    assert score(response, identity)[0] is not None
    assert score(response, identity, reading=OVER_ALL) == (
        None,
        None,
        "wanted a response of 0.9, found at most 0.800",
    )


def test_falls_are_counted_step_by_step_and_slight_ones_are_not() -> None:
    rows = np.array([[0.0, 0.5, 0.4, 0.9], [0.0, 0.5, 0.495, 0.9], [np.nan] * 4])
    value, bounds, reason = falls(rows)
    assert (value, bounds, reason) == (pytest.approx(100 * (1 / 3 + 0) / 2), None, "")
    low_high = falls(np.tile(rows[:2], (10, 1)))[1]
    assert low_high is not None and low_high[0] < 100 / 6 < low_high[1]
    assert falls(rows[2:])[2] == "no face was asked for a change at every strength"
