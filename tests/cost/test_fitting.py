"""What fits into a given memory."""

from __future__ import annotations

import pytest
from toys import patches, toy

from faceedit_bench.cost.fitting import fit, parse_bytes
from faceedit_bench.errors import BadConfig

PATCH = 3 * 4 * 16 * 16  # bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [("1GB", 10**9), ("900 MiB", 900 * 2**20), ("1.5gib", 3 * 2**29), ("7B", 7)],
)
def test_amounts_are_read_with_their_units(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["1", "GB", "-1GB", "0MB", "1 TBx", "1e9B"])
def test_other_amounts_are_refused(text: str) -> None:
    with pytest.raises(BadConfig, match="wanted a number and one of B, kB"):
        parse_bytes(text)


def test_as_many_patches_are_taken_as_fit() -> None:
    # a patch is held twice: as it came, and doubled
    found = fit(patches(), 128, 2 * 8 * PATCH)
    assert (found["fits"], found["patch_batch"], found["total_bytes"]) == (True, 8, 2 * 8 * PATCH)
    assert fit(patches(), 128, 2 * 8 * PATCH - 1)["patch_batch"] == 4


def test_no_more_patches_than_the_picture_has() -> None:
    assert fit(patches(), 64, 2**30)["patch_batch"] == 16


def test_less_than_a_patch_fits_nowhere() -> None:
    found = fit(patches(), 128, PATCH)
    assert (found["fits"], found["patch_batch"], found["largest_size"]) == (False, None, None)


def test_a_whole_picture_method_fits_up_to_a_size() -> None:
    asked = toy(lambda images, batch: images + 1)  # two pictures
    limit = 2 * 3 * 4 * 200 * 200
    assert fit(asked, 200, limit)["fits"]
    found = fit(asked, 512, limit)
    assert (found["fits"], found["largest_size"]) == (False, 192)


def test_only_declared_sizes_are_offered() -> None:
    asked = toy(lambda images, batch: images + 1, resolutions=(100, 512))
    assert fit(asked, 512, 2 * 3 * 4 * 200 * 200)["largest_size"] == 100
