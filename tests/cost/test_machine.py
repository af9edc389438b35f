"""What is read off the machine, and what its words become."""

from __future__ import annotations

import torch

from faceedit_bench.cost.machine import conditions, read_gpu, read_process
from faceedit_bench.cost.memory import LivingStorages, process_peak, rounded
from faceedit_bench.device import available_bytes


def test_the_drivers_line_becomes_names_and_values() -> None:
    assert read_gpu("560.35, 1980, 2100, 3201, 700.00\n") == {
        "driver_version": "560.35",
        "clocks.sm": "1980",
        "clocks.max.sm": "2100",
        "clocks.mem": "3201",
        "power.limit": "700.00",
    }
    assert read_gpu(None) is None and read_gpu("no devices") is None


def test_only_this_processs_memory_counts() -> None:
    assert read_process("12, 800\n34, 100\n12, 1\n", 12) == 801 * 2**20
    assert read_process("12, [N/A]\n", 12) is None and read_process(None, 12) is None


def test_conditions_of_a_cpu_are_told() -> None:
    found = conditions("cpu")
    assert found["threads"] == torch.get_num_threads()
    assert found["torch"] == torch.__version__


def test_the_processs_peak_sees_what_a_pass_takes() -> None:
    size = 200 * 2**20
    found = process_peak(lambda: torch.ones(size // 4))
    if found["is_reset"]:  # Linux
        assert size * 0.9 < found["peak_resident_bytes"] - found["resident_bytes"] < size * 1.5


def test_memory_that_is_left_is_told_or_unknown() -> None:
    found = available_bytes("cpu")
    assert found is None or 0 < found < 2**50


def test_the_allocators_blocks_are_of_512_bytes() -> None:
    assert [rounded(size) for size in (0, 1, 512, 513)] == [0, 512, 512, 1024]


def test_an_input_that_is_only_looked_at_counts_once() -> None:
    images = torch.ones(4, 100)
    with LivingStorages([]) as living:
        living.count(images)
        images.split(1)
    assert living.peak_on("cpu") == images.nbytes
