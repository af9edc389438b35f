"""reproduce: tables of papers by name, as text and as JSON, and clear words about what is not offered."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from faceedit_bench.api import MethodSpec, Reproduction
from faceedit_bench.catalog import Catalog, catalog
from faceedit_bench.cli import cli, reproduce

TABLE = Reproduction(
    title="A paper, table 1",
    columns=("unit", "what", "its count"),
    rows=(("STU 16", "params", "1,630,352"), ("STU 64", "FLOPs", "≠ 30.90 G"), ("both", "FLOPs", "–")),
    notes=("counted here " * 12 + "59.6 % of it",),
)


def method(name: str, **tables: object) -> MethodSpec:
    return MethodSpec(
        name=name,
        version="1",
        summary="a method",
        paper="arXiv:0000.00000",
        attributes=(),
        resolutions=(),
        load=lambda options, context: None,  # type: ignore[arg-type,return-value]
        reproductions=tables,  # type: ignore[arg-type]
    )


def offer(monkeypatch: pytest.MonkeyPatch, *specs: MethodSpec, **broken: str) -> None:
    found = Catalog(methods={spec.name: spec for spec in specs}, broken=broken)
    monkeypatch.setattr(reproduce, "catalog", lambda: found)


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["reproduce", *words])
    return result.exit_code, result.output


def test_without_a_name_the_tables_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, method("one", table1=lambda: TABLE), method("two"))
    code, output = invoke()
    assert code == 0
    assert output.splitlines()[2].split() == ["table1", "one", "arXiv:0000.00000"]
    assert json.loads(invoke("--json")[1]) == [
        {"name": "table1", "method": "one", "paper": "arXiv:0000.00000"}
    ]


def test_listing_computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def compute() -> Reproduction:
        raise AssertionError("computed")

    offer(monkeypatch, method("one", table1=compute))
    assert invoke()[0] == 0


def test_nothing_to_compute_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, method("one"), mine="ImportError: no module named mine")
    code, output = invoke()
    assert code == 0 and "no installed method" in output and "broken plugin mine" in output


def test_a_table_is_printed_with_numbers_aligned_right(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, method("one", table1=lambda: TABLE))
    code, output = invoke("table1")
    assert code == 0
    assert output.splitlines()[:7] == [
        "A paper, table 1",
        "",
        "unit    what    its count",
        "------  ------  ---------",
        "STU 16  params  1,630,352",
        "STU 64  FLOPs   ≠ 30.90 G",
        "both    FLOPs           –",
    ]


def test_notes_are_wrapped_but_not_between_a_number_and_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, method("one", table1=lambda: TABLE))
    lines = invoke("table1")[1].splitlines()[8:]
    assert len(lines) > 1 and max(map(len, lines)) <= 80
    assert any("59.6 %" in line for line in lines)
    assert reproduce._filled("x" * 10 + " 59.6 %", 16) == "xxxxxxxxxx\n59.6 %"


def test_json_carries_the_table_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, method("one", table1=lambda: TABLE))
    found = json.loads(invoke("table1", "--json")[1])
    assert found["name"] == "table1" and found["title"] == TABLE.title
    assert tuple(map(tuple, found["rows"])) == TABLE.rows
    assert tuple(found["notes"]) == TABLE.notes


def test_an_unknown_table_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, method("one", table1=lambda: TABLE))
    code, output = invoke("tabel1")
    assert code == 1 and output.startswith("Error: unknown table 'tabel1'; did you mean 'table1'?")


def test_two_methods_may_share_a_table_but_not_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def compute() -> Reproduction:
        return TABLE

    offer(monkeypatch, method("one", table1=compute), method("two", table1=compute))
    assert invoke("table1")[0] == 0
    offer(monkeypatch, method("one", table1=compute), method("two", table1=lambda: TABLE))
    code, output = invoke()
    assert code == 1 and "'one' and 'two' both offer the table 'table1'" in output


def test_coogans_table_5_is_offered_and_fits_80_columns() -> None:
    assert "coogan-table5" in catalog().method("lstunet").reproductions
    code, output = invoke("coogan-table5")
    assert code == 0, output
    assert max(len(line) for line in output.splitlines()) <= 80
    line, more = [line for line in output.splitlines() if line.startswith("LSTU 64   FLOPs")]
    assert line.split()[3:] + more.split()[3:] == [
        *("30.80", "G", "30,909,433,856", "≠", "30.90", "G", "–"),
        *("3.675", "G", "14.700", "G", "33.075", "G"),
    ]
