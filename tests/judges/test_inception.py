"""Inception without norms and with channels last answers as the network that was published."""

from __future__ import annotations

import copy
import os

import pytest
import torch
from torch import nn

from faceedit_bench import weights
from faceedit_bench.judges import inception
from faceedit_bench.judges.photographs import SPECS

JUDGES = {spec.name: spec for spec in SPECS}


def published() -> inception.Inception:
    """Every norm its own scale, shift and statistics; all channels alive."""
    torch.manual_seed(0)
    network = inception.Inception()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for value in (layer.weight, layer.running_var):
                nn.init.uniform_(value, 0.5, 1.5)
            for value in (layer.bias, layer.running_mean):
                nn.init.uniform_(value, -0.1, 0.1)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> weights.Context:
    path = tmp_path_factory.mktemp("inception") / "weights-inception.pth"
    torch.save(published().state_dict(), path)
    return weights.Context("cpu", (weights.pin_of(path),), (path,))


def test_it_is_as_near_to_float64_as_the_published_network(context: weights.Context) -> None:
    """Two ways of rounding the same sums: 0.5 to 1.1 times as far in several seeds, so 2 is a wide margin."""
    faces = torch.rand(1, 3, 139, 139, generator=torch.Generator().manual_seed(1)) * 2 - 1
    plain, ours = published(), inception.load(context).pool(faces)
    theirs = plain.pool(faces)
    exact = plain.double().pool(faces.double())
    assert 0 < (ours - exact).abs().max() <= 2 * (theirs - exact).abs().max()
    in_double = copy.deepcopy(inception.load(context)).double().pool(faces.double())
    assert torch.equal(in_double, exact)  # the published tensors, not what folding rounded
    torch.testing.assert_close(ours.double(), exact, rtol=1e-5, atol=1e-5 * float(exact.abs().max()))


def test_two_judges_on_one_file_share_the_network(context: weights.Context) -> None:
    names = ("inception-2015-tf1", "inception-2015-classes")
    pool, logits = (JUDGES[name].load(context) for name in names)
    assert pool.__self__ is logits.__self__  # type: ignore[attr-defined]


def test_a_file_that_was_written_anew_is_read_anew(context: weights.Context) -> None:
    before = inception.load(context)
    os.utime(context.files[0], (1, 1))
    assert inception.load(context) is not before
