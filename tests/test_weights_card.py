"""A weights card beside a plugin is a pin; no card means nothing is published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faceedit_bench.api import Pin, WrongWeights

CARD = {
    "file": "toy.safetensors",
    "sha256": "ab" * 32,
    "bytes": 12,
    "origin": "trained here",
    "licence": "MIT",
}


def test_a_card_is_read_as_a_pin_and_its_training_facts_are_left_alone(tmp_path: Path):
    path = tmp_path / "toy.json"
    path.write_text(json.dumps({**CARD, "steps": 9000, "device": "CPU"}))
    assert Pin.from_card(path) == Pin(**CARD)


def test_a_card_may_tell_of_a_further_file(tmp_path: Path):
    path, further = tmp_path / "toy.json", {**CARD, "file": "toy-explain.safetensors"}
    path.write_text(json.dumps({**CARD, "explaining": further}))
    assert Pin.from_card(path, "explaining") == Pin(**further)
    assert Pin.from_card(path) == Pin(**CARD)
    path.write_text(json.dumps(CARD))
    assert Pin.from_card(path, "explaining") is None


def test_no_card_is_no_pin(tmp_path: Path):
    assert Pin.from_card(tmp_path / "toy.json") is None


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"file": "toy.safetensors"})])
def test_a_damaged_card_is_named(tmp_path: Path, text: str):
    path = tmp_path / "toy.json"
    path.write_text(text)
    with pytest.raises(WrongWeights, match=r"toy.json: not a weights card .* wanted JSON with file, sha256"):
        Pin.from_card(path)
