"""cost: tables within 80 columns, JSON with every figure, refusals that say what works."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from faceedit_bench.cli import cli
from faceedit_bench.cli.cost import broken, page


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["cost", *words])
    return result.exit_code, result.stdout if result.exit_code == 0 else result.output


def measured(**changed: Any) -> dict[str, Any]:
    """A row with the widest values that a page meets."""
    row = {
        "name": "secgan-stargan:baseline-demo",
        "size": 8192,
        "mode": "measured",
        "weights": "fresh",
        "device": "Some CPU, 2 cores",
        "threads": 1,
        "flops": 10**13,
        "weights_bytes": 10**10,
        "peak_activation_bytes": 10**11,
        "process": {"resident_bytes": 0, "peak_resident_bytes": 10**11, "gpu_process_bytes": None},
        "latency": {"median": 9.9, "p90": 99.9, "n": 5, "warm_up": 10, "cpu_mean": 9.0, "wall_mean": 9.9},
        "throughput": {"batch": 128, "images_per_second": 1234.5},
        "conditions": {"clocks": {"cpu_mhz": 2445.4}, "load": [0.5, 0.4, 0.3]},
        "prediction": {"errors": {"peak_activation_bytes": 0.0, "flops": 0.0}},
        "audit": {
            "distinct_over_repeated": 1.01,
            "outputs_equal": 5,
            "outputs_compared": 5,
            "failed": [],
        },
    }
    return {**row, **changed}


def test_predictions_are_a_table_of_80_columns() -> None:
    code, output = invoke(
        *("--method", "secgan-stargan:baseline-demo", "--method", "copy", "--size", "64,128"),
        *("--predicted", "--memory", "1MB"),
    )
    assert code == 0, output
    assert max(map(len, output.splitlines())) <= 80
    assert "secgan-stargan" in output and "  :baseline-demo" in output
    assert "secgan-stargan:baseline-demo at 128 px: does not fit" in output
    assert "copy at 128 px: fits (0.4 MiB)" in output


def test_measurements_are_a_table_of_80_columns_with_device_clock_and_audits() -> None:
    lines = page([measured(), measured(size=64)]).splitlines()
    assert max(map(len, lines)) <= 80
    assert "on Some CPU, 2 cores, 1 thread, 2445 MHz" in lines
    assert any(
        "audit: new pictures take 1.01 × a repeated one; 5 of 5 outputs equal" in line for line in lines
    )
    assert any("prediction off by +0.00% (tensors)" in line for line in lines)


def test_the_peaks_of_a_gpu_are_shown() -> None:
    cuda = {
        "peak_allocated_bytes": 3 * 2**20,
        "peak_reserved_bytes": 20 * 2**20,
        "cold_peak_allocated_bytes": 5 * 2**20,
    }
    text = page([measured(cuda=cuda)])
    assert "reserved 20.0, first pass 5.0, process hidden MiB" in text and "alloc." in text


def test_a_failed_audit_is_shouted() -> None:
    audit = {**measured()["audit"], "failed": ["answers remembered?"]}
    assert "AUDIT FAILED: answers remembered?" in page([measured(audit=audit)])


def test_json_holds_a_row_for_every_method_and_size() -> None:
    code, output = invoke("--method", "copy", "--size", "16,32", "--predicted", "--device", "cpu", "--json")
    assert code == 0, output
    rows = json.loads(output)
    assert [(row["method"], row["size"], row["mode"]) for row in rows] == [
        ("copy", 16, "predicted"),
        ("copy", 32, "predicted"),
    ]
    assert rows[1]["peak_activation_bytes"] == 2 * 3 * 4 * 32 * 32  # given and copied


def test_a_size_that_does_not_work_is_refused_with_those_that_do() -> None:
    code, output = invoke("--method", "stargan:paper", "--size", "1", "--predicted")
    assert code == 0
    assert "stargan:paper at 1 px: " in output and "sizes that work: " in output and "128" in output


def test_unknown_names_and_amounts_are_errors() -> None:
    assert invoke("--method", "stgam")[0] == 1
    code, output = invoke("--method", "copy", "--memory", "lots", "--predicted")
    assert code == 1 and "--memory 'lots'" in output


def test_long_names_are_broken_before_their_preset() -> None:
    assert broken("coogan:paper") == ("coogan:paper", "")
    assert broken("secgan-attgan:baseline-demo") == ("secgan-attgan", "  :baseline-demo")
