"""Judges answer a formula's pictures as before; other channels, scales or tensors show."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from faceedit_bench import folders
from faceedit_bench.catalog import catalog
from faceedit_bench.cli import cli
from faceedit_bench.judges import asked
from faceedit_bench.weights import Judge, build_judge

DEMO = catalog().judge("identity-demo")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return build_judge(DEMO, "cpu")


def test_the_pictures_are_whole_numbers_and_each_is_another() -> None:
    pictures = asked.formula_pictures()
    assert (pictures.shape, pictures.dtype) == ((8, 3, 128, 128), torch.uint8)
    assert len({bytes(picture.numpy().tobytes()) for picture in pictures}) == 8
    assert len({bytes(plane.numpy().tobytes()) for plane in pictures[0]}) == 3
    assert pictures[3, 1, 5, 7] == (7 * 4 + 5 * 3 + 5 * 7 // 32 + 29 * 3) % 256


def test_a_shipped_judge_answers_as_its_card_says(judge: Judge) -> None:
    assert all(spec.answers for name, spec in catalog().judges.items() if name.endswith("-demo"))
    assert DEMO.answers and asked.differences(DEMO.answers, asked.numbers_of(judge)) == []


def turned(images: Tensor) -> Tensor:
    return images.flip(1)


def test_colours_in_another_order_another_view_and_a_tensor_out_of_place_show(judge: Judge) -> None:
    before = asked.numbers_of(judge)
    scaled = dataclasses.replace(judge, view=dataclasses.replace(judge.view, mean=(0.0, 0.0, 0.0)))
    resized = dataclasses.replace(judge, view=dataclasses.replace(judge.view, resize="torch-bilinear"))
    other = build_judge(DEMO, "cpu")
    weight = next(iter(other.network.parameters()))  # type: ignore[attr-defined]
    weight.data[0], weight.data[1] = weight.data[1].clone(), weight.data[0].clone()
    for spoilt in (lambda images: judge(turned(images)), scaled, resized, other):
        assert asked.differences(before, asked.numbers_of(spoilt))
    longer = {**before, "count": 3}
    assert asked.differences(longer, before) == [f"wanted 3 numbers, found {before['count']}"]


def test_a_judge_of_pairs_sees_two_pictures() -> None:
    def difference(a: Tensor, b: Tensor) -> Tensor:
        return (a - b).abs().mean(dim=(1, 2, 3))[:, None]

    assert asked.numbers_of(difference, of_pairs=True)["norm"] > 0


def test_another_version_and_other_weights_are_another_judge(tmp_path: Path) -> None:
    place, judge = tmp_path / "answers.json", {"name": "mine", "version": "1", "sha256": "ab" * 32}
    assert asked.known(place, judge) is None
    asked.remember(place, judge, {"mean": 0.5})
    known = asked.known(place, judge)
    assert known and known["mean"] == 0.5
    assert asked.known(place, {**judge, "version": "2"}) is None
    assert asked.known(place, {**judge, "sha256": "cd" * 32}) is None


def test_where_a_view_rounds_a_grey_level_may_fall_either_way() -> None:
    swav, inception = catalog().judge("swav-rn50-800"), catalog().judge("inception-2015")
    assert (asked.tolerance(swav.view), asked.tolerance(inception.view)) == (1e-3, 1e-4)


def test_the_command_compares_and_names_a_judge_that_answers_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in catalog().judges if name not in ("identity-demo", "lpips-alex")]:
        monkeypatch.delitem(catalog().judges, name)
    told = CliRunner().invoke(cli, ["judges", "--ask", "--json"])
    (one,) = json.loads(told.output)
    assert list(one.pop("scores")) == ["id"]
    assert one == {"name": "identity-demo", "known": True, "differences": []}
    bgr = dataclasses.replace(DEMO.view, mean=(0.4, 0.5, 0.5))
    monkeypatch.setitem(catalog().judges, "identity-demo", dataclasses.replace(DEMO, view=bgr))
    told = CliRunner().invoke(cli, ["judges", "--ask"])
    assert told.exit_code == 1 and "identity-demo: mean wanted" in told.output
    assert not (folders.weights() / "answers.json").exists()
