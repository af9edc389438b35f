"""Lookahead around Adam: slow weights, and going on after a stop."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceedit_bench.train.lookahead import Lookahead


def steps(optimizer: torch.optim.Optimizer, value: nn.Parameter, count: int) -> list[Tensor]:
    """The parameter after each of `count` updates of a bowl."""
    seen = []
    for _ in range(count):
        (value - 3).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        seen.append(value.detach().clone())
    return seen


def parameter() -> nn.Parameter:
    return nn.Parameter(torch.tensor([0.0, 1.0]))


def test_every_few_updates_weights_fall_back_half_of_the_way() -> None:
    adam, ours = parameter(), parameter()
    fast = steps(torch.optim.Adam([adam], 0.1, (0.9, 0.999), fused=True), adam, 3)
    seen = steps(Lookahead([ours], 0.1, (0.9, 0.999), every=3), ours, 3)
    assert torch.equal(seen[0], fast[0]) and torch.equal(seen[1], fast[1])
    torch.testing.assert_close(seen[2], (parameter() + fast[2]).detach() / 2)


def test_slow_weights_go_on_from_where_they_are() -> None:
    value = parameter()
    optimizer = Lookahead([value], 0.1, (0.9, 0.999), every=2)
    seen = steps(optimizer, value, 4)
    slow = optimizer.state[value]["slow"]
    assert torch.equal(slow, seen[3]) and not torch.equal(seen[3], seen[1])


def test_a_stopped_training_goes_on_with_the_same_bits() -> None:
    whole = parameter()
    wanted = steps(Lookahead([whole], 0.1, (0.9, 0.999), every=3), whole, 8)
    first = parameter()
    optimizer = Lookahead([first], 0.1, (0.9, 0.999), every=3)
    steps(optimizer, first, 4)
    second = nn.Parameter(first.detach().clone())
    later = Lookahead([second], 0.1, (0.9, 0.999), every=3)
    later.load_state_dict(optimizer.state_dict())
    assert torch.equal(steps(later, second, 4)[-1], wanted[-1])


def test_weights_without_gradients_stay() -> None:
    used, unused = parameter(), parameter()
    steps(Lookahead([used, unused], 0.1, (0.9, 0.999), every=2), used, 4)
    assert torch.equal(unused, parameter())
