"""CooGAN's table 5: the formulas and our modules give the integers that were derived and counted by hand.

Nothing here says that our modules equal the printed table: they do not, and the reproduction says so.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from faceedit_plugins.lstunet.table5 import (
    BILLION,
    MILLION,
    PRINTED,
    SIZES,
    cut,
    formula_flops,
    formula_parameters,
    network,
    parameters,
    reproduce,
    table_units,
    unit_flops,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("unit", "channel", "wanted_parameters", "wanted_flops"),
    [
        ("stu", 16, 1_630_352, 5_061_937_664),
        ("stu", 32, 6_403_360, 19_999_888_384),
        ("stu", 64, 25_377_344, 79_503_828_992),
        ("lstu", 16, 815_424, 2_029_658_624),
        ("lstu", 32, 3_202_176, 7_857_783_808),
        ("lstu", 64, 12_689_664, 30_909_433_856),
    ],
)
def test_the_formulas_give_these_integers_and_modules_the_same_parameters(
    unit, channel, wanted_parameters, wanted_flops
):
    assert formula_parameters(unit, channel) == wanted_parameters
    assert formula_flops(unit, channel) == wanted_flops
    assert parameters(table_units(unit, channel)) == wanted_parameters


@pytest.mark.parametrize(
    ("unit", "channel", "wanted_parameters", "wanted_gflops"),
    [
        ("stu", 16, 1_922_240, (0.533, 2.131, 4.796)),
        ("stu", 32, 7_587_200, (2.106, 8.424, 18.953)),
        ("stu", 64, 30_145_280, (8.373, 33.490, 75.354)),
        ("lstu", 16, 1_160_640, (0.239, 0.957, 2.153)),
        ("lstu", 32, 4_540_800, (0.932, 3.726, 8.384)),
        ("lstu", 64, 17_959_680, (3.675, 14.700, 33.075)),
    ],
)
def test_the_units_as_implemented_cost_this(unit, channel, wanted_parameters, wanted_gflops):
    real = network(unit, channel)
    assert parameters(real.units) == wanted_parameters
    assert tuple(round(unit_flops(real, size) / BILLION, 3) for size in SIZES) == wanted_gflops


def test_all_printed_entries_but_one_are_the_formulas_cut_to_two_decimals():
    apart = {
        (unit, channel, printed, ours)
        for (unit, channel), entries in PRINTED.items()
        for printed, ours in zip(
            entries,
            (cut(formula_parameters(unit, channel), MILLION), cut(formula_flops(unit, channel), BILLION)),
            strict=True,
        )
        if printed != ours
    }
    assert apart == {("lstu", 64, "30.80", "30.90")}


def test_the_published_file_says_the_same_printed_values():
    numbers = tomllib.loads((ROOT / "leaderboards" / "published" / "lstunet.toml").read_text("utf-8"))
    columns = {"unit_params_M": 0, "unit_gflops": 1}
    units = {"stgan": "stu", "lstunet": "lstu"}
    checked = 0
    for table in numbers["tables"]:
        if table["metric"] in columns:
            for channel, value in table["values"].items():
                assert float(PRINTED[units[table["method"]], int(channel)][columns[table["metric"]]]) == value
                checked += 1
    assert checked == 12


def test_the_reproduction_shows_the_three_blocks_and_tells_where_they_part():
    shown = reproduce()
    rows = {(row[0], row[1]): row for row in shown.rows}
    assert rows["LSTU 64", "params"] == (
        *(
            "LSTU 64",
            "params",
            "12.68 M",
            "12,689,664",
            "12.68 M",
            "12,689,664",
            "17,959,680",
            "same",
            "same",
        ),
    )
    assert rows["LSTU 64", "FLOPs"] == (
        *(
            "LSTU 64",
            "FLOPs",
            "30.80 G",
            "30,909,433,856",
            "≠ 30.90 G",
            "–",
            "3.675 G",
            "14.700 G",
            "33.075 G",
        ),
    )
    assert all(len(row) == len(shown.columns) for row in shown.rows)
    told = " ".join(shown.notes)
    for fact in (
        "11 of 12 printed entries agree; LSTU 64 FLOPs is printed 30.80, not 30.90, probably a misprint",
        "256, 256, 128, 32, 4 pixels, which is no pyramid",
        "50.0, 50.0, 50.0 % of STU's parameters, 59.9, 60.7, 61.1 % fewer FLOPs",
        "at 64 channels LSTU has 59.6 % of STU's parameters and 43.9 % of its FLOPs",
    ):
        assert fact in told
