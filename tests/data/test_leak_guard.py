"""`train-judge attributes` does not learn what suites of CelebA-HQ test on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from faceedit_bench.cli import cli, train_attributes
from faceedit_bench.data.celebahq import originals


@pytest.fixture
def mapping(trees: Path, tmp_path: Path) -> Path:
    """Places of a first, a training and a test face of CelebA-HQ."""
    files = sorted(path.name for path in (trees / "celeba" / "img_align_celeba").iterdir())
    path = tmp_path / "CelebA-HQ-to-CelebA-mapping.txt"
    lines = [f"{place} 0 {file}" for place, file in zip((999, 1_000, 28_500), files, strict=False)]
    path.write_text("\n".join(["idx orig_idx orig_file", *lines]))
    return path


@pytest.fixture
def people(trees: Path, tmp_path: Path) -> Path:
    """Everybody has every fourth picture."""
    files = sorted(path.name for path in (trees / "celeba" / "img_align_celeba").iterdir())
    path = tmp_path / "identity_CelebA.txt"
    path.write_text("\n".join(f"{file} {place % 4}" for place, file in enumerate(files)))
    return path


@pytest.fixture
def train(trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr(train_attributes, "SIZE", 32)
    monkeypatch.setattr(train_attributes, "FIRST", 32)
    monkeypatch.setattr(train_attributes, "FURTHER", ())
    words = ("--data", "celeba", "--root", str(trees / "celeba"), "--backbone", "test_resnet")
    few = ("--batch", "2", "--epochs", "0.3", "--out", str(tmp_path / "judges"))

    def train(*more: str) -> str:
        told = CliRunner().invoke(cli, ["train-judge", "attributes", *words, *few, *more]).output
        return " ".join(told.split())

    return train


def test_first_and_last_places_are_tested_on(mapping: Path) -> None:
    assert [int(name) for name in originals(mapping)] == [1, 3]


def test_originals_of_tested_faces_are_left_out(train: Callable[..., str], mapping: Path) -> None:
    told = train("--leave-out-hq", str(mapping))
    assert "5 faces to train on, 2 left out" in told and "2 pictures left out" in told


def test_other_pictures_of_the_same_people_may_go_too(
    train: Callable[..., str], mapping: Path, people: Path
) -> None:
    told = train("--leave-out-hq", str(mapping), "--leave-out-people", str(people))
    assert "3 faces to train on, 4 left out" in told  # the first and the third of every four
    assert "give both" in train("--leave-out-people", str(people))


def test_a_mapping_to_other_data_is_refused(train: Callable[..., str], mapping: Path, people: Path) -> None:
    mapping.write_text("idx orig_idx orig_file\n0 0 999999.jpg\n")
    assert "none of its pictures is among the 7 to train on" in train("--leave-out-hq", str(mapping))
    told = train("--leave-out-hq", str(mapping), "--leave-out-people", str(people))
    assert "1 pictures that are left out are not in it" in told
