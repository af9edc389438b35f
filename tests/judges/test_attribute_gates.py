"""The gates of the attributes judge of photographs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faceedit_bench.contracts import THIRTEEN
from faceedit_bench.judges import attribute_gates as gates
from faceedit_bench.judges.attribute_gates import Rendering

CROPS = (Rendering("celeba", 128), Rendering("celeba-170", 128))
LARGER = (Rendering("celeba", 256), Rendering("celeba", 768))


def told(mean: float = 95, error: float = 1, agreement: float | None = 97) -> dict[str, Any]:
    shared = {} if agreement is None else {"agreement": agreement}
    return {"accuracy_mean": mean, "calibration_error": dict.fromkeys(THIRTEEN, error), **shared}


def all_well() -> dict[Rendering, dict[str, Any]]:
    return {**{one: told() for one in CROPS}, **{one: told(94.8, agreement=None) for one in LARGER}}


def states(measured: gates.Measured, left_out: str = "3 pictures left out") -> list[str]:
    return [one.verdict for one in gates.verdicts(measured, left_out)]


def test_figures_by_hand() -> None:
    found = np.full((4, 13), 0.1)
    found[:, 0] = [0.9, 0.9, 0.2, 0.6]
    labels = np.zeros((4, 13))
    labels[:2, 0] = 1
    told = gates.measured(found, labels)
    assert told["accuracy"]["Bald"] == 75 and told["floor"]["Bald"] == 25
    assert told["accuracy_mean"] == pytest.approx(100 * (12 + 0.75) / 13, abs=0.01)
    assert (told["present_seen"]["Bald"], told["absent_seen"]["Bald"]) == (100, 50)
    wanted = (2 * 0.1 + 0.2 + 0.6) / 4  # 0.9 twice right, 0.2 and 0.6 absent
    assert told["calibration_error"]["Bald"] == pytest.approx(100 * wanted, abs=0.01)
    others = found.copy()
    others[0, :2] = [0.4, 0.7]  # 2 of 52 decisions
    assert gates.agreement(found, others) == pytest.approx(100 * 50 / 52, abs=0.01)


def test_a_judge_that_holds_everything_passes() -> None:
    assert states(all_well()) == ["passes"] * 5 and not gates.short_of(gates.verdicts(all_well(), "3"))


@pytest.mark.parametrize(
    ("rendering", "values", "failing"),
    [
        (CROPS[1], {"mean": 94.49}, [0]),
        (LARGER[1], {"mean": 94.49}, [1]),
        (LARGER[0], {"mean": 95.51}, [1]),
        (CROPS[0], {"error": 3.01}, [2]),
        (CROPS[1], {"agreement": 95.99}, [3]),
    ],
)
def test_each_gate_fails_alone(rendering: Rendering, values: dict[str, float], failing: list[int]) -> None:
    found = states({**all_well(), rendering: told(**values)})
    assert [place for place, state in enumerate(found) if state != "passes"] == failing
    assert {found[place] for place in failing} == {"fails"}


def test_what_was_not_measured_is_no_pass() -> None:
    alone = {CROPS[0]: told(agreement=None), LARGER[0]: told(agreement=None)}
    found = gates.verdicts(alone)
    assert [one.verdict for one in found] == ["not measured", "passes", "passes", *["not measured"] * 2]
    assert "give a second --data" in found[0].found and "--second FILE" in found[3].found
    assert gates.short_of(found) == "3 not measured"
    assert states({CROPS[0]: told(mean=90)})[0] == "fails"  # as one crop is enough for that
