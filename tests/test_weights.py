"""Weights are accepted only as pinned, restored strictly, and named when they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from faceedit_bench import restoring, weights
from faceedit_bench.contracts import Pin
from faceedit_bench.errors import WrongWeights


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    save_file(nn.Linear(3, 2).state_dict(), path)
    return path


def test_the_right_file_is_restored_in_eval_mode_without_gradients(saved: Path) -> None:
    context = weights.Context("cpu", (weights.pin_of(saved),), (saved,))
    network = context.restore(nn.Linear(3, 2))
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())


def test_half_precision_files_fill_float_networks(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file(nn.Linear(3, 2).half().state_dict(), path)
    assert restoring.restore(nn.Linear(3, 2), path).weight.dtype == torch.float32


def test_another_hash_or_size_is_refused(saved: Path) -> None:
    size = saved.stat().st_size
    with pytest.raises(WrongWeights, match="wanted sha256 0000"):
        weights.check(saved, Pin(saved.name, "0" * 64, size, "a training", "MIT"))
    with pytest.raises(WrongWeights, match=f"wanted 5 bytes, found {size}"):
        weights.check(saved, Pin(saved.name, "0" * 64, 5, "a training", "MIT"))


def test_a_changed_file_is_hashed_again(saved: Path) -> None:
    pin = weights.pin_of(saved)
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(bytes(content))
    with pytest.raises(WrongWeights, match="wanted sha256"):
        weights.check(saved, pin)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (nn.Linear(4, 2), r"weight: wanted \(2, 4\), found \(2, 3\)"),
        (nn.Linear(3, 2, bias=False), "unknown bias"),
        (nn.Sequential(nn.Linear(3, 2)), "missing 0.weight"),
    ],
)
def test_a_file_that_does_not_fit_lists_the_keys(network: nn.Module, words: str, saved: Path) -> None:
    with pytest.raises(WrongWeights, match=words):
        restoring.restore(network, saved)


def test_pickles_and_damaged_files_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "net.pt"
    torch.save({}, pickled)
    with pytest.raises(WrongWeights, match=r"wanted a \.safetensors file"):
        restoring.restore(nn.Linear(3, 2), pickled)
    damaged = tmp_path / "net.safetensors"
    damaged.write_bytes(b"<!DOCTYPE html><html>not found</html>")
    with pytest.raises(WrongWeights, match="not a readable safetensors file"):
        restoring.restore(nn.Linear(3, 2), damaged)


def test_a_preset_without_published_weights_says_how_to_train_it() -> None:
    with pytest.raises(WrongWeights, match="faceedit-bench train --method coogan --preset paper"):
        weights.choose("coogan", preset="paper")


def test_missing_weights_are_named_with_size_licence_and_origin() -> None:
    pin = Pin("gone.safetensors", "0" * 64, 123, "somewhere", "MIT")
    with pytest.raises(WrongWeights, match=r"gone\.safetensors: 123 bytes, licence MIT, from somewhere"):
        weights.require([weights.Wanted("method mine demo", pin, None)])


def test_only_what_was_asked_is_compiled_and_every_network_of_a_method_is() -> None:
    def parts() -> nn.ModuleDict:
        return nn.ModuleDict({"global": nn.Conv2d(3, 3, 3), "local": nn.Conv2d(3, 3, 3)})

    plain = restoring.fast(parts(), "cpu", compiles=False)
    compiled = restoring.fast(parts(), "cpu", compiles=True)
    assert [part._compiled_call_impl is not None for part in plain.values()] == [False, False]
    assert [part._compiled_call_impl is not None for part in compiled.values()] == [True, True]
    assert restoring.fast(nn.Conv2d(3, 3, 3), "cpu", compiles=True)._compiled_call_impl is not None
