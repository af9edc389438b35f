"""CooGAN's table 3 and the claims of its paper about memory, on our networks, without running them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from faceedit_plugins.coogan.table3 import PRINTED, SIZE, TITLES, claims, counted, overhead, reproduce

from faceedit_bench.cost import predict, subject

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found():
    return {name: counted(name) for name in TITLES}


def test_weights_and_operations_are_those_of_the_build_sheet(found):
    assert found["coogan:paper"].flops == 106_401_103_872
    assert found["stgan:hr"].flops == 394_180_558_848
    weights = {name: round(one.weights / 2**20) for name, one in found.items()}
    assert weights == {
        "attgan:hr": 401,
        "stgan:hr": 966,
        "coogan:paper": 121,
        "lstunet:hr": 721,
        "stargan:paper": 32,
    }


def test_coogan_needs_at_most_a_fifth_of_stgan_and_three_tenths_of_attgan(found):
    coogan, attgan, stgan = (found[name].total for name in ("coogan:paper", "attgan:hr", "stgan:hr"))
    assert coogan < attgan < stgan
    assert coogan <= 0.20 * stgan
    assert coogan <= 0.30 * attgan


def test_its_peak_at_4096_is_that_at_768(found):
    larger = predict(subject("coogan:paper"), 4096)
    assert larger["peak_activation_bytes"] == pytest.approx(found["coogan:paper"].activations, rel=0.01)
    pictures = larger["peak_host_bytes"] / (3 * 4 * 4096**2)
    assert pictures < 3.1  # given, guide, result
    assert larger["flops"] == 10_594_811_904 + 2_661_285_888 * (4096 // 128) ** 2


def test_every_claim_holds(found):
    grown = [counted("coogan:paper", size) for size in (1024, 1536)]
    assert [claim for claim, holds in claims(found, grown).items() if not holds] == []


def test_a_claim_that_does_not_hold_is_said(found):
    swapped = {**found, "coogan:paper": found["stgan:hr"]}
    larger = replace(found["attgan:hr"], size=1024)
    assert not any(list(claims(swapped, [larger]).values())[:4])


def test_printed_values_are_those_of_the_published_files():
    files = {"attgan:hr": "attgan", "stgan:hr": "stgan", "coogan:paper": "coogan"}
    for name, file in files.items():
        path = ROOT / "leaderboards" / "published" / f"{file}.toml"
        numbers = tomllib.loads(path.read_text(encoding="utf-8"))["numbers"]
        rows = [number for number in numbers if number["table"] == "Table 3" and number["size"] == SIZE]
        values = {number["metric"]: number["value"] for number in rows}
        assert (values["gpu_memory_MB"], values["seconds_per_image"]) == PRINTED[name]


def test_the_overhead_gives_the_printed_ratio(found):
    more = overhead(found, "stgan:hr")
    ratio = (found["coogan:paper"].total + more) / (found["stgan:hr"].total + more)
    assert ratio == pytest.approx(985 / 6306)


def test_the_table_has_a_row_for_each_method_and_its_cells_are_whole():
    table = reproduce()
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert [row[0] for row in table.rows[:3]] == ["AttGAN-HR", "STGAN-HR", "CooGAN"]
    assert "DOES NOT HOLD" not in " ".join(table.notes)


def test_pictures_that_are_kept_on_the_device_count_there(found):
    kept = predict(subject("coogan:paper", {"keep_on_device": True}), SIZE)
    pictures = 3 * 3 * 4 * SIZE**2  # given, guide, result
    assert kept["peak_activation_bytes"] >= pictures
    assert kept["peak_host_bytes"] == 0
